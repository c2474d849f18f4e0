"""Nova's driver for servers that are systemd-nspawn machines. A server's folder is in guests.py."""
import os
import time

import eventlet
from oslo_utils import versionutils

import nova.conf
from nova import exception
from nova import utils
from nova.compute import power_state
from nova.objects import fields
from nova.virt import driver
from nova.virt import event
from nova.virt import hardware

from guests import Guest, Guests, is_pretended

CONF = nova.conf.CONF
WATCH_SECONDS = 1


class NspawnDriver(driver.ComputeDriver):
    capabilities = dict(driver.ComputeDriver.capabilities, supports_attach_interface=True, supports_extend_volume=True,
                        supports_image_type_raw=True)
    # More than any laptop has: what the scheduler decides must not depend on where the devcloud runs.
    resources = {'VCPU': 64, 'MEMORY_MB': 65536, 'DISK_GB': 2000}

    def __init__(self, virtapi, read_only=False):
        super().__init__(virtapi)
        self.guests = Guests(CONF.host)

    def init_host(self, host):
        self.guests.clean()
        utils.spawn(self._watch)

    def _watch(self):
        """Tells Nova of guests that power off by themselves."""
        before = set()
        while True:
            running = self.guests.running()
            for uuid in before - running:
                self.emit_event(event.LifecycleEvent(uuid, event.EVENT_LIFECYCLE_STOPPED))
            before = running
            time.sleep(WATCH_SECONDS)

    # What Nova asks about this host

    def get_available_nodes(self, refresh=False):
        return [CONF.host]

    def get_host_ip_addr(self):
        return CONF.my_ip

    def get_available_resource(self, nodename):
        total = self.resources
        return {
            'vcpus': total['VCPU'], 'memory_mb': total['MEMORY_MB'], 'local_gb': total['DISK_GB'],
            'vcpus_used': 0, 'memory_mb_used': 0, 'local_gb_used': 0, 'disk_available_least': total['DISK_GB'],
            'hypervisor_type': 'nspawn', 'hypervisor_version': versionutils.convert_version_to_int('1.0'),
            'hypervisor_hostname': nodename, 'cpu_info': '{}', 'numa_topology': None,
            'supported_instances': [(fields.Architecture.from_host(), fields.HVType.LXC, fields.VMMode.EXE)],
        }

    def update_provider_tree(self, provider_tree, nodename, allocations=None):
        ratios = self._get_allocation_ratios(provider_tree.data(nodename).inventory)
        provider_tree.update_inventory(nodename, {
            name: {'total': total, 'min_unit': 1, 'max_unit': total, 'step_size': 1, 'reserved': 0,
                   'allocation_ratio': ratios[name]}
            for name, total in self.resources.items()})

    def list_instance_uuids(self):
        return self.guests.uuids()

    def list_instances(self):
        """Only ever counted."""
        return self.guests.uuids()

    def instance_exists(self, instance):
        return _guest(instance).exists()

    def get_info(self, instance, use_cache=True):
        guest = _guest(instance)
        if not guest.exists():
            raise exception.InstanceNotFound(instance_id=instance.uuid)
        return hardware.InstanceInfo(state=power_state.RUNNING if guest.runs() else power_state.SHUTDOWN)

    def get_console_output(self, context, instance):
        return _guest(instance).console()

    # A server's life

    def spawn(self, context, instance, image_meta, injected_files, admin_password, allocations, network_info=None,
              block_device_info=None, power_on=True, accel_info=None):
        guest = _guest(instance)
        guest.make(instance, injected_files, network_info)
        if not power_on:
            return
        unplugged = [('network-vif-plugged', vif['id']) for vif in network_info or []
                     if vif.get('active') is False and not is_pretended(instance)]
        try:
            with self.virtapi.wait_for_instance_event(instance, unplugged, deadline=CONF.vif_plugging_timeout):
                guest.start(instance, network_info, block_device_info)
        except eventlet.Timeout as error:
            guest.delete()
            raise exception.VirtualInterfaceCreateException() from error
        except Exception:
            guest.delete()
            raise

    def destroy(self, context, instance, network_info, block_device_info=None, destroy_disks=True, destroy_secrets=True):
        guest = _guest(instance)
        guest.stop()
        if destroy_disks:
            guest.delete()

    def cleanup(self, context, instance, network_info, block_device_info=None, destroy_disks=True, migrate_data=None,
                destroy_vifs=True, destroy_secrets=True):
        self.destroy(context, instance, network_info, block_device_info, destroy_disks)

    def power_on(self, context, instance, network_info, block_device_info=None, accel_info=None):
        guest = _guest(instance)
        if not guest.runs():
            guest.start(instance, network_info, block_device_info)

    def power_off(self, instance, timeout=0, retry_interval=0):
        _guest(instance).stop(timeout)

    def reboot(self, context, instance, network_info, reboot_type, block_device_info=None, bad_volumes_callback=None,
               accel_info=None):
        guest = _guest(instance)
        guest.stop(CONF.shutdown_timeout if reboot_type == 'SOFT' else 0)
        guest.start(instance, network_info, block_device_info)

    def resume_state_on_host_boot(self, context, instance, network_info, block_device_info=None):
        self.power_on(context, instance, network_info, block_device_info)

    # Another flavor: the host where the server was keeps what it had until the user confirms or reverts

    def migrate_disk_and_power_off(self, context, instance, dest, flavor, network_info, block_device_info=None,
                                   timeout=0, retry_interval=0):
        guest = _guest(instance)
        guest.stop(timeout)
        guest.set_aside()
        return ''

    def finish_migration(self, context, migration, instance, disk_info, network_info, image_meta, resize_instance,
                         allocations, block_device_info=None, power_on=True):
        guest = _guest(instance)
        try:
            guest.copy(Guest(migration.source_compute, instance.uuid))
        except Exception:
            guest.delete()
            raise
        if power_on:
            guest.start(instance, network_info, block_device_info)

    def confirm_migration(self, context, migration, instance, network_info):
        _guest(instance).forget_aside()

    def finish_revert_migration(self, context, instance, network_info, migration, block_device_info=None, power_on=True):
        guest = _guest(instance)
        guest.take_back()
        if power_on:
            guest.start(instance, network_info, block_device_info)

    # Its links

    def attach_interface(self, context, instance, image_meta, vif):
        _guest(instance).plug(vif)

    def detach_interface(self, context, instance, vif):
        _guest(instance).unplug(vif)

    def plug_vifs(self, instance, network_info):
        """A guest's machine plugs its links when it starts."""

    def unplug_vifs(self, instance, network_info):
        """They vanish with the machine."""

    # Volumes

    def get_volume_connector(self, instance):
        return {'ip': CONF.my_block_storage_ip, 'host': CONF.host}

    def default_root_device_name(self, instance, image_meta, root_bdm):
        return '/dev/vda'

    def get_device_name_for_instance(self, instance, bdms, block_device_obj):
        used = {os.path.basename(mapping.device_name or '') for mapping in bdms} | {'vda'}
        for letter in 'bcdefghijklmnopqrstuvwxyz':
            if f'vd{letter}' not in used:
                return f'/dev/vd{letter}'
        raise exception.TooManyDiskDevices(maximum=26)

    def attach_volume(self, context, connection_info, instance, mountpoint, disk_bus=None, device_type=None,
                      encryption=None):
        _guest(instance).attach(connection_info, mountpoint)

    def detach_volume(self, context, connection_info, instance, mountpoint, encryption=None):
        _guest(instance).detach(mountpoint)

    def extend_volume(self, context, connection_info, instance, requested_size):
        _guest(instance).extend(connection_info)


def _guest(instance):
    return Guest(CONF.host, instance.uuid)

"""The guests of one compute host, as folders: `<host>/<uuid>/` holds what a server is, and its machine's socket while it runs."""
import glob
import json
import os
import shutil
import time

from oslo_concurrency import processutils

from nova import exception
from nova.api.metadata import base as metadata
from nova.virt import driver
from nova.virt.configdrive import ConfigDriveBuilder

import monitor
from cgroup import Cgroup

STATE = '/var/lib/devcloud'
# A file per guest: the resolver reads them as they come and go.
NAMES = '/run/names'
HINDRANCE = '/run/hindrance'
MACHINE = f'{os.path.dirname(os.path.abspath(__file__))}/machine'
POLL_SECONDS = 0.1
CUT_SECONDS = 30
# In the folder of a server that has no machine, while it is said to run.
PRETENDED = 'pretended'


class Guest:
    def __init__(self, host, uuid):
        self.uuid = uuid
        self.folder = f'{STATE}/guests/{host}/{uuid}'
        self.aside = f'{STATE}/aside/{host}/{uuid}'

    def exists(self):
        return os.path.isdir(self.folder)

    def runs(self):
        return os.path.exists(f'{self.folder}/{PRETENDED}') or monitor.runs(self.folder)

    def console(self):
        try:
            with open(f'{self.folder}/console.log', 'rb') as file:
                return file.read()
        except FileNotFoundError:
            return b''

    def make(self, instance, injected_files, network_info):
        """Writes what lasts: the metadata, as Nova gives it to a server with a config drive."""
        drive = f'{self.folder}/config-drive'
        os.makedirs(drive, mode=0o700)
        # Nova takes a subnet's word that it has DHCP, and then tells no address. Nobody serves it here: all that a guest needs to know is on its drive.
        for subnet in (subnet for vif in network_info or [] for subnet in vif['network']['subnets']):
            subnet['meta'].pop('dhcp_server', None)
        builder = ConfigDriveBuilder(
            metadata.InstanceMetadata(instance, content=injected_files, network_info=network_info))
        builder._write_md_files(drive)

    def start(self, instance, network_info, block_device_info):
        if is_pretended(instance):
            return open(f'{self.folder}/{PRETENDED}', 'w').close()
        with open(f'{self.folder}/machine.json', 'w') as file:
            json.dump({
                'tree': _tree(instance),
                'root_device': _root_device(instance, block_device_info),
                'hindrance': _hindrance(),
                'memory_mb': instance.flavor.memory_mb,
                'cpus': instance.flavor.vcpus,
                'nics': [_nic(vif) for vif in network_info or []],
                'disks': [_disk(mapping['connection_info'], mapping['mount_device'])
                          for mapping in driver.block_device_info_get_mapping(block_device_info)],
            }, file)
        _publish(self.uuid, instance, network_info)
        try:
            # Its mounts are its own, so that they end with it.
            processutils.execute('unshare', '--mount', MACHINE, self.folder)
        except processutils.ProcessExecutionError as error:
            raise exception.InstancePowerOnFailure(reason=error.stderr.strip().rpartition('\n')[2])

    def stop(self, patience=0):
        """Asks the guest to power off, and after `patience` seconds pulls the plug."""
        if os.path.exists(f'{self.folder}/{PRETENDED}'):
            return os.unlink(f'{self.folder}/{PRETENDED}')
        if patience:
            self._tell('shut_down')
            self._ends_within(patience)
        self._tell('cut')
        if not self._ends_within(CUT_SECONDS):
            raise exception.InstancePowerOffFailure(reason=f'its machine does not end, see {self.folder}/machine.log')

    def _ends_within(self, seconds):
        end = time.monotonic() + seconds
        while self.runs():
            if time.monotonic() > end:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def delete(self):
        self.stop()
        group = Cgroup(self.uuid)
        group.kill()
        group.remove()
        if os.path.exists(f'{NAMES}/{self.uuid}'):
            os.unlink(f'{NAMES}/{self.uuid}')
        if self.exists():
            shutil.rmtree(self.folder)

    def set_aside(self):
        os.makedirs(os.path.dirname(self.aside), exist_ok=True)
        os.rename(self.folder, self.aside)

    def copy(self, other):
        """What lasts of another host's server, which that host has set aside. The kernel knows whiteouts and opaque folders by what `cp` keeps."""
        os.makedirs(self.folder, mode=0o700)
        for name in ('config-drive', 'console.log', 'upper'):
            if os.path.exists(f'{other.aside}/{name}'):
                processutils.execute('cp', '--archive', '--reflink=auto', f'{other.aside}/{name}', self.folder)

    def take_back(self):
        os.rename(self.aside, self.folder)

    def forget_aside(self):
        shutil.rmtree(self.aside)

    def plug(self, vif):
        self._tell('plug', **_nic(vif))

    def unplug(self, vif):
        self._tell('unplug', tap=_nic(vif)['tap'])

    def attach(self, connection_info, mountpoint):
        self._tell('attach', **_disk(connection_info, mountpoint))

    def detach(self, mountpoint):
        self._tell('detach', device=os.path.basename(mountpoint))

    def extend(self, connection_info):
        self._tell('extend', volume=connection_info['data']['volume_id'])

    def _tell(self, do, **arguments):
        """A guest that does not run needs no telling: what it is told comes true at its next start."""
        try:
            monitor.ask(self.folder, do, **arguments)
        except monitor.GONE:
            pass


class Guests:
    def __init__(self, host):
        self.host = host
        self.folder = f'{STATE}/guests/{host}'

    def uuids(self):
        return [os.path.basename(folder) for folder in glob.glob(f'{self.folder}/*')]

    def running(self):
        return {uuid for uuid in self.uuids() if Guest(self.host, uuid).runs()}

    def clean(self):
        """Removes what the machines of a devcloud that was killed left behind: their control groups."""
        for uuid in set(self.uuids()) - self.running():
            group = Cgroup(uuid)
            group.kill()
            group.remove()


def is_pretended(instance):
    """A flavor says so: a hundred of its servers cost no more than their rows in databases."""
    return instance.flavor.extra_specs.get('devcloud:boot') == 'none'


def _tree(instance):
    """The image's bytes are not used: its property names a tree that every host has."""
    name = instance.system_metadata.get('image_devcloud_tree', 'debian-12')
    tree = f'{STATE}/images/{name}'
    if not os.path.isdir(tree):
        has = ', '.join(sorted(os.listdir(f'{STATE}/images')))
        raise exception.Invalid(f'The image has the property devcloud_tree={name}; the devcloud has {has}: set it to one of these.')
    return tree


def _publish(uuid, instance, network_info):
    """Its name in its first network: the resolver answers for one of two servers with the same name."""
    addresses = [ip['address'] for vif in (network_info or [])[:1] for ip in vif.fixed_ips()]
    os.makedirs(NAMES, exist_ok=True)
    with open(f'{NAMES}/{uuid}', 'w') as file:
        for address in addresses:
            print(address, instance.hostname, file=file)
    os.chmod(f'{NAMES}/{uuid}', 0o644)


def _hindrance():
    """A fault that befalls all servers that start from now on."""
    try:
        with open(HINDRANCE) as file:
            return file.read().strip()
    except FileNotFoundError:
        return ''


def _root_device(instance, block_device_info):
    """Of a server that boots from a volume: the device whose file system takes what the server writes over the image's tree."""
    if instance.image_ref:
        return None
    return os.path.basename(driver.block_device_info_get_root_device(block_device_info) or instance.root_device_name)


def _nic(vif):
    return {
        'tap': f'tap{vif["id"][:11]}',
        'mac': vif['address'],
        'mtu': vif['network'].get_meta('mtu') or 1500,
        'bridge': f'brq{vif["network"]["id"][:11]}',
    }


def _disk(connection_info, mountpoint):
    data = connection_info['data']
    return {'device': os.path.basename(mountpoint), 'volume': data['volume_id'], 'file': data['device_path']}

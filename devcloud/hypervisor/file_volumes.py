"""Cinder's driver for volumes that are sparse files, which hypervisors on this machine open by their path."""
import glob
import os

from cinder import interface
from cinder.volume import driver

import disks
import monitor

STATE = '/var/lib/devcloud'
FOLDER = f'{STATE}/volumes'
# Copying a volume takes that long at most.
COPY_SECONDS = 300


@interface.volumedriver
class FileVolumeDriver(driver.VolumeDriver):
    VERSION = '1.0'

    def do_setup(self, context):
        os.makedirs(FOLDER, mode=0o700, exist_ok=True)

    def check_for_setup_error(self):
        """A folder that cannot be made has failed before."""

    def create_volume(self, volume):
        _size(volume, volume.size)

    def delete_volume(self, volume):
        if os.path.exists(_file(volume)):
            os.unlink(_file(volume))

    def extend_volume(self, volume, new_size):
        _size(volume, new_size)

    # Copies

    def clone_image(self, context, volume, image_location, image_meta, image_service):
        """An image has no bytes: a volume made from it is told apart by the image's properties, and a server that starts from it finds it empty."""
        self.create_volume(volume)
        return {}, True

    def create_snapshot(self, snapshot):
        _copy(snapshot.volume, _file(snapshot))

    def delete_snapshot(self, snapshot):
        self.delete_volume(snapshot)

    def create_volume_from_snapshot(self, volume, snapshot):
        disks.copy(_file(snapshot), _file(volume))
        _size(volume, volume.size)

    def create_cloned_volume(self, volume, src_vref):
        _copy(src_vref, _file(volume))
        _size(volume, volume.size)

    def initialize_connection(self, volume, connector):
        data = {'volume_id': volume.id, 'device_path': _file(volume), 'access_mode': 'rw'}
        return {'driver_volume_type': 'local', 'data': data}

    def terminate_connection(self, volume, connector, **options):
        """The hypervisor closes the file."""

    def ensure_export(self, context, volume):
        pass

    def create_export(self, context, volume, connector):
        pass

    def remove_export(self, context, volume):
        pass

    def _update_volume_stats(self):
        # Sparse files: what can be promised does not depend on what is free.
        name = self.configuration.safe_get('volume_backend_name')
        pool = {'pool_name': name, 'total_capacity_gb': 100000, 'free_capacity_gb': 100000, 'reserved_percentage': 0,
                'provisioned_capacity_gb': 0, 'max_over_subscription_ratio': 100.0, 'thin_provisioning_support': True,
                'QoS_support': False, 'multiattach': False, 'online_extend_support': True}
        self._stats = {'volume_backend_name': name, 'vendor_name': 'devcloud', 'driver_version': self.VERSION,
                       'storage_protocol': 'file', 'pools': [pool]}


def _file(volume):
    return f'{FOLDER}/{volume.id}'


def _copy(volume, file):
    """A server that has the volume must hold still for it: its machine makes the copy then."""
    for attachment in volume.volume_attachment:
        for guest in glob.glob(f'{STATE}/guests/*/{attachment.instance_uuid}'):
            try:
                return monitor.ask(guest, 'copy', seconds=COPY_SECONDS, volume=volume.id, file=file)
            except monitor.GONE:
                pass  # it does not run
    return disks.copy(_file(volume), file)


def _size(volume, gigabytes):
    with open(_file(volume), 'ab') as file:
        file.truncate(gigabytes << 30)

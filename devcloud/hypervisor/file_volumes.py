"""Cinder's driver for volumes that are sparse files, which hypervisors on this machine open by their path."""
import os

from cinder import interface
from cinder.volume import driver

FOLDER = '/var/lib/devcloud/volumes'


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


def _size(volume, gigabytes):
    with open(_file(volume), 'ab') as file:
        file.truncate(gigabytes << 30)

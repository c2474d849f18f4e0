"""A guest's disks: files behind loop devices, and the names that udev would give them on a virtual machine."""
import os
import subprocess


class Disk:
    """One file behind a loop device, which lasts as long as somebody has it open: this object, or a mount in the guest."""

    def __init__(self, device, volume, file):
        self.device, self.volume, self.file = device, volume, file
        self.node = run('losetup', '--find', '--show', file)
        self.open = os.open(self.node, os.O_RDONLY)
        # Detaching what is open only marks it: the kernel detaches at the last close, however we end.
        run('losetup', '--detach', self.node)
        self.probed, self.uuid = None, None

    @property
    def number(self):
        return os.fstat(self.open).st_rdev

    def extend(self):
        run('losetup', '--set-capacity', self.node)

    def part(self, copy):
        """The file stays as it is now: a copy takes its name, and what the device writes from now on goes to a file without one."""
        self.copy(copy)
        os.replace(copy, self.file)

    def copy(self, file):
        copy(self.file, file)

    def close(self):
        os.close(self.open)

    def file_system(self):
        """UUID of the file system. Looked for again only after somebody wrote to the disk."""
        with open(f'/sys/dev/block/{os.major(self.number)}:{os.minor(self.number)}/stat') as file:
            written = file.read().split()[4:7]
        if written != self.probed:
            self.probed = written
            self.uuid = subprocess.run(
                ['blkid', '--probe', '--match-tag', 'UUID', '--output', 'value', self.node],
                capture_output=True, text=True).stdout.strip() or None
        return self.uuid


class Disks:
    """The disks of one guest, by device name. `links` is the folder that the guest sees as /dev/disk."""

    def __init__(self, links):
        self.links = links
        self.disks = {}

    def __iter__(self):
        return iter(list(self.disks.values()))

    def attach(self, device, volume, file):
        self.disks[device] = Disk(device, volume, file)
        self.refresh()
        return self.disks[device]

    def detach(self, device):
        self.disks.pop(device).close()
        self.refresh()

    def refresh(self):
        """Makes the links say what is on the disks now."""
        self._link('by-id', {f'virtio-{disk.volume[:20]}': disk for disk in self})
        self._link('by-uuid', {disk.file_system(): disk for disk in self if disk.file_system()})

    def _link(self, kind, wanted):
        folder = f'{self.links}/{kind}'
        os.makedirs(folder, exist_ok=True)
        for name in set(os.listdir(folder)) | set(wanted):
            link = f'{folder}/{name}'
            target = f'../../{wanted[name].device}' if name in wanted else None
            if target == (os.readlink(link) if os.path.islink(link) else None):
                continue
            if os.path.islink(link):
                os.unlink(link)
            if target:
                os.symlink(target, link)


def copy(file, to):
    run('cp', '--sparse=always', '--reflink=auto', file, to)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f'{" ".join(command)}: {" ".join(done.stderr.split())}')
    return done.stdout.strip()

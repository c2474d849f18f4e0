"""The control group of one guest, a folder of its own below its devcloud's, in every hierarchy.

Without it all guests would share one group, and each guest's systemd would kill the others' services.
Limits are set on it, and freezing or killing it takes exactly one guest.
"""
import glob
import os
import signal
import time

MOUNT = '/sys/fs/cgroup'
PARENT = os.uname().nodename  # the devcloud's name, which no other on this machine has
UNIFIED = os.path.exists(f'{MOUNT}/cgroup.controllers')
CPU_PERIOD = 100_000


def _hierarchies():
    if UNIFIED:
        return [MOUNT]
    folders = {os.path.realpath(os.path.dirname(path)) for path in glob.glob(f'{MOUNT}/*/cgroup.procs')}
    # A new cpuset group has no processors and takes no process. Guests need no pinning.
    return sorted(folder for folder in folders if not os.path.exists(f'{folder}/cpuset.cpus'))


class Cgroup:
    def __init__(self, name):
        self.folders = [f'{hierarchy}/{PARENT}/{name}' for hierarchy in _hierarchies()]

    def create(self, memory_mb, cpus):
        for folder in self.folders:
            os.makedirs(folder, exist_ok=True)
        if UNIFIED:
            for folder in (MOUNT, f'{MOUNT}/{PARENT}'):
                _write(f'{folder}/cgroup.subtree_control', '+memory +cpu +pids')
            self._set('memory.max', memory_mb << 20)
            self._set('cpu.max', f'{cpus * CPU_PERIOD} {CPU_PERIOD}')
        else:
            self._set('memory.limit_in_bytes', memory_mb << 20)
            self._set('cpu.cfs_quota_us', cpus * CPU_PERIOD)

    def enter(self):
        """Moves the calling process, and what it will start, into the group."""
        for folder in self.folders:
            _write(f'{folder}/cgroup.procs', os.getpid())

    def processes(self):
        """Those of the guest's own subgroups too."""
        found = set()
        for top in self.folders:
            for folder, _, _ in os.walk(top):
                try:
                    with open(f'{folder}/cgroup.procs') as file:
                        found.update(int(line) for line in file)
                except FileNotFoundError:
                    pass  # the guest removed this subgroup in the meantime
        return found - {0}

    def kill(self, seconds=10):
        """Ends every process, frozen ones too: a frozen process takes the signal when it thaws."""
        end = time.monotonic() + seconds
        while processes := self.processes():
            if time.monotonic() > end:
                raise TimeoutError(f'processes {sorted(processes)} of {self.folders[0]} do not end')
            for process in processes:
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.thaw()
            time.sleep(0.02)

    def freeze(self, seconds=10):
        """Returns when no process runs any more. What they asked of the kernel before, it goes on with."""
        self._set(*(('cgroup.freeze', 1) if UNIFIED else ('freezer.state', 'FROZEN')))
        end = time.monotonic() + seconds
        while not self._frozen():
            if time.monotonic() > end:
                self.thaw()
                raise TimeoutError(f'{self.folders[0]} does not freeze')
            time.sleep(0.001)

    def thaw(self):
        self._set(*(('cgroup.freeze', 0) if UNIFIED else ('freezer.state', 'THAWED')))

    def _frozen(self):
        name, state = ('cgroup.events', 'frozen 1') if UNIFIED else ('freezer.state', 'FROZEN')
        return any(state in _read(f'{folder}/{name}') for folder in self.folders)

    def remove(self):
        for top in self.folders:
            for folder, _, _ in os.walk(top, topdown=False):
                os.rmdir(folder)

    def _set(self, name, value):
        for folder in self.folders:
            if os.path.exists(f'{folder}/{name}'):
                _write(f'{folder}/{name}', value)


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ''  # a hierarchy without this


def _write(path, value):
    try:
        with open(path, 'w') as file:
            file.write(str(value))
    except OSError as error:
        raise OSError(f'writing {value} to {path}: {error.strerror}') from error

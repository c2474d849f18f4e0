"""Ends, or brings to rest, what a guest has mounted from a disk."""
import fcntl
import os
import re
import struct
import subprocess

SHUT_DOWN_FILE_SYSTEM = 0x8004587D  # FS_IOC_SHUTDOWN: xfs and ext4 then answer every call with an error
WITHOUT_FLUSH = struct.pack('I', 2)
FREEZE, THAW = 0xC0045877, 0xC0045878  # FIFREEZE, FITHAW


def shut_down(process, number):
    """The file systems that `process` has mounted from the block device `number` write nothing any more, whatever they still hold."""
    for point in mount_points(process, number):
        _tell(process, point, (SHUT_DOWN_FILE_SYSTEM, WITHOUT_FLUSH))


def bring_to_rest(process, number):
    """Of processes that stand still: what their file systems hold back is written, journals too. Nothing is left that the kernel would write later."""
    for point in mount_points(process, number)[:1]:
        _tell(process, point, (FREEZE, 0), (THAW, 0))


def cut_off(process, number):
    """Shuts them down and takes them out of the process's sight, which is all that can be done with some."""
    shut_down(process, number)
    for point in mount_points(process, number):
        subprocess.run(['nsenter', f'--target={process}', '--mount', '--pid', 'umount', '--lazy', point], check=True)


def _tell(process, point, *calls):
    try:
        folder = os.open(f'/proc/{process}/root{point}', os.O_RDONLY)
        try:
            for call in calls:
                fcntl.ioctl(folder, *call)
        finally:
            os.close(folder)
    except OSError:
        pass  # a file system that knows no such call


def mount_points(process, number):
    device = f'{os.major(number)}:{os.minor(number)}'
    with open(f'/proc/{process}/mountinfo') as file:
        fields = [line.split() for line in file]
    # The kernel writes blanks and the like in octal. What lies deeper goes first.
    points = [re.sub(r'\\(\d{3})', lambda octal: chr(int(octal[1], 8)), field[4]) for field in fields if field[2] == device]
    return sorted(points, key=len, reverse=True)

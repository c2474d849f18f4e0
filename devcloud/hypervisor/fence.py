"""Ends what a guest has mounted from a disk."""
import fcntl
import os
import re
import struct
import subprocess

SHUT_DOWN_FILE_SYSTEM = 0x8004587D  # FS_IOC_SHUTDOWN: xfs and ext4 then answer every call with an error
WITHOUT_FLUSH = struct.pack('I', 2)


def shut_down(process, number):
    """The file systems that `process` has mounted from the block device `number` write nothing any more, whatever they still hold."""
    for point in _mount_points(process, number):
        try:
            folder = os.open(f'/proc/{process}/root{point}', os.O_RDONLY)
            try:
                fcntl.ioctl(folder, SHUT_DOWN_FILE_SYSTEM, WITHOUT_FLUSH)
            finally:
                os.close(folder)
        except OSError:
            pass  # a file system that knows no such call


def cut_off(process, number):
    """Shuts them down and takes them out of the process's sight, which is all that can be done with some."""
    shut_down(process, number)
    for point in _mount_points(process, number):
        subprocess.run(['nsenter', f'--target={process}', '--mount', '--pid', 'umount', '--lazy', point], check=True)


def _mount_points(process, number):
    device = f'{os.major(number)}:{os.minor(number)}'
    with open(f'/proc/{process}/mountinfo') as file:
        fields = [line.split() for line in file]
    # The kernel writes blanks and the like in octal. What lies deeper goes first.
    points = [re.sub(r'\\(\d{3})', lambda octal: chr(int(octal[1], 8)), field[4]) for field in fields if field[2] == device]
    return sorted(points, key=len, reverse=True)

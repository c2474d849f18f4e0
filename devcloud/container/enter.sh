#!/bin/bash
# First process of the devcloud's own pid, mount, network, uts and ipc namespaces. Makes the tree its root
# and becomes the supervisor. Every mount below lives in this mount namespace only, so that it ends with us.
# Arguments: the devcloud's name, the Debian tree, the devcloud's folder, the repository's devcloud/, the package cache, the caller's pid, the guests' images as NAME=TREE.
set -euo pipefail
name=$1 tree=$2 folder=$3 program=$4 packages=$5 caller=$6
root=$folder/root

bind() { # bind SOURCE TARGET [OPTIONS]
  mkdir -p "$root$2"
  mount --bind "$1" "$root$2"
  [ -z "${3:-}" ] || mount -o "remount,bind,$3" "$root$2"
}

# What is written outside the state folder goes to memory and is forgotten: the tree stays as it was built.
mkdir -p "$root"
mount -t tmpfs -o mode=0755 tmpfs "$root"
mkdir "$root/upper" "$root/work" "$root/merged"
mount -t overlay -o "lowerdir=$tree,upperdir=$root/upper,workdir=$root/work" devcloud "$root/merged"
root=$root/merged

bind "$folder/state" /var/lib/devcloud
bind "$folder/log" /var/log/devcloud
bind "$folder/etc" /etc/devcloud ro
mkdir -p "$root/etc/openstack"
ln -s /etc/devcloud/clouds.yaml "$root/etc/openstack/clouds.yaml"
bind "$program" /opt/devcloud ro
bind "$packages" /var/cache/apt-cacher-ng
for image in "${@:7}"; do bind "${image#*=}" "/var/lib/devcloud/images/${image%%=*}" ro; done

# The package cache runs in the caller's network: this file is how it finds back.
touch "$root/run/host-network"
mount --bind "/proc/$caller/ns/net" "$root/run/host-network"
cat /etc/resolv.conf >"$root/etc/resolv.conf"
tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
{ echo "127.0.0.1 localhost devcloud $name"; cat /etc/hosts; } >"$root/etc/hosts"

mount --rbind /dev "$root/dev"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"

hostname "$name"
cd "$root"
mkdir -p .host
pivot_root . .host
mount -t proc proc /proc
umount -l /.host
rmdir /.host
ip link set lo up
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root \
  /usr/bin/supervisord --nodaemon --configuration /etc/devcloud/supervisord.conf

#!/bin/bash
# Runs a command in a Debian tree, in this machine's network. Nothing is written to the tree: what the command leaves is in /work, which is the folder's.
# Called in mount and pid namespaces of its own. Arguments: the tree, the folder, the command.
set -euo pipefail
tree=$1 folder=$2
root=$folder.root
mkdir -p "$root"
mount -t tmpfs -o mode=0755 tmpfs "$root"
mkdir "$root/upper" "$root/work" "$root/merged"
mount -t overlay -o "lowerdir=$tree,upperdir=$root/upper,workdir=$root/work" clients "$root/merged"
cd "$root/merged"
mkdir work
mount --bind "$folder" work
mount --rbind /dev dev
mount -t proc proc proc
exec chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/work OS_CLIENT_CONFIG_FILE=/work/clouds.yaml \
  sh -c 'cd /work && exec "$@"' sh "${@:3}"

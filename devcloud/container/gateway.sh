#!/bin/bash
# Gives the guests' network its gateway, in the devcloud's network namespace: a veth plugged into the bridge,
# not an address on the bridge itself, so that what comes from the host passes the ports' security groups too.
# Argument: its address.
set -euo pipefail
[ ! -d /sys/class/net/gateway ] || exit 0
bridge=brq$(head -c 11 /var/lib/devcloud/network)
[ -d "/sys/class/net/$bridge" ] || ip link add "$bridge" type bridge forward_delay 0
ip link add gateway type veth peer name gateway-port
ip link set gateway-port master "$bridge"
ip address add "$1/24" dev gateway
for link in "$bridge" gateway-port gateway; do ip link set "$link" up; done
# Else the bridge would answer for the gateway too, with a hardware address that changes as guests come and go.
echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
echo 1 >/proc/sys/net/ipv4/ip_forward

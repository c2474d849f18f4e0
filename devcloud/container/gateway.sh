#!/bin/bash
# Gives the networks that are there from the start their gateways, in the devcloud's network namespace: veths plugged into
# the bridges, not addresses on the bridges themselves, so that what comes from the host passes the ports' security groups too.
set -euo pipefail
while read -r network bridge address; do
  [ ! -d "/sys/class/net/$network" ] || continue
  [ -d "/sys/class/net/$bridge" ] || ip link add "$bridge" type bridge forward_delay 0
  ip link add "$network" type veth peer name "$network-port"
  ip link set "$network-port" master "$bridge"
  ip address add "$address" dev "$network"
  for link in "$bridge" "$network-port" "$network"; do ip link set "$link" up; done
done </var/lib/devcloud/gateways
# Else a bridge would answer for its gateway too, with a hardware address that changes as guests come and go.
echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
echo 1 >/proc/sys/net/ipv4/ip_forward
mkdir -p /run/names

#!/bin/bash
# Makes the databases, empty of anything that differs between two devclouds: nova's cells hold patterns that
# each process fills from its own configuration, so no password is stored.
set -euo pipefail
etc=/etc/devcloud
for name in keystone glance placement nova nova_api nova_cell0 neutron cinder; do
  echo "CREATE DATABASE $name CHARACTER SET utf8mb3;"
done | mariadb --defaults-file=$etc/mariadb.cnf

nova() {
  local manage="nova-manage --config-file $etc/nova.conf"
  local pattern='{scheme}://{username}:{password}@{hostname}:{port}'
  $manage api_db sync
  $manage cell_v2 map_cell0 --database_connection "$pattern/nova_cell0?{query}"
  $manage cell_v2 create_cell --name cell1 --database_connection "$pattern/{path}?{query}" --transport-url "$pattern/"
  $manage db sync
}
neutron() { neutron-db-manage --config-file $etc/neutron.conf --config-file $etc/ml2.ini upgrade heads; }
others() {
  keystone-manage --config-file $etc/keystone.conf db_sync
  glance-manage --config-file $etc/glance-api.conf db_sync
  cinder-manage --config-file $etc/cinder.conf db sync
  placement-manage --config-file $etc/placement.conf db sync
}

running=()
for schema in nova neutron others; do (set -e; "$schema") & running+=($!); done
for pid in "${running[@]}"; do wait "$pid"; done
echo "DROP USER openstack@'127.0.0.1'" | mariadb --defaults-file=$etc/mariadb.cnf

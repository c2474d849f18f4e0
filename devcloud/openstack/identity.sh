#!/bin/bash
# Keystone's keys, its administrator, and the catalog's first entry.
set -euo pipefail
manage() { keystone-manage --config-file /etc/devcloud/keystone.conf "$@"; }
manage fernet_setup --keystone-user root --keystone-group root
manage credential_setup --keystone-user root --keystone-group root
OS_BOOTSTRAP_PASSWORD=$(python3 -c 'import json; print(json.load(open("/etc/devcloud/secrets.json"))["admin"])')
export OS_BOOTSTRAP_PASSWORD
url=http://198.19.0.2:5000/v3/
manage bootstrap --bootstrap-region-id RegionOne \
  --bootstrap-public-url $url --bootstrap-internal-url $url --bootstrap-admin-url $url

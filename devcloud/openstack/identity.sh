#!/bin/bash
# Keystone's administrator and the catalog's first entry. Argument: Keystone's URL.
set -euo pipefail
OS_BOOTSTRAP_PASSWORD=$(sed 's/.*"admin":"\([^"]*\)".*/\1/' /etc/devcloud/secrets.json)
export OS_BOOTSTRAP_PASSWORD
exec keystone-manage --config-file /etc/devcloud/keystone.conf bootstrap --bootstrap-region-id RegionOne \
  --bootstrap-public-url "$1" --bootstrap-internal-url "$1" --bootstrap-admin-url "$1"

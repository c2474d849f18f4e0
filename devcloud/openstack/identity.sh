#!/bin/bash
# Keystone's administrator and the catalog's first entry.
set -euo pipefail
OS_BOOTSTRAP_PASSWORD=$(sed 's/.*"admin":"\([^"]*\)".*/\1/' /etc/devcloud/secrets.json)
export OS_BOOTSTRAP_PASSWORD
url=http://198.19.0.2:5000/v3/
exec keystone-manage --config-file /etc/devcloud/keystone.conf bootstrap --bootstrap-region-id RegionOne \
  --bootstrap-public-url $url --bootstrap-internal-url $url --bootstrap-admin-url $url

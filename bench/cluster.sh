#!/bin/bash
# The shortest way by hand to a secured Galera cluster on servers that are ACTIVE: side by side what can be, and no look at what is there.
# usage: cluster.sh KEY FOLDER ADDRESS…    FOLDER has each member's options, as ADDRESS.cnf
set -euo pipefail
key=$1; cd "$2"; shift 2
on() { ssh -i "$key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=2 "debian@$1" sudo -n bash -euo pipefail -s; }

openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 3650 -subj /CN=authority 2>/dev/null

prepare() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -set_serial "0x$(openssl rand -hex 8)" -days 3650 -extfile <(echo "subjectAltName=IP:$1") -out "$1.pem" 2>/dev/null
  for try in $(seq 240); do on "$1" <<<: 2>/dev/null && break; sleep 0.25; done
  { cat <<'END'
ln -s /dev/null /etc/systemd/system/mariadb.service
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 install mariadb-server galera-4 mariadb-backup socat xfsprogs
rm /etc/systemd/system/mariadb.service
systemctl daemon-reload
mkfs.xfs -q /dev/vdb
mkdir -p /var/lib/datastore /etc/mysql/datastore
echo "UUID=$(blkid -s UUID -o value /dev/vdb) /var/lib/datastore xfs defaults 0 0" >>/etc/fstab
mount /var/lib/datastore
install -d -o mysql -g mysql -m 700 /var/lib/datastore/mysql
END
    for file in ca.pem:ca.pem:644 "$1.pem":server.pem:644 "$1.key":server.key:600; do
      IFS=: read -r from to mode <<<"$file"
      printf 'install -m %s -o mysql /dev/stdin /etc/mysql/datastore/%s <<"END"\n%s\nEND\n' "$mode" "$to" "$(cat "$from")"
    done
    printf 'cat >/etc/mysql/mariadb.conf.d/99-datastore.cnf <<"END"\n%s\nEND\n' "$(cat "$1.cnf")"
  } | on "$1" >"$1.log" 2>&1
}
for address; do prepare "$address" & pids+=($!); done
for pid in "${pids[@]}"; do wait "$pid"; done

on "$1" <<'END'
mariadb-install-db --no-defaults --user=mysql --datadir=/var/lib/datastore/mysql --skip-test-db --auth-root-authentication-method=socket --auth-root-socket-user=root >/dev/null
systemctl enable --quiet mariadb
galera_new_cluster
mariadb <<SQL
CREATE USER root@'%' IDENTIFIED BY '$(head -c 18 /dev/urandom | base64)' REQUIRE SSL;
GRANT ALL PRIVILEGES ON *.* TO root@'%' WITH GRANT OPTION;
CREATE USER IF NOT EXISTS mysql@localhost IDENTIFIED VIA unix_socket;
GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, REPLICA MONITOR ON *.* TO mysql@localhost;
SQL
END
for address in "${@:2}"; do on "$address" <<<"systemctl enable --quiet --now mariadb"; done
for address; do
  on "$address" <<<"for try in \$(seq 300); do mariadb -NBe \"SHOW STATUS LIKE 'wsrep_local_state_comment'\" | grep -q Synced && exit; sleep 0.1; done; exit 1"
done

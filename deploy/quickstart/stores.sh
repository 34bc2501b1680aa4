# shellcheck shell=sh disable=SC2154,SC2034
# SPDX-License-Identifier: Apache-2.0
# A private MariaDB and a private Redis: unix sockets only, small buffers, no
# look at what the machine has configured for its own.

db_name=claviger

# once FILE COMMAND...: the command's output, kept from the first time on.
once() {
	if [ ! -s "$1" ]; then
		target=$1
		shift
		(umask 077 && "$@" >"$target.new")
		mv "$target.new" "$target"
	fi
}

# In a folder that gets its name when all is there: half a data folder would
# look like a whole one to the next up. With a TMPDIR of its own: a server that
# starts removes all temporary tables there, also those of another one's start.
make_database_files() {
	[ ! -d "$place/mysql/data" ] || return 0
	say 'Making the database'
	rm -rf "$place/mysql/new"
	as_user "$service_user" env TMPDIR="$place/mysql" \
		mariadb-install-db --no-defaults \
		--datadir="$place/mysql/new" --skip-test-db --force \
		--auth-root-authentication-method=socket \
		--auth-root-socket-user="$(id -un)" >"$place/log/mariadb.out" 2>&1 ||
		die_with_log "$place/log/mariadb.out" 'mariadb-install-db failed'
	mv "$place/mysql/new" "$place/mysql/data"
}

# As the account that runs this script, which the server knows by its uid.
sql() {
	mariadb --no-defaults --socket="$db_socket" --user="$(id -un)" "$@"
}

make_database() {
	once "$place/etc/database.password" openssl rand -hex 24
	sql --batch <<EOF || die 'the database could not be prepared'
CREATE DATABASE IF NOT EXISTS $db_name
	CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE USER IF NOT EXISTS claviger@localhost;
ALTER USER claviger@localhost
	IDENTIFIED BY '$(cat "$place/etc/database.password")';
GRANT ALL PRIVILEGES ON $db_name.* TO claviger@localhost;
EOF
}

start_mariadb() {
	db_socket=$place/mysql/mysqld.sock
	make_database_files
	start mariadb "$service_user" '' mariadbd --no-defaults \
		--datadir="$place/mysql/data" --socket="$db_socket" \
		--pid-file="$place/mysql/mariadbd.pid" --tmpdir="$place/mysql" \
		--skip-networking --skip-name-resolve --skip-log-bin \
		--character-set-server=utf8mb4 --performance-schema=OFF \
		--innodb-buffer-pool-size=64M --innodb-log-file-size=32M \
		--innodb-flush-log-at-trx-commit=1 --key-buffer-size=1M \
		--aria-pagecache-buffer-size=8M --max-connections=200
	wait_for mariadb sql -e 'SELECT 1'
	make_database
}

# No file on disk: Redis holds nothing that MariaDB could not rebuild.
start_redis() {
	redis_socket=$place/redis/redis.sock
	start redis "$service_user" '' redis-server --port 0 \
		--unixsocket "$redis_socket" --unixsocketperm 770 \
		--dir "$place/redis" --daemonize no --save '' --appendonly no \
		--maxmemory 64mb --maxmemory-policy noeviction --databases 1
	wait_for redis redis-cli -s "$redis_socket" ping
}

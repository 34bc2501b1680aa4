/* SPDX-License-Identifier: Apache-2.0 */
/* Options, hosts and session of a MariaDB connection; see db_connect.h. */
#include "store/db_connect.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "base/text.h"

#include <fcntl.h>
#include <mysqld_error.h>
#include <poll.h>
#include <string.h>

#define RETRY_AFTER_US INT64_C(200000)
#define ENDPOINT_BYTES 256
#define SESSION_BYTES  512
#define PORT_LIMIT     65535

/* A socket path, or a host and its port. */
struct endpoint {
	char name[ENDPOINT_BYTES];
	bool is_socket;
	unsigned port;
};

/* What speaks no password in the clear, should the server be a false one. */
static const char auth_plugins[] =
    "mysql_native_password,client_ed25519,caching_sha2_password";

/* NAMES too: parameters do not take their collation from anything else. */
static const char session_start[] =
    "SET NAMES utf8mb4 COLLATE utf8mb4_bin,"
    " SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',"
    " time_zone = '+00:00', tx_isolation = 'READ-COMMITTED'";

/* The library counts in whole seconds. */
static unsigned timeout_s(const struct config *config)
{
	return (unsigned)((config->database.timeout + 999) / 1000);
}

/*
 * "host" or "host:port". More than one colon is an IPv6 address, which has no
 * port of its own.
 */
static void read_host(struct span entry, const struct config *config,
                      struct endpoint *out)
{
	struct span port = entry;
	struct span host;
	uint64_t number = (uint64_t)config->database.port;

	(void)span_cut(&port, ':', &host);
	if (port.at && !span_has_byte(port, ':') &&
	    span_number(port, PORT_LIMIT, &number) == FAULT_NONE)
		entry = host;
	*out = (struct endpoint){.port = (unsigned)number};
	if (entry.length < sizeof(out->name))
		memcpy(out->name, entry.at, entry.length);
}

/*
 * The endpoint at this place of the settings; false past the last one. Without
 * a host there is one, the socket.
 */
static bool endpoint_at(const struct config *config, size_t place,
                        struct endpoint *out)
{
	struct span rest = span_of(config->database.host);
	struct span entry;

	if (!rest.length) {
		*out = (struct endpoint){.is_socket = true};
		(void)strncpy(out->name, config->database.socket,
		              sizeof(out->name) - 1);
		return place == 0;
	}
	while (span_cut(&rest, ',', &entry)) {
		if (place-- == 0) {
			read_host(span_trim(entry), config, out);
			return true;
		}
	}
	return false;
}

static void set_timeouts(MYSQL *server, const struct config *config,
                         enum db_connection kind)
{
	unsigned seconds = timeout_s(config);

	mysql_options(server, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
	mysql_options(server, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
	if (kind == DB_CONNECTION_NORMAL)
		mysql_options(server, MYSQL_OPT_READ_TIMEOUT, &seconds);
}

/* "localhost" must not become a socket, nor a socket a host. */
static void set_options(MYSQL *server, const struct config *config,
                        const struct endpoint *endpoint)
{
	static const my_bool yes = 1;
	static const my_bool no = 0;
	static const unsigned none = 0;
	const unsigned protocol =
	    endpoint->is_socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;

	mysql_options(server, MYSQL_OPT_PROTOCOL, &protocol);
	mysql_options(server, MYSQL_OPT_RECONNECT, &no);
	mysql_options(server, MYSQL_OPT_LOCAL_INFILE, &none);
	mysql_options(server, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(server, MARIADB_OPT_RESTRICTED_AUTH, auth_plugins);
	if (endpoint->is_socket || !*config->database.tls_ca)
		return;
	mysql_options(server, MYSQL_OPT_SSL_ENFORCE, &yes);
	mysql_options(server, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
	mysql_options(server, MYSQL_OPT_SSL_CA, config->database.tls_ca);
}

/*
 * One SET for everything. The server gives up on a lock and on a statement
 * before we give up on the server, so that nothing we have called failed runs
 * on behind our back.
 */
static void session_sql(const struct db_connector *connector,
                        enum db_connection kind, struct text *sql)
{
	int64_t timeout_ms = connector->config->database.timeout;
	int64_t statement_ms = timeout_ms - timeout_ms / 5;
	int64_t lock_s = timeout_ms / 2000;

	text_append_cstr(sql, session_start);
	if (!connector->lacks_wsrep)
		text_append_cstr(sql, ", wsrep_sync_wait = 1");
	if (kind == DB_CONNECTION_NORMAL)
		text_appendf(sql,
		             ", innodb_lock_wait_timeout = %d"
		             ", max_statement_time = %d.%03d",
		             lock_s > 1 ? (int)lock_s : 1,
		             (int)(statement_ms / 1000),
		             (int)(statement_ms % 1000));
}

static int send_session(const struct db_connector *connector, MYSQL *server,
                        enum db_connection kind)
{
	char memory[SESSION_BYTES];
	struct text sql = text_over(memory, sizeof(memory));

	session_sql(connector, kind, &sql);
	metrics_add(METRIC_DB_STATEMENTS, 1);
	return mysql_real_query(server, sql.at, sql.length);
}

/* A server without Galera does not know its variable: ask once. */
static int set_session(struct db_connector *connector, MYSQL *server,
                       enum db_connection kind)
{
	int failed = send_session(connector, server, kind);

	if (!failed || connector->lacks_wsrep ||
	    mysql_errno(server) != ER_UNKNOWN_SYSTEM_VARIABLE)
		return failed;
	connector->lacks_wsrep = true;
	return send_session(connector, server, kind);
}

static int connect_to(struct db_connector *connector, MYSQL *server,
                      const struct endpoint *endpoint, enum db_connection kind)
{
	const struct config *config = connector->config;
	unsigned long flags = CLIENT_FOUND_ROWS;

	if (kind == DB_CONNECTION_SCRIPT)
		flags |= CLIENT_MULTI_STATEMENTS;
	set_timeouts(server, config, kind);
	set_options(server, config, endpoint);
	if (!mysql_real_connect(
		server, endpoint->is_socket ? NULL : endpoint->name,
		config->database.user, config->database.password,
		config->database.name, endpoint->port,
		endpoint->is_socket ? endpoint->name : NULL, flags))
		return 1;
	(void)fcntl(mysql_get_socket(server), F_SETFD, FD_CLOEXEC);
	return set_session(connector, server, kind);
}

static MYSQL *open_endpoint(struct db_connector *connector,
                            const struct endpoint *endpoint,
                            enum db_connection kind)
{
	MYSQL *server = mysql_init(NULL);

	if (!server)
		return NULL;
	if (!connect_to(connector, server, endpoint, kind))
		return server;
	(void)db_error_note(mysql_errno(server), mysql_sqlstate(server),
	                    endpoint->name);
	mysql_close(server);
	return NULL;
}

/*
 * Go round the list once, from the given host on. A host that hangs takes
 * the whole timeout; the next call begins behind it.
 */
static MYSQL *open_any(struct db_connector *connector, enum db_connection kind)
{
	int64_t until_us = clock_monotonic_us() +
	                   connector->config->database.timeout * 1000 / 2;
	size_t first = connector->host;
	struct endpoint endpoint;
	MYSQL *server;

	do {
		if (!endpoint_at(connector->config, connector->host,
		                 &endpoint)) {
			connector->host = 0;
			continue;
		}
		server = open_endpoint(connector, &endpoint, kind);
		if (server)
			return server;
		connector->host++;
	} while (connector->host != first && clock_monotonic_us() < until_us);
	return NULL;
}

enum db_error db_connect_open(struct db_connector *connector,
                              enum db_connection kind, MYSQL **out)
{
	MYSQL *server;

	if (clock_monotonic_us() < connector->retry_at_us)
		return DB_ERROR_UNAVAILABLE;
	server = open_any(connector, kind);
	if (!server) {
		connector->retry_at_us = clock_monotonic_us() + RETRY_AFTER_US;
		return DB_ERROR_UNAVAILABLE;
	}
	*out = server;
	return DB_ERROR_NONE;
}

bool db_connect_is_alive(MYSQL *server)
{
	struct pollfd wire = {
	    .fd = mysql_get_socket(server),
	    .events = POLLRDHUP,
	};

	return poll(&wire, 1, 0) == 0;
}

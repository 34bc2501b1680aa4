/* SPDX-License-Identifier: Apache-2.0 */
/* Who may speak to the socket. */
#include "server/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void lists_the_named_the_server_and_root(void **state)
{
	const struct config_words names = {.count = 2,
	                                   .at = {"daemon", "4242"}};
	struct peers peers;
	char why[WHY_BYTES];

	(void)state;
	assert_int_equal(peer_list(&names, 77, &peers, why), FAULT_NONE);
	assert_int_equal(peers.count, 4);
	assert_int_equal(peers.uids[1], 4242);
	assert_int_equal(peers.uids[2], 77);
	assert_int_equal(peers.uids[3], 0);
}

static void lists_oneself_and_root_when_nobody_is_named(void **state)
{
	const struct config_words names = {0};
	struct peers peers = {.count = 5};
	char why[WHY_BYTES];

	(void)state;
	assert_int_equal(peer_list(&names, 77, &peers, why), FAULT_NONE);
	assert_int_equal(peers.count, 2);
	assert_int_equal(peers.uids[0], 77);
	assert_int_equal(peers.uids[1], 0);
}

static void refuses_a_name_that_is_no_user(void **state)
{
	static const char *const bad[] = {"no-such-user", "-1", "4294967295",
	                                  "", "1x"};
	struct config_words names = {.count = 1};
	struct peers peers = {.count = 5};
	char why[WHY_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		names.at[0] = bad[i];
		assert_int_equal(peer_list(&names, 77, &peers, why),
		                 FAULT_VALIDATION);
		assert_non_null(strstr(why, "server.peers"));
		assert_int_equal(peers.count, 5);
	}
}

static void looks_at_the_user_behind_a_unix_socket(void **state)
{
	struct peers peers = {.count = 1, .uids = {getuid() + 1}};
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_false(peer_is_welcome(&peers, ends[0]));
	peers.uids[0] = getuid();
	assert_true(peer_is_welcome(&peers, ends[0]));
	peers.count = 0;
	assert_false(peer_is_welcome(&peers, ends[0]));
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void takes_tcp_from_this_host(void **state)
{
	const struct peers peers = {.count = 1, .uids = {getuid() + 1}};
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	int connection;

	(void)state;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, length),
	                 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&address, &length), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&address, length),
	                 0);
	connection = accept(listener, NULL, NULL);
	assert_true(peer_is_welcome(&peers, connection));
	(void)close(connection);
	(void)close(client);
	(void)close(listener);
}

static void refuses_what_is_not_connected(void **state)
{
	const struct peers peers = {0};
	int loose = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_false(peer_is_welcome(&peers, loose));
	(void)close(loose);
	assert_false(peer_is_welcome(&peers, -1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_the_named_the_server_and_root),
	    cmocka_unit_test(lists_oneself_and_root_when_nobody_is_named),
	    cmocka_unit_test(refuses_a_name_that_is_no_user),
	    cmocka_unit_test(looks_at_the_user_behind_a_unix_socket),
	    cmocka_unit_test(takes_tcp_from_this_host),
	    cmocka_unit_test(refuses_what_is_not_connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

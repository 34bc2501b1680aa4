/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at the other end of a connection; see peer.h. */
#include "server/peer.h"

#include <netinet/in.h>
#include <pwd.h>
#include <stdint.h>
#include <sys/socket.h>

/* A user by name, or by number as containers without names have it. */
static enum fault find_user(const char *name, uid_t *out)
{
	const struct passwd *user = getpwnam(name);
	uint64_t number;
	enum fault fault;

	if (user) {
		*out = user->pw_uid;
		return FAULT_NONE;
	}
	fault = span_number(span_of(name), UINT32_MAX - 1, &number);
	if (!fault)
		*out = (uid_t)number;
	return fault;
}

enum fault peer_list(const struct config_words *names, uid_t self,
                     struct peers *out, char why[WHY_BYTES])
{
	struct peers peers = {0};
	uid_t uid;

	for (size_t i = 0; i < names->count; i++) {
		if (find_user(names->at[i], &uid))
			return why_not(FAULT_VALIDATION, why,
			               "server.peers: there is no user '%s'",
			               names->at[i]);
		peers.uids[peers.count++] = uid;
	}
	peers.uids[peers.count++] = self;
	peers.uids[peers.count++] = 0;
	*out = peers;
	return FAULT_NONE;
}

static bool is_listed_user(const struct peers *peers, int connection)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) !=
	    0)
		return false;
	for (size_t i = 0; i < peers->count; i++)
		if (peers->uids[i] == peer.uid)
			return true;
	return false;
}

static bool is_loopback_v6(const struct in6_addr *address)
{
	return IN6_IS_ADDR_LOOPBACK(address) ||
	       (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

static bool is_loopback_v4(const struct in_addr *address)
{
	return ntohl(address->s_addr) >> 24 == 127;
}

bool peer_is_welcome(const struct peers *peers, int connection)
{
	union {
		struct sockaddr_storage any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	socklen_t length = sizeof(address);

	if (getpeername(connection, (struct sockaddr *)&address.any, &length) !=
	    0)
		return false;
	switch (address.any.ss_family) {
	case AF_UNIX:
		return is_listed_user(peers, connection);
	case AF_INET:
		return is_loopback_v4(&address.v4.sin_addr);
	case AF_INET6:
		return is_loopback_v6(&address.v6.sin6_addr);
	default:
		return false;
	}
}

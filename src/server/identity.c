/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming another user; see identity.h. */
#include "server/identity.h"

#include "server/confine.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum fault identity_find(const struct config *config, struct identity *out,
                         char why[WHY_BYTES])
{
	const char *name = config->server.user;
	const struct passwd *user;

	*out = (struct identity){.uid = geteuid(), .gid = getegid()};
	if (out->uid != 0)
		return FAULT_NONE;
	if (!name[0])
		return why_not(FAULT_VALIDATION, why,
		               "server.user: started as root; set the user to "
		               "become, or start as that user");
	user = getpwnam(name);
	if (!user || strlen(name) >= sizeof(out->name))
		return why_not(FAULT_VALIDATION, why,
		               "server.user: there is no user '%s'", name);
	if (user->pw_uid == 0)
		return why_not(FAULT_VALIDATION, why,
		               "server.user: '%s' is root", name);
	memcpy(out->name, name, strlen(name) + 1);
	out->uid = user->pw_uid;
	out->gid = user->pw_gid;
	return FAULT_NONE;
}

/* A folder that is there already is the administrator's business. */
static int make_runtime_folder(const struct identity *identity,
                               const char *path)
{
	if (mkdir(path, 0750) != 0)
		return errno == EEXIST || errno == ENOENT ? 0 : -1;
	return chown(path, identity->uid, identity->gid);
}

/* The order matters: without root's rights none of the earlier steps works. */
static int become(const struct identity *identity)
{
	if (initgroups(identity->name, identity->gid) != 0)
		return -1;
	confine_bounding_set();
	if (setresgid(identity->gid, identity->gid, identity->gid) != 0)
		return -1;
	return setresuid(identity->uid, identity->uid, identity->uid);
}

enum fault identity_assume(const struct identity *identity,
                           const struct config *config, char why[WHY_BYTES])
{
	if (geteuid() != 0)
		return FAULT_NONE;
	if (make_runtime_folder(identity, config->server.runtime_dir) != 0 ||
	    become(identity) != 0)
		return why_not(FAULT_UNAVAILABLE, why,
		               "cannot become user '%s': %s", identity->name,
		               strerror(errno));
	if (setuid(0) == 0)
		return why_not(FAULT_UNAVAILABLE, why,
		               "user '%s' could be left again", identity->name);
	return FAULT_NONE;
}

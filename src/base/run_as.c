/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming another user; see run_as.h. */
#include "base/run_as.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum fault run_as_find(const struct config *config, struct run_as *out,
                       char why[WHY_BYTES])
{
	const char *name = config->server.user;
	const struct passwd *user;

	*out = (struct run_as){.uid = geteuid(), .gid = getegid()};
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
static int make_runtime_folder(const struct run_as *user, const char *path)
{
	if (mkdir(path, 0750) != 0)
		return errno == EEXIST || errno == ENOENT ? 0 : -1;
	return chown(path, user->uid, user->gid);
}

/* The order matters: without root's rights none of the earlier steps works. */
static int become(const struct run_as *user)
{
	if (initgroups(user->name, user->gid) != 0)
		return -1;
	if (setresgid(user->gid, user->gid, user->gid) != 0)
		return -1;
	return setresuid(user->uid, user->uid, user->uid);
}

enum fault run_as_assume(const struct run_as *user, const struct config *config,
                         char why[WHY_BYTES])
{
	if (geteuid() != 0)
		return FAULT_NONE;
	if (make_runtime_folder(user, config->server.runtime_dir) != 0 ||
	    become(user) != 0)
		return why_not(FAULT_UNAVAILABLE, why,
		               "cannot become user '%s': %s", user->name,
		               strerror(errno));
	if (setuid(0) == 0)
		return why_not(FAULT_UNAVAILABLE, why,
		               "user '%s' could be left again", user->name);
	return FAULT_NONE;
}

/* SPDX-License-Identifier: ISC
 *
 * Users and groups by shadow's tools, or by systemd-sysusers where those are missing.  Tools run
 * without a shell and with an environment of ours.
 */
#include "account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

enum { LINE_SIZE = 1400, NOT_THERE = 127 };

static const char *const folders[] = { "/usr/sbin", "/sbin", "/usr/bin", "/bin" };

bool
account_user(const char *name, uid_t *uid, gid_t *gid)
{
	const struct passwd *user = getpwnam(name);

	if (user == NULL)
		return false;
	*uid = user->pw_uid;
	*gid = user->pw_gid;
	return true;
}

bool
account_group(const char *name, gid_t *gid)
{
	const struct group *group = getgrnam(name);

	if (group == NULL)
		return false;
	*gid = group->gr_gid;
	return true;
}

bool
account_is_member(const char *user, const char *group)
{
	uid_t uid;
	gid_t gid;
	bool is_own = account_user(user, &uid, &gid);
	const struct group *entry = getgrnam(group);

	if (entry == NULL)
		return false;
	if (is_own && entry->gr_gid == gid)
		return true;
	for (char **member = entry->gr_mem; *member != NULL; member++) {
		if (strcmp(*member, user) == 0)
			return true;
	}
	return false;
}

/* The tool's exit status; NOT_THERE when no folder of the system's has it. */
static int
tool_run(const char *const *argv)
{
	char path[64];
	char environment_path[] = "PATH=/usr/sbin:/sbin:/usr/bin:/bin", locale[] = "LC_ALL=C";
	char *const environment[] = { environment_path, locale, NULL };
	char *arguments[16];
	int status, error = ENOENT;
	size_t n = 0;
	pid_t pid;

	/* posix_spawn() wants them writable, and writes to none */
	for (; argv[n] != NULL && n < 15; n++)
		arguments[n] = strdup(argv[n]);
	arguments[n] = NULL;
	fflush(stdout);
	for (size_t i = 0; error != 0 && i < sizeof folders / sizeof folders[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folders[i], argv[0]);
		if (access(path, X_OK) == 0)
			error = posix_spawn(&pid, path, NULL, NULL, arguments, environment);
	}
	while (n > 0)
		free(arguments[--n]);
	if (error != 0)
		return NOT_THERE;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* tool, or systemd-sysusers with the same as its line; 0, or -1 after saying why. */
static int
make(const char *const *tool, const char *line, const char *what)
{
	const char *const sysusers[] = { "systemd-sysusers", "--inline", line, NULL };
	int r = tool_run(tool);

	if (r == NOT_THERE)
		r = tool_run(sysusers);
	if (r == 0)
		return 0;
	if (r == NOT_THERE)
		cli_say("neither %s nor systemd-sysusers is here: make %s yourself", tool[0], what);
	else
		cli_say("%s could not be made: %s failed", what, tool[0]);
	return -1;
}

int
account_make_group(const char *name)
{
	const char *const tool[] = { "groupadd", "--system", name, NULL };
	char line[LINE_SIZE], what[80];

	snprintf(line, sizeof line, "g %s -", name);
	snprintf(what, sizeof what, "group %s", name);
	return make(tool, line, what);
}

int
account_make_user(const char *name, const char *group, const char *home)
{
	const char *const tool[] = { "useradd", "--system", "--gid", group, "--home-dir", home,
		"--no-create-home", "--shell", "/usr/sbin/nologin", name, NULL };
	char line[LINE_SIZE], what[80];

	snprintf(line, sizeof line, "u %s -:%s \"MTA-STS policies\" %s", name, group, home);
	snprintf(what, sizeof what, "user %s", name);
	return make(tool, line, what);
}

int
account_make_lone_user(const char *name)
{
	const char *const tool[] = { "useradd", "--system", "--user-group", "--home-dir",
		"/nonexistent", "--no-create-home", "--shell", "/usr/sbin/nologin", name, NULL };
	char line[LINE_SIZE], what[80];

	snprintf(line, sizeof line, "u %s - \"MTA-STS helpers\"", name);
	snprintf(what, sizeof what, "user %s", name);
	return make(tool, line, what);
}

int
account_join(const char *user, const char *group)
{
	const char *const tool[] = { "usermod", "--append", "--groups", group, user, NULL };
	char line[LINE_SIZE], what[160];

	snprintf(line, sizeof line, "m %s %s", user, group);
	snprintf(what, sizeof what, "%s a member of the group %s", user, group);
	return make(tool, line, what);
}

/* SPDX-License-Identifier: ISC
 *
 * mtasts init: everything on this host that a mail server's adapter expects to find, and never
 * makes itself: accounts, state directory, journal, store.  Says a line about each; what is there
 * and right stays as it is, what would be dangerous is refused.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account.h"
#include "base/owner.h"
#include "cache/store.h"
#include "report/journal.h"

enum { DIRECTORY_MODE = 02770, MAIL_USERS_MAX = 16 };

struct init {
	const struct cli *cli;
	const struct mtasts_config *config;
	bool no_users;
	const char *mail_users[MAIL_USERS_MAX]; /* --mail-user */
	size_t n_mail_users;
	bool has_joined; /* somebody is new in the group */
	struct owner owner;
};

enum { OPTION_MAIL_USER, OPTION_NO_USERS };

static const struct cli_option options[] = {
	[OPTION_MAIL_USER] = { "mail-user", "NAME",
	    "the mail server's user, put into the group; may be repeated" },
	[OPTION_NO_USERS] = { "no-users", NULL, "make no accounts and change none" },
	{ NULL, NULL, NULL },
};

/* Who mail servers run as, where nobody was named; `mail` is many things, so only as the last. */
static const char *const known_mail_users[] = { "Debian-exim", "exim", "mailnull", "smmsp", "smmta",
	"opensmtpd", "_smtpd", "smtpd" };
static const char last_mail_user[] = "mail";

static void
done(const char *what, const char *name, const char *how)
{
	printf("%s %s: %s\n", what, name, how);
	fflush(stdout); /* in order with what the tools say */
}

/* ---- accounts ---- */

static int
missing(const char *what, const char *name)
{
	cli_say("no %s %s: make it, or let 'mtasts init' do so as root", what, name);
	return EX_CONFIG;
}

static bool
may_make(const struct init *init)
{
	return geteuid() == 0 && !init->no_users;
}

static int
init_group(struct init *init)
{
	const char *name = init->config->group;
	gid_t gid;

	if (account_group(name, &gid)) {
		done("group", name, "is there");
		return EX_OK;
	}
	if (!may_make(init))
		return missing("group", name);
	if (account_make_group(name) != 0)
		return EX_CANTCREAT;
	done("group", name, "made");
	return EX_OK;
}

/* home NULL: a user with a group of its own. */
static int
init_user(struct init *init, const char *name, const char *home)
{
	uid_t uid;
	gid_t gid;

	if (account_user(name, &uid, &gid)) {
		done("user", name, "is there");
		return EX_OK;
	}
	if (!may_make(init))
		return missing("user", name);
	int r = home == NULL ? account_make_lone_user(name)
			     : account_make_user(name, init->config->group, home);
	if (r != 0)
		return EX_CANTCREAT;
	done("user", name, "made");
	return EX_OK;
}

/* A helper in the group could open what it must not: rule of the helpers' own user. */
static int
check_helper_user(const struct init *init)
{
	const char *helper = init->config->helper_user, *group = init->config->group;

	if (strcmp(helper, init->config->user) == 0 || account_is_member(helper, group)) {
		cli_say("user %s is to touch no state, but is in the group %s", helper, group);
		return EX_CONFIG;
	}
	return EX_OK;
}

static int
join(struct init *init, const char *user)
{
	const char *group = init->config->group;
	uid_t uid;
	gid_t gid;

	if (!account_user(user, &uid, &gid)) {
		cli_say("no user %s", user);
		return EX_CONFIG;
	}
	if (uid == 0 || account_is_member(user, group)) {
		done("user", user, "may use the store");
		return EX_OK;
	}
	if (!may_make(init)) {
		cli_say("user %s is not in the group %s: put it there", user, group);
		return EX_CONFIG;
	}
	if (account_join(user, group) != 0)
		return EX_CANTCREAT;
	printf("user %s: added to the group %s\n", user, group);
	init->has_joined = true;
	return EX_OK;
}

static void
find_mail_users(struct init *init)
{
	uid_t uid;
	gid_t gid;

	for (size_t i = 0; i < sizeof known_mail_users / sizeof known_mail_users[0]; i++) {
		if (account_user(known_mail_users[i], &uid, &gid))
			init->mail_users[init->n_mail_users++] = known_mail_users[i];
	}
	if (init->n_mail_users == 0 && account_user(last_mail_user, &uid, &gid))
		init->mail_users[init->n_mail_users++] = last_mail_user;
}

/* Users that were named must do; those that were found are a guess, and a packager's affair. */
static int
init_mail_users(struct init *init)
{
	bool is_guess = init->n_mail_users == 0;

	if (is_guess && !may_make(init))
		return EX_OK;
	if (is_guess)
		find_mail_users(init);
	for (size_t i = 0; i < init->n_mail_users; i++) {
		int status = join(init, init->mail_users[i]);
		if (status != EX_OK)
			return status;
	}
	if (init->n_mail_users == 0)
		printf("no mail server's user found: name it with --mail-user\n");
	return EX_OK;
}

static int
init_accounts(struct init *init)
{
	const struct mtasts_config *config = init->config;
	uid_t uid;
	gid_t gid;

	int status = init_group(init);
	if (status == EX_OK)
		status = init_user(init, config->user, config->state_directory);
	if (status == EX_OK)
		status = init_user(init, config->helper_user, NULL);
	if (status == EX_OK)
		status = check_helper_user(init);
	if (status == EX_OK)
		status = init_mail_users(init);
	if (status != EX_OK)
		return status;
	if (!account_user(config->user, &uid, &gid) || !account_group(config->group, &gid)) {
		cli_say("users and groups cannot be read");
		return EX_TEMPFAIL;
	}
	init->owner = (struct owner){ uid, gid };
	if (geteuid() != 0 && geteuid() != uid) {
		cli_say("not permitted: 'mtasts init' is for root");
		return EX_NOPERM;
	}
	return EX_OK;
}

/* ---- directories ---- */

static int
refuse(const char *path, const char *why)
{
	cli_say("%s: %s", path, why);
	return EX_CANTCREAT;
}

/* In a place where anybody may rename things nothing can be kept safe. */
static int
check_parent(const char *directory)
{
	char path[CONF_PATH_MAX];
	struct stat st;

	snprintf(path, sizeof path, "%s", directory);
	const char *parent = dirname(path);
	if (stat(parent, &st) != 0)
		return refuse(parent, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return refuse(parent, "not a directory");
	if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0)
		return refuse(parent, "writable by everybody");
	return EX_OK;
}

/* fd is the directory; was it made just now?  Owner and modes are mended where that is safe. */
static int
directory_settle(const struct init *init, int fd, const char *path, bool is_new)
{
	const struct owner *owner = &init->owner;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return refuse(path, strerror(errno));
	bool is_made = is_new && st.st_uid == geteuid(); /* by us, not put in its place since */
	if (!is_made && st.st_uid != owner->uid)
		return refuse(path, "is there and another user's");
	if ((st.st_mode & S_IWOTH) != 0)
		return refuse(path, "is there and writable by everybody");
	bool is_right = st.st_uid == owner->uid && st.st_gid == owner->gid &&
			(st.st_mode & 07777) == DIRECTORY_MODE;
	if (!is_right && ((st.st_uid != owner->uid || st.st_gid != owner->gid) &&
			     fchown(fd, owner->uid, owner->gid) != 0))
		return refuse(path, strerror(errno));
	if (!is_right && fchmod(fd, DIRECTORY_MODE) != 0)
		return refuse(path, strerror(errno));
	printf("directory %s: %s (2770 %s:%s)\n", path,
	    is_new     ? "made"
	    : is_right ? "is there"
		       : "mended",
	    init->config->user, init->config->group);
	return EX_OK;
}

/* at/name, which is called path in messages; no link is followed. */
static int
directory_make(const struct init *init, int at, const char *name, const char *path)
{
	bool is_new = mkdirat(at, name, 0700) == 0;

	if (!is_new && errno != EEXIST)
		return refuse(path, strerror(errno));
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return refuse(path, "is there and not a directory of ours");
	if (fd < 0)
		return refuse(path, strerror(errno));
	int status = directory_settle(init, fd, path, is_new);
	close(fd);
	return status;
}

/* Within the state directory everything is done as its owner. */
static int
init_journal(const struct init *init)
{
	const char *directory = init->config->state_directory;
	char path[CONF_PATH_MAX + sizeof "/" JOURNAL_DIRECTORY];
	struct owner_saved saved;

	snprintf(path, sizeof path, "%s/%s", directory, JOURNAL_DIRECTORY);
	if (owner_enter(&init->owner, &saved) != 0)
		return refuse(path, "cannot become its owner");
	int status = EX_CANTCREAT;
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		cli_say("%s: its owner, %s, cannot open it: %s", directory, init->config->user,
		    strerror(errno));
	} else {
		status = directory_make(init, fd, JOURNAL_DIRECTORY, path);
		close(fd);
	}
	owner_leave(&saved);
	return status;
}

/* ---- store ---- */

static bool
is_there(const char *directory, const char *name, char *path, size_t cap)
{
	struct stat st;

	snprintf(path, cap, "%s/%s", directory, name);
	return lstat(path, &st) == 0;
}

static int
init_store(const struct init *init)
{
	const char *directory = init->config->state_directory;
	char store[CONF_PATH_MAX + 32], leases[CONF_PATH_MAX + 32], why[256] = "";
	bool has_store = is_there(directory, STORE_FILE, store, sizeof store);
	bool has_leases = is_there(directory, STORE_LEASES, leases, sizeof leases);

	int r = store_create(directory, &init->owner, why, sizeof why);
	if (r != 0)
		return refuse(store, why[0] != '\0' ? why : mtasts_strerror(r));
	done("store", store, has_store ? "is there" : "made");
	done("lease file", leases, has_leases ? "is there" : "made");
	return EX_OK;
}

/* ---- what else a look-up will need: told, not made ---- */

static void
check_helpers(const struct mtasts_config *config)
{
	static const char *const helpers[] = { "mtasts-resolve", "mtasts-fetch" };
	char path[CONF_PATH_MAX + 32];

	for (size_t i = 0; i < sizeof helpers / sizeof helpers[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", config->helper_directory, helpers[i]);
		if (access(path, X_OK) != 0)
			cli_say("warning: %s: %s", path, strerror(errno));
	}
	if (access(config->ca_directory, X_OK) != 0)
		cli_say("warning: CA directory %s: %s", config->ca_directory, strerror(errno));
}

static int
init_all(struct init *init)
{
	const char *directory = init->config->state_directory;

	int status = init_accounts(init);
	if (status == EX_OK)
		status = check_parent(directory);
	if (status == EX_OK)
		status = directory_make(init, AT_FDCWD, directory, directory);
	if (status == EX_OK)
		status = init_journal(init);
	if (status == EX_OK)
		status = init_store(init);
	if (status != EX_OK)
		return status;
	check_helpers(init->config);
	if (init->has_joined)
		printf("restart the mail server: a running one does not know its new group\n");
	return EX_OK;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct init init = { .cli = cli };
	int option;

	while ((option = cli_option(cli, argc, argv)) != -1) {
		if (option == OPTION_NO_USERS)
			init.no_users = true;
		else if (init.n_mail_users == MAIL_USERS_MAX)
			cli_usage(cli, "too many --mail-user");
		else
			init.mail_users[init.n_mail_users++] = optarg;
	}
	if (optind != argc)
		cli_usage(cli, "takes no arguments");
	int status = cli_configure(cli);
	init.config = cli->config;
	return status == EX_OK ? init_all(&init) : status;
}

const struct cli_command command_init = {
	.name = "init",
	.usage = "",
	.summary = "Make the state directory, the store and the accounts that it needs",
	.options = options,
	.run = run,
};

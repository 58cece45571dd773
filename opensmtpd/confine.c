/* SPDX-License-Identifier: ISC
 *
 * The worker's walls (sandbox/): which files, ports and limits its work takes, and no more.  The
 * helpers are started from within, so what they need until they stand behind walls of their own
 * is among it: their loader, libraries, and configuration.
 */
#include "opensmtpd/confine.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <link.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "base/owner.h"
#include "sandbox/sandbox.h"

enum {
	DATABASE_MAX = 16384, /* octets of one line of the user or group database */
	MEMORY_MAX = 1 << 30, /* octets of address space: hundreds of deliveries take a tenth */
};

/* ---- limits ---- */

/* Hard and soft. */
static int
set_limit(int resource, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0)
		return -1;
	if (value < limit.rlim_max)
		limit.rlim_max = value;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit);
}

static int
set_limits(void)
{
#ifndef WITH_SANITIZERS /* whose shadow is larger than any limit */
	if (set_limit(RLIMIT_AS, MEMORY_MAX) != 0)
		return -1;
#endif
	return set_limit(RLIMIT_CORE, 0);
}

/* ---- never root ---- */

static int
find_user(const char *name, uid_t *uid, struct buf *why)
{
	char text[DATABASE_MAX];
	struct passwd passwd, *found = NULL;

	if (getpwnam_r(name, &passwd, text, sizeof text, &found) != 0 || found == NULL) {
		buf_printf(why, "no user %s", name);
		return -1;
	}
	if (found->pw_uid == 0) {
		buf_printf(why, "user %s is root", name);
		return -1;
	}
	*uid = found->pw_uid;
	return 0;
}

static int
find_group(const char *name, gid_t *gid, struct buf *why)
{
	char text[DATABASE_MAX];
	struct group group, *found = NULL;

	if (getgrnam_r(name, &group, text, sizeof text, &found) != 0 || found == NULL) {
		buf_printf(why, "no group %s", name);
		return -1;
	}
	if (found->gr_gid == 0) {
		buf_printf(why, "group %s is root's", name);
		return -1;
	}
	*gid = found->gr_gid;
	return 0;
}

static int
set_ids(uid_t uid, gid_t gid)
{
	if (geteuid() != 0 && seteuid(0) != 0)
		return -1;
	if (setgroups(1, &gid) != 0)
		return -1;
#ifdef HAVE_SETRESUID
	if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return -1;
#else
	if (setregid(gid, gid) != 0 || setreuid(uid, uid) != 0)
		return -1;
#endif
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0) {
		errno = EPERM; /* the way back must be shut */
		return -1;
	}
	return 0;
}

int
confine_become(const struct mtasts_config *config, struct buf *why)
{
	uid_t uid;
	gid_t gid;

	/* two descriptors a delivery and more: as many as there may be */
	if (set_limit(RLIMIT_NOFILE, RLIM_INFINITY) != 0) {
		buf_printf(why, "descriptors: %s", strerror(errno));
		return -1;
	}
	if (!owner_is_root())
		return 0;
	if (find_user(config->user, &uid, why) != 0 || find_group(config->group, &gid, why) != 0)
		return -1;
	if (set_ids(uid, gid) != 0) {
		buf_printf(why, "cannot become user %s with group %s: %s", config->user,
		    config->group, strerror(errno));
		return -1;
	}
	return 0;
}

/* ---- files ---- */

static void
look(struct confine_watch *watch)
{
	struct stat st;

	watch->is_there = stat(watch->path, &st) == 0;
	if (!watch->is_there)
		return;
	watch->device = st.st_dev;
	watch->inode = st.st_ino;
	watch->changed = watch->has_contents ? st.st_mtim : (struct timespec){ 0 };
}

/* has_contents: what stands in the folder counts, not only which it is. */
static void
watch(struct confine *confine, const char *path, bool has_contents)
{
	struct confine_watch *made = &confine->watched[confine->n];
	struct buf name;

	if (confine->n == CONFINE_WATCHED)
		return;
	buf_init(&name, made->path, sizeof made->path);
	buf_puts(&name, path);
	made->has_contents = has_contents;
	look(made);
	confine->n++;
}

/* What is not there, or not for us, is not allowed either: its user will say so. */
static void
allow(struct sandbox *sandbox, struct confine *confine, const char *path, unsigned rights)
{
	(void)sandbox_allow(sandbox, path, rights);
	if (confine != NULL)
		watch(confine, path, false);
}

/* Where system or administrator put one thing and its kin: "/run/systemd/resolve", not "/etc". */
static bool
is_narrow(const char *folder)
{
	static const char *const wide[] = { "/var/", "/usr/", "/home/" };
	size_t depth = 0, needed = 2;

	for (const char *p = folder; *p != '\0'; p++)
		depth += *p == '/' ? 1 : 0;
	for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
		if (strncmp(folder, wide[i], strlen(wide[i])) == 0)
			needed = 3;
	}
	return depth >= needed;
}

/*
 * A file that others replace by renaming: with its folder, if that holds little else, so that the
 * next one can be read too.
 */
static void
allow_replaced(struct sandbox *sandbox, struct confine *confine, const char *path)
{
	char real[PATH_MAX];

	if (realpath(path, real) == NULL) {
		watch(confine, path, false);
		return;
	}
	*strrchr(real, '/') = '\0';
	if (is_narrow(real))
		allow(sandbox, NULL, real, SANDBOX_READ);
	else
		allow(sandbox, confine, path, SANDBOX_READ);
}

/* One loaded object: the folder of a library; of the program itself its loader. */
static int
object_allow(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct sandbox *sandbox = arg;
	char folder[PATH_MAX];
	const char *slash = strrchr(info->dlpi_name, '/');

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type == PT_INTERP)
			allow(sandbox, NULL,
			    (const char *)(uintptr_t)(info->dlpi_addr + header->p_vaddr),
			    SANDBOX_READ | SANDBOX_EXECUTE);
	}
	if (slash == NULL || (size_t)(slash - info->dlpi_name) >= sizeof folder)
		return 0;
	memcpy(folder, info->dlpi_name, (size_t)(slash - info->dlpi_name));
	folder[slash - info->dlpi_name] = '\0';
	if (folder[0] == '/')
		allow(sandbox, NULL, folder, SANDBOX_READ);
	return 0;
}

static void
programs_allow(struct sandbox *sandbox, struct confine *confine, const struct mtasts_config *config)
{
	static const char *const libraries[] = { "/lib", "/lib64", "/usr/lib", "/usr/lib64",
		"/usr/local/lib" };

	/* all of it, for an upgrade makes other files; nothing else is kept there */
	allow(sandbox, confine, config->helper_directory, SANDBOX_READ | SANDBOX_EXECUTE);
	for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
		allow(sandbox, NULL, libraries[i], SANDBOX_READ);
	allow(sandbox, confine, "/etc/ld.so.cache", SANDBOX_READ);
	(void)dl_iterate_phdr(object_allow, sandbox);
}

static void
files_allow(struct sandbox *sandbox, struct confine *confine, const struct mtasts_config *config)
{
	char path[PATH_MAX];
	size_t n;

	allow(sandbox, confine, config->state_directory, SANDBOX_READ | SANDBOX_WRITE);
	allow(sandbox, NULL, "/proc/sys/kernel/random/boot_id", SANDBOX_READ);
	allow(sandbox, NULL, "/dev/null", SANDBOX_READ | SANDBOX_WRITE);
	allow_replaced(sandbox, confine, config->resolv_conf);
	if (config->trust_anchor[0] != '\0')
		allow_replaced(sandbox, confine, config->trust_anchor);
	snprintf(path, sizeof path, "%s/openssl.cnf", X509_get_default_cert_area());
	allow(sandbox, NULL, path, SANDBOX_READ);
	(void)sandbox_allow_certificates(sandbox, config->ca_directory, &n);
	watch(confine, config->ca_directory, true);
}

/* ---- */

int
confine_enter(struct confine *confine, const struct mtasts_config *config, struct buf *missing)
{
	static const uint16_t ports[] = { 25, 53, 443 }; /* ours, and the helpers' */
	struct sandbox sandbox;

	if (owner_is_root()) {
		errno = EPERM;
		return -1;
	}
	if (set_limits() != 0)
		return -1;
	memset(confine, 0, sizeof *confine);
	sandbox_init(&sandbox);
	sandbox.ports = ports;
	sandbox.n_ports = sizeof ports / sizeof ports[0];
	sandbox.datagrams = sandbox.threads = true; /* of mtasts-resolve */
	sandbox.writes = sandbox.serves = sandbox.starts = true;
	programs_allow(&sandbox, confine, config);
	files_allow(&sandbox, confine, config);
	if (sandbox_enter(&sandbox, missing) != 0)
		return -1;
	/* unlike a helper, which is given addresses of its own kind alone, it goes anywhere then */
	if (sandbox.abi != 0 && !sandbox_has_ports(&sandbox))
		buf_printf(missing, "%sno TCP ports in this kernel's Landlock",
		    missing->n == 0 ? "" : "; ");
	return 0;
}

bool
confine_is_outdated(const struct confine *confine)
{
	for (size_t i = 0; i < confine->n; i++) {
		const struct confine_watch *then = &confine->watched[i];
		struct confine_watch now = *then;
		look(&now);
		if (now.is_there != then->is_there)
			return true;
		if (now.is_there && (now.device != then->device || now.inode != then->inode ||
					now.changed.tv_sec != then->changed.tv_sec ||
					now.changed.tv_nsec != then->changed.tv_nsec))
			return true;
	}
	return false;
}

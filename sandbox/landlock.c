/* SPDX-License-Identifier: ISC
 *
 * Landlock: files by where they lie, TCP by its ports, signals and abstract sockets not at all
 * beyond what is behind the same walls.
 */
#include "sandbox/walls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef HAVE_LINUX_LANDLOCK_H
#include <linux/landlock.h>
#endif

#if defined(HAVE_LINUX_LANDLOCK_H) && HAVE_DECL_SYS_LANDLOCK_CREATE_RULESET

/* As of Landlock's version 6; older headers do not have all of it, older kernels want zeros. */
struct ruleset {
	uint64_t files;
	uint64_t ports;
	uint64_t scoped;
};

struct port_rule {
	uint64_t allowed;
	uint64_t port;
};

enum {
	ABI_REFER = 2,
	ABI_TRUNCATE = 3,
	ABI_PORTS = 4,
	ABI_IOCTL = 5,
	ABI_SCOPES = 6,
	FILES_1 = (1 << 13) - 1, /* the rights of version 1 */
	FILES_REFER = 1 << 13,
	FILES_TRUNCATE = 1 << 14,
	FILES_IOCTL = 1 << 15,
	PORTS_BIND = 1 << 0,
	PORTS_CONNECT = 1 << 1,
	SCOPE_ABSTRACT_UNIX = 1 << 0,
	SCOPE_SIGNAL = 1 << 1,
	RULE_PORT = 2,
};

static struct ruleset
handled(unsigned abi)
{
	struct ruleset r = { FILES_1, 0, 0 };

	if (abi >= ABI_REFER)
		r.files |= FILES_REFER;
	if (abi >= ABI_TRUNCATE)
		r.files |= FILES_TRUNCATE;
	if (abi >= ABI_PORTS)
		r.ports = PORTS_BIND | PORTS_CONNECT;
	if (abi >= ABI_IOCTL)
		r.files |= FILES_IOCTL;
	if (abi >= ABI_SCOPES)
		r.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return r;
}

void
sandbox_init(struct sandbox *sandbox)
{
	long abi =
	    syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

	*sandbox = (struct sandbox){ .ruleset = -1 };
	if (abi < 1)
		return;
	struct ruleset r = handled((unsigned)abi);
	sandbox->abi = (unsigned)abi;
	sandbox->ruleset = (int)syscall(SYS_landlock_create_ruleset, &r, sizeof r, 0U);
	if (sandbox->ruleset < 0)
		sandbox->abi = 0;
}

/* A file has no rights of a folder: Landlock refuses such a rule. */
static uint64_t
rights_of(unsigned rights, bool is_folder)
{
	uint64_t files = 0;

	if (rights & SANDBOX_READ)
		files |= LANDLOCK_ACCESS_FS_READ_FILE;
	if (rights & SANDBOX_WRITE)
		files |= LANDLOCK_ACCESS_FS_WRITE_FILE | FILES_TRUNCATE;
	if (rights & SANDBOX_EXECUTE)
		files |= LANDLOCK_ACCESS_FS_EXECUTE;
	if (is_folder && (rights & SANDBOX_READ) != 0)
		files |= LANDLOCK_ACCESS_FS_READ_DIR;
	if (is_folder && (rights & SANDBOX_WRITE) != 0)
		files |= LANDLOCK_ACCESS_FS_MAKE_REG;
	return files;
}

int
sandbox_allow(struct sandbox *sandbox, const char *path, unsigned rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = 0 };
	struct stat st;

	if (sandbox->ruleset < 0)
		return 0;
	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return -1;
	bool is_folder = fstat(rule.parent_fd, &st) == 0 && S_ISDIR(st.st_mode);
	rule.allowed_access = rights_of(rights, is_folder) & handled(sandbox->abi).files;
	long r =
	    syscall(SYS_landlock_add_rule, sandbox->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U);
	close(rule.parent_fd);
	return r == 0 ? 0 : -1;
}

bool
sandbox_has_ports(const struct sandbox *sandbox)
{
	return sandbox->abi >= ABI_PORTS;
}

static int
allow_port(const struct sandbox *sandbox, uint64_t access, uint64_t port)
{
	struct port_rule rule = { access, port };

	return syscall(SYS_landlock_add_rule, sandbox->ruleset, RULE_PORT, &rule, 0U) == 0 ? 0 : -1;
}

static int
allow_ports(const struct sandbox *sandbox)
{
	int r = 0;

	if (!sandbox_has_ports(sandbox))
		return 0;
	for (size_t i = 0; r == 0 && i < sandbox->n_ports; i++)
		r = allow_port(sandbox, PORTS_CONNECT, sandbox->ports[i]);
	if (r == 0 && sandbox->serves)
		r = allow_port(sandbox, PORTS_BIND, 0); /* that the system picks */
	return r;
}

int
landlock_enter(struct sandbox *sandbox, struct buf *missing)
{
	if (sandbox->ruleset < 0) {
		buf_puts(missing, "no Landlock in this kernel; ");
		return 0;
	}
	if (allow_ports(sandbox) != 0)
		return -1;
	long r = syscall(SYS_landlock_restrict_self, sandbox->ruleset, 0U);
	close(sandbox->ruleset);
	sandbox->ruleset = -1;
	return r == 0 ? 0 : -1;
}

#else

void
sandbox_init(struct sandbox *sandbox)
{
	*sandbox = (struct sandbox){ .ruleset = -1 };
}

int
sandbox_allow(struct sandbox *sandbox, const char *path, unsigned rights)
{
	(void)sandbox;
	(void)path;
	(void)rights;
	return 0;
}

bool
sandbox_has_ports(const struct sandbox *sandbox)
{
	(void)sandbox;
	return false;
}

int
landlock_enter(struct sandbox *sandbox, struct buf *missing)
{
	(void)sandbox;
	buf_puts(missing, "built without Landlock; ");
	return 0;
}

#endif

/* SPDX-License-Identifier: ISC
 *
 * The store's files, made as `mtasts init` wants them: store_create() of store.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache/db.h"
#include "cache/files.h"
#include "cache/lease.h"
#include "cache/store.h"

enum { MODE = 0660 };

/* Its mode is set on the descriptor while there is no connection: closing drops its locks. */
static int
make_file(int directory, const struct owner *owner)
{
	int fd = owner_open(owner, directory, STORE_FILE, O_RDWR | O_CREAT | O_EXCL, MODE);

	if (fd < 0)
		return errno == EEXIST ? 0 : -1;
	return close(fd);
}

static int
create_in(int directory, const char *path, const struct owner *owner, char *why, size_t cap)
{
	struct owner_saved saved;
	off_t size;

	if (make_file(directory, owner) != 0)
		return files_refuse(why, cap, "cannot make %s: %s", path, strerror(errno));
	int r = files_check(directory, owner, &size, why, cap);
	if (r != 0)
		return r;
	if (lease_create(directory, owner, STORE_LEASES) != 0)
		return files_refuse(
		    why, cap, "cannot make %s beside %s: %s", STORE_LEASES, path, strerror(errno));
	if (owner_enter(owner, &saved) != 0)
		return files_refuse(why, cap, "cannot become the owner of %s", path);
	r = db_create(path, why, cap);
	owner_leave(&saved);
	return r;
}

int
store_create(const char *directory, const struct owner *owner, char *why, size_t cap)
{
	char *path;

	int fd = files_open_directory(directory, why, cap);
	if (fd < 0)
		return fd;
	int r = files_path(directory, &path, why, cap);
	if (r == 0) {
		r = create_in(fd, path, owner, why, cap);
		free(path);
	}
	close(fd);
	return r;
}

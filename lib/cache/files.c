/* SPDX-License-Identifier: ISC
 *
 * The state directory and SQLite's files in it: found and looked at, never opened here, for
 * closing a descriptor of SQLite's files would drop the locks this process has on them.
 */
#include "cache/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cache/store.h"

int
files_refuse(char *why, size_t cap, const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	buf_init(&b, why, cap);
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	return MTASTS_ECACHE;
}

/* The state directory itself: no link to one, so that what is checked is what is used. */
int
files_open_directory(const char *directory, char *why, size_t cap)
{
	size_t n = strlen(directory);

	while (n > 1 && directory[n - 1] == '/') /* "link/" would be followed */
		n--;
	char *path = mem_dup(directory, n);
	if (path == NULL)
		return MTASTS_ENOMEM;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int error = errno;
	free(path);
	if (fd >= 0)
		return fd;
	if (error == ENOENT)
		return files_refuse(why, cap, "no store in %s: run mtasts init", directory);
	if (error == ELOOP || error == ENOTDIR)
		return files_refuse(why, cap, "%s is not a directory", directory);
	if (error == EACCES)
		return files_refuse(
		    why, cap, "%s may not be entered by this user: not in its group?", directory);
	return files_refuse(
	    why, cap, "cannot open the directory %s: %s", directory, strerror(error));
}

/* One of SQLite's files: ours, plain, and written by nobody else.  *size -1: not there. */
static int
check_file(
    int directory, const char *name, const struct owner *owner, off_t *size, char *why, size_t cap)
{
	struct stat st;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		*size = -1;
		return errno == ENOENT
			   ? 0
			   : files_refuse(why, cap, "cannot look at %s: %s", name, strerror(errno));
	}
	*size = st.st_size;
	if (!S_ISREG(st.st_mode))
		return files_refuse(why, cap, "%s is not a plain file", name);
	if (st.st_nlink != 1)
		return files_refuse(why, cap, "%s has more than one name", name);
	if (st.st_uid != owner->uid && st.st_gid != owner->gid)
		return files_refuse(why, cap,
		    "%s belongs neither to the user nor to the group of its directory", name);
	if ((st.st_mode & S_IWOTH) != 0)
		return files_refuse(why, cap, "%s can be written by everybody", name);
	return 0;
}

int
files_check(int directory, const struct owner *owner, off_t *size, char *why, size_t cap)
{
	static const char *const beside[] = { STORE_FILE "-wal", STORE_FILE "-shm",
		STORE_FILE "-journal" };
	off_t ignored;

	int r = check_file(directory, STORE_FILE, owner, size, why, cap);
	for (size_t i = 0; i < sizeof beside / sizeof *beside && r == 0; i++)
		r = check_file(directory, beside[i], owner, &ignored, why, cap);
	return r;
}

/* SQLite wants a name without links, and one that stays good when the process moves. */
int
files_path(const char *directory, char **path, char *why, size_t cap)
{
	char *real = realpath(directory, NULL);

	if (real == NULL)
		return errno == ENOMEM ? MTASTS_ENOMEM
				       : files_refuse(why, cap, "cannot resolve %s", directory);
	size_t n = strlen(real);
	char *joined = mem_zero(n + 1 + sizeof STORE_FILE, 1);
	if (joined != NULL) {
		memcpy(joined, real, n);
		joined[n] = '/';
		memcpy(joined + n + 1, STORE_FILE, sizeof STORE_FILE);
	}
	free(real);
	if (joined == NULL)
		return MTASTS_ENOMEM;
	*path = joined;
	return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * As root the state directory belongs to another user, and the tests look at what root can no
 * longer do; without root, at what is opened and refused.
 */
#include "base/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mtasts.h"
#include "unit.h"

enum { OTHER = 54321 /* an id nobody has */ };

static char dir[64];
static int dirfd;
static struct owner owner;

static void
setup(void)
{
	strcpy(dir, "/tmp/check_owner.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	if (geteuid() == 0)
		ck_assert_int_eq(chown(dir, OTHER, OTHER), 0);
	ck_assert_int_eq(chmod(dir, 02770), 0);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dirfd, 0);
	ck_assert_int_eq(owner_of_directory(dir, &owner), 0);
	umask(077);
}

static void
teardown(void)
{
	static const char *const names[] = { "a", "b", "secret", "fifo", "link", "hard" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlinkat(dirfd, names[i], 0);
	close(dirfd);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
make(const char *name, mode_t mode)
{
	int fd = openat(dirfd, name, O_CREAT | O_WRONLY | O_CLOEXEC, mode);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

START_TEST(test_create)
{
	struct stat st;
	int fd = owner_open(&owner, dirfd, "a", O_RDWR | O_CREAT, 0660);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_uid, owner.uid);
	ck_assert_uint_eq(st.st_gid, owner.gid);
	ck_assert_uint_eq(st.st_mode & 07777, 0660); /* umask 077 or not */
	ck_assert((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
	fd = owner_open(&owner, dirfd, "a", O_RDONLY, 0);
	ck_assert_int_ge(fd, 0);
	close(fd);
	errno = 0;
	ck_assert_int_eq(owner_open(&owner, dirfd, "b", O_RDONLY, 0), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(test_link)
{
	make("b", 0660);
	ck_assert_int_eq(symlinkat("b", dirfd, "link"), 0);
	ck_assert_int_eq(owner_open(&owner, dirfd, "link", O_RDONLY, 0), -1);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert_int_eq(owner_open(&owner, dirfd, "link", O_RDWR | O_CREAT, 0660), -1);
}
END_TEST

START_TEST(test_hard_link)
{
	int fd = owner_open(&owner, dirfd, "a", O_RDWR | O_CREAT, 0660);

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(linkat(dirfd, "a", dirfd, "hard", 0), 0);
	ck_assert_int_eq(owner_open(&owner, dirfd, "hard", O_RDONLY, 0), -1);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

START_TEST(test_fifo)
{
	ck_assert_int_eq(mkfifoat(dirfd, "fifo", 0666), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(fchownat(dirfd, "fifo", OTHER, OTHER, 0), 0);
	ck_assert_int_eq(owner_open(&owner, dirfd, "fifo", O_RDONLY, 0), -1);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

START_TEST(test_directory)
{
	struct owner untouched = { 1, 2 };
	char path[100];

	ck_assert_int_eq(chmod(dir, 02777), 0);
	ck_assert_int_eq(owner_of_directory(dir, &untouched), MTASTS_ECACHE);
	make("a", 0660);
	snprintf(path, sizeof path, "%s/a", dir);
	ck_assert_int_eq(owner_of_directory(path, &untouched), MTASTS_ECACHE);
	ck_assert_int_eq(owner_of_directory("/nonexistent", &untouched), MTASTS_ECACHE);
	ck_assert_uint_eq(untouched.uid, 1);
}
END_TEST

/* A file of root's that the directory's owner planted a way to. */
START_TEST(test_root_alone_could)
{
	struct owner_saved saved;

	make("secret", 0600);
	if (geteuid() != 0) {
		ck_assert_int_eq(owner_enter(&owner, &saved), 0);
		ck_assert(!saved.changed);
		owner_leave(&saved);
		return;
	}
	ck_assert_int_eq(owner_open(&owner, dirfd, "secret", O_RDONLY, 0), -1);
	ck_assert_int_eq(errno, EACCES);

	ck_assert_int_eq(owner_enter(&owner, &saved), 0);
	ck_assert_int_eq(openat(dirfd, "secret", O_RDONLY | O_CLOEXEC), -1);
	ck_assert_int_eq(getgroups(0, NULL), 0);
	errno = ENOSPC;
	owner_leave(&saved);
	ck_assert_int_eq(errno, ENOSPC);
	int fd = openat(dirfd, "secret", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

START_TEST(test_groups_come_back)
{
	static const gid_t before[3] = { 0, 7, OTHER + 1 };
	struct owner_saved saved;
	gid_t after[8];

	if (geteuid() != 0)
		return;
	make("secret", 0640);
	ck_assert_int_eq(fchownat(dirfd, "secret", 0, OTHER + 1, 0), 0);
	ck_assert_int_eq(fchmodat(dirfd, "secret", 0640, 0), 0);
	ck_assert_int_eq(setgroups(3, before), 0);
	ck_assert_int_eq(owner_enter(&owner, &saved), 0);
	ck_assert_int_eq(openat(dirfd, "secret", O_RDONLY | O_CLOEXEC), -1);
	owner_leave(&saved);
	ck_assert_int_eq(getgroups(8, after), 3);
	ck_assert_mem_eq(after, before, sizeof before);
}
END_TEST

/* Made by root before it knew better: not the owner's, whatever its mode. */
START_TEST(test_not_ours)
{
	if (geteuid() != 0)
		return;
	make("b", 0666);
	ck_assert_int_eq(fchownat(dirfd, "b", 0, 0, 0), 0);
	ck_assert_int_eq(fchmodat(dirfd, "b", 0666, 0), 0);
	ck_assert_int_eq(owner_open(&owner, dirfd, "b", O_RDWR, 0), -1);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("owner");
	TCase *tcase = tcase_create("owner");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_create);
	tcase_add_test(tcase, test_link);
	tcase_add_test(tcase, test_hard_link);
	tcase_add_test(tcase, test_fifo);
	tcase_add_test(tcase, test_directory);
	tcase_add_test(tcase, test_root_alone_could);
	tcase_add_test(tcase, test_groups_come_back);
	tcase_add_test(tcase, test_not_ours);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}

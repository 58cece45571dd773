/* SPDX-License-Identifier: ISC */
#include "report/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

/* 2025-06-15T15:06:40Z and the midnight behind it. */
enum { NOW = 1750000000, MIDNIGHT = 1750032000, DAY = 86400 };
enum { WRITERS = 12, LINES = 200, GROUP = 54321 };

static char directory[] = "/tmp/check_journal.XXXXXX";
static int logged;
static char last_log[1024];

static void
on_log(void *arg, enum mtasts_log level, const char *text)
{
	(void)arg;
	ck_assert_int_eq(level, MTASTS_LOG_ERROR);
	logged++;
	snprintf(last_log, sizeof last_log, "%s", text);
}

static const struct log to_test = { on_log, NULL, MTASTS_LOG_DEBUG };

static const char *
path(const char *name)
{
	static char text[256];

	snprintf(text, sizeof text, "%s/%s", directory, name);
	return text;
}

static void
setup(void)
{
	logged = 0;
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(mkdir(path("journal"), 0770), 0);
	/* made by root for a group, as `mtasts init` does */
	if (geteuid() == 0)
		ck_assert_int_eq(
		    chown(directory, 1234, GROUP) | chown(path("journal"), 1234, GROUP), 0);
	ck_assert_int_eq(chmod(directory, 02770) | chmod(path("journal"), 02770), 0);
}

static void
teardown(void)
{
	char command[300];

	snprintf(command, sizeof command, "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
	memset(strrchr(directory, '.') + 1, 'X', 6);
}

static struct record
attempt(int64_t at, const char *detail)
{
	return (struct record){ .at = at,
		.domain = { "a.example", 9 },
		.type = RECORD_STS,
		.success = true,
		.detail = span_of(detail) };
}

static int
append(struct journal *journal, int64_t at, const char *detail)
{
	struct record record = attempt(at, detail);

	return journal_append(journal, &record);
}

/* Records of a day; details, when not NULL, is "a,b," of all of them. */
static int
count(int64_t at, uint64_t torn, char *details)
{
	struct journal_reader *reader;
	struct record record;
	int n = 0, r;

	ck_assert_int_eq(journal_open(directory, at / DAY, &reader), 0);
	if (details != NULL)
		details[0] = '\0';
	while ((r = journal_next(reader, &record)) == 1) {
		n++;
		if (details != NULL)
			sprintf(details + strlen(details), "%.*s,", (int)record.detail.n,
			    record.detail.p);
	}
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(journal_torn(reader), torn);
	journal_close(reader);
	return n;
}

static void
spill(const char *name, const char *text)
{
	FILE *f = fopen(path(name), "a");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(path(name), 1234, GROUP), 0);
}

START_TEST(test_append)
{
	struct journal *journal = journal_new(directory, &to_test);
	char details[64];
	struct stat st;

	ck_assert_int_eq(count(NOW, 0, NULL), 0);
	ck_assert_int_eq(append(journal, NOW, "one"), 0);
	ck_assert_int_eq(append(journal, NOW + 1, "two"), 0);
	journal_free(journal);
	ck_assert_int_eq(count(NOW, 0, details), 2);
	ck_assert_str_eq(details, "one,two,");
	ck_assert_int_eq(stat(path("journal/2025-06-15"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0660);
	ck_assert_int_eq(logged, 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(st.st_uid, 1234);
		ck_assert_int_eq(st.st_gid, GROUP);
	}
}
END_TEST

START_TEST(test_day_changes_at_midnight_utc)
{
	struct journal *journal = journal_new(directory, &to_test);
	char details[64];

	ck_assert_int_eq(append(journal, MIDNIGHT - 1, "evening"), 0);
	ck_assert_int_eq(append(journal, MIDNIGHT, "morning"), 0);
	ck_assert_int_eq(append(journal, MIDNIGHT - 1, "late"), 0);
	journal_free(journal);
	ck_assert_int_eq(count(MIDNIGHT - 1, 0, details), 2);
	ck_assert_str_eq(details, "evening,late,");
	ck_assert_int_eq(count(MIDNIGHT, 0, details), 1);
	ck_assert_int_eq(access(path("journal/2025-06-16"), F_OK), 0);
}
END_TEST

static const struct {
	int64_t at;
	const char *name;
} days[] = {
	{ 0, "journal/1970-01-01" },
	{ 951782399, "journal/2000-02-28" },
	{ 951782400, "journal/2000-02-29" },
	{ 951868800, "journal/2000-03-01" },
	{ 1709164800, "journal/2024-02-29" },
	{ 1735689599, "journal/2024-12-31" },
	{ 1735689600, "journal/2025-01-01" },
	{ 4107542400, "journal/2100-03-01" },
	{ 253402300799, "journal/9999-12-31" },
};

START_TEST(test_day_name)
{
	struct journal *journal = journal_new(directory, &to_test);

	ck_assert_int_eq(append(journal, days[_i].at, "x"), 0);
	journal_free(journal);
	ck_assert_msg(access(path(days[_i].name), F_OK) == 0, "%s", days[_i].name);
}
END_TEST

START_TEST(test_torn_line_is_skipped)
{
	struct journal *journal = journal_new(directory, &to_test);
	char details[64];

	ck_assert_int_eq(append(journal, NOW, "one"), 0);
	spill("journal/2025-06-15", "v1 at=1750000000 domain=a.exam");
	ck_assert_int_eq(append(journal, NOW, "two"), 0);
	journal_free(journal);
	ck_assert_int_eq(count(NOW, 1, details), 2);
	ck_assert_str_eq(details, "one,two,");
}
END_TEST

/* Written by one that looked at the end of the file before the torn line came. */
START_TEST(test_record_behind_torn_line)
{
	char details[64];

	spill("journal/2025-06-15",
	    "v1 at=1750000000 domain=a.exv1 at=1750000000 domain=a.example type=sts mode=none "
	    "result=success detail=good .\n"
	    "v1 at=1v1 at=2\n\n"
	    "v1 at=1750000000 domain=a.example type=sts mode=none result=success detail=last .");
	ck_assert_int_eq(count(NOW, 2, details), 2);
	ck_assert_str_eq(details, "good,last,");
}
END_TEST

/* Lines no record can be: as long as the window, longer, and NULs as a crash leaves them. */
START_TEST(test_overlong_line)
{
	static const char good[] =
	    "\nv1 at=1 domain=a.example type=sts result=success detail=x .\n";
	FILE *f = fopen(path("journal/2025-06-15"), "w");
	char details[64];

	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 10 * RECORD_LINE_MAX; i++)
		fputc('x', f);
	fputs(good, f);
	for (int i = 0; i < 5000; i++)
		fputc('\0', f);
	fputs(good, f);
	ck_assert_int_eq(fclose(f), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(path("journal/2025-06-15"), 1234, GROUP), 0);
	ck_assert_int_eq(count(NOW, 2, details), 2);
}
END_TEST

/* The longest record there can be goes through, many times over. */
START_TEST(test_long_records)
{
	struct journal *journal = journal_new(directory, &to_test);
	static char text[RECORD_STRING_MAX];
	struct record record = attempt(NOW, "x");

	memset(text, 'x', sizeof text);
	record.n_policy_strings = 2;
	record.policy_strings[0] = span_make(text, sizeof text);
	record.policy_strings[1] = span_make(text, sizeof text - 200);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(journal_append(journal, &record), 0);
	journal_free(journal);
	ck_assert_int_eq(count(NOW, 0, NULL), 20);
}
END_TEST

static void
become(int i)
{
	gid_t group = GROUP;

	umask(i % 2 == 0 ? 077 : 0);
	/* a third stays root, the others are mail servers' users in the group */
	if (geteuid() != 0 || i % 3 == 0)
		return;
	if (setgroups(1, &group) != 0 || setgid((gid_t)(2000 + i)) != 0 ||
	    setuid((uid_t)(2000 + i)) != 0)
		_exit(2);
}

static void
write_lines(int i)
{
	struct journal *journal = journal_new(directory, NULL);
	char detail[32];
	int failed = 0;

	for (int line = 0; line < LINES; line++) {
		snprintf(detail, sizeof detail, "%d-%d", i, line);
		failed += append(journal, NOW, detail) != 0;
	}
	journal_free(journal);
	_exit(failed == 0 ? 0 : 1);
}

static void
wait_all(int n)
{
	for (int i = 0; i < n; i++) {
		int status;
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
}

START_TEST(test_many_writers)
{
	for (int i = 0; i < WRITERS; i++) {
		pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			become(i);
			write_lines(i);
		}
	}
	wait_all(WRITERS);
	ck_assert_int_eq(count(NOW, 0, NULL), WRITERS * LINES);
}
END_TEST

/* The handle that a child inherits writes to the same file, and is freed in both. */
START_TEST(test_fork)
{
	struct journal *journal = journal_new(directory, &to_test);

	ck_assert_int_eq(append(journal, NOW, "parent"), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int r = append(journal, NOW, "child");
		journal_free(journal);
		_exit(r == 0 ? 0 : 1);
	}
	wait_all(1);
	ck_assert_int_eq(append(journal, NOW, "parent"), 0);
	journal_free(journal);
	ck_assert_int_eq(count(NOW, 0, NULL), 3);
}
END_TEST

/* Somebody moved the file away: the next line begins a new one. */
START_TEST(test_file_removed)
{
	struct journal *journal = journal_new(directory, &to_test);

	ck_assert_int_eq(append(journal, NOW, "one"), 0);
	ck_assert_int_eq(unlink(path("journal/2025-06-15")), 0);
	ck_assert_int_eq(append(journal, NOW, "two"), 0);
	journal_free(journal);
	ck_assert_int_eq(count(NOW, 0, NULL), 1);
}
END_TEST

static void
refused(const char *why)
{
	struct journal *journal = journal_new(directory, &to_test);

	ck_assert_int_eq(append(journal, NOW, "one"), MTASTS_EREPORT);
	ck_assert_int_eq(append(journal, NOW, "two"), MTASTS_EREPORT);
	ck_assert_int_eq(logged, 1); /* once a cause */
	ck_assert_msg(strstr(last_log, why) != NULL, "%s", last_log);
	journal_free(journal);
}

START_TEST(test_no_journal)
{
	struct journal_reader *reader;

	ck_assert_int_eq(rmdir(path("journal")), 0);
	refused("No such file");
	ck_assert_int_eq(journal_open(directory, NOW / DAY, &reader), MTASTS_EREPORT);
}
END_TEST

START_TEST(test_world_writable)
{
	ck_assert_int_eq(chmod(directory, 02777), 0);
	refused("not permitted");
}
END_TEST

/* Planted links: the file they point at stays as it is. */
START_TEST(test_file_is_a_symlink)
{
	char victim[256];
	struct stat st;

	snprintf(victim, sizeof victim, "%s", path("victim"));
	spill("victim", "precious\n");
	ck_assert_int_eq(symlink(victim, path("journal/2025-06-15")), 0);
	refused("symbolic links");
	ck_assert_int_eq(stat(victim, &st), 0);
	ck_assert_int_eq(st.st_size, 9);
}
END_TEST

START_TEST(test_file_is_a_hard_link)
{
	char victim[256];

	snprintf(victim, sizeof victim, "%s", path("victim"));
	spill("victim", "precious\n");
	ck_assert_int_eq(link(victim, path("journal/2025-06-15")), 0);
	refused("not permitted");
}
END_TEST

START_TEST(test_journal_is_a_symlink)
{
	ck_assert_int_eq(rename(path("journal"), "/tmp/check_journal.elsewhere"), 0);
	ck_assert_int_eq(symlink("/tmp/check_journal.elsewhere", path("journal")), 0);
	refused("");
	ck_assert_int_eq(rmdir("/tmp/check_journal.elsewhere"), 0); /* empty still */
}
END_TEST

START_TEST(test_file_is_a_fifo)
{
	ck_assert_int_eq(mkfifo(path("journal/2025-06-15"), 0660), 0);
	refused("");
}
END_TEST

/* A file system of 64 KiB: records until it is full, room made, records again. */
static void
fill_disk(void)
{
	struct journal *journal = journal_new(directory, &to_test);
	int good = 0;
	uint64_t torn = 0;

	while (append(journal, NOW, "0123456789abcdef") == 0)
		good++;
	ck_assert_int_gt(good, 100);
	ck_assert_int_eq(append(journal, NOW, "x"), MTASTS_EREPORT);
	ck_assert_int_eq(logged, 1);
	ck_assert_msg(strstr(last_log, "No space") != NULL, "%s", last_log);
	ck_assert_int_eq(unlink(path("journal/ballast")), 0);
	ck_assert_int_eq(append(journal, NOW, "after"), 0);
	journal_free(journal);

	struct journal_reader *reader;
	struct record record;
	int n = 0;
	ck_assert_int_eq(journal_open(directory, NOW / DAY, &reader), 0);
	while (journal_next(reader, &record) == 1)
		n++;
	torn = journal_torn(reader);
	journal_close(reader);
	ck_assert_int_eq(n, good + 1);
	ck_assert_uint_le(torn, 1);
}

START_TEST(test_disk_full)
{
	char ballast[8192] = "";

	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, "") != 0 ||
	    mount("tmpfs", path("journal"), "tmpfs", 0, "size=64k,mode=2770,uid=1234,gid=54321") !=
		0) {
		fprintf(stderr, "no tmpfs of our own: disk full is not tested\n");
		return;
	}
	int fd = open(path("journal/ballast"), O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, ballast, sizeof ballast), sizeof ballast);
	close(fd);
	fill_disk();
	ck_assert_int_eq(umount(path("journal")), 0);
}
END_TEST

/* A write that ends in the middle of a line, as on a full disk, without needing to be root. */
START_TEST(test_short_write)
{
	struct rlimit limit = { 1000, 1000 };
	struct journal *journal = journal_new(directory, &to_test);
	int good = 0;

	signal(SIGXFSZ, SIG_IGN);
	pid_t pid = fork();
	if (pid == 0) {
		setrlimit(RLIMIT_FSIZE, &limit);
		while (append(journal, NOW, "0123456789abcdef") == 0)
			good++;
		_exit(good);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	good = WEXITSTATUS(status);
	ck_assert_int_gt(good, 5);
	ck_assert_int_eq(append(journal, NOW, "after"), 0);
	journal_free(journal);
	ck_assert_int_eq(count(NOW, 1, NULL), good + 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("journal");
	TCase *tcase = tcase_create("journal");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_append);
	tcase_add_test(tcase, test_day_changes_at_midnight_utc);
	tcase_add_loop_test(tcase, test_day_name, 0, sizeof days / sizeof days[0]);
	tcase_add_test(tcase, test_torn_line_is_skipped);
	tcase_add_test(tcase, test_record_behind_torn_line);
	tcase_add_test(tcase, test_overlong_line);
	tcase_add_test(tcase, test_long_records);
	tcase_add_test(tcase, test_many_writers);
	tcase_add_test(tcase, test_fork);
	tcase_add_test(tcase, test_file_removed);
	tcase_add_test(tcase, test_no_journal);
	tcase_add_test(tcase, test_world_writable);
	tcase_add_test(tcase, test_file_is_a_symlink);
	tcase_add_test(tcase, test_file_is_a_hard_link);
	tcase_add_test(tcase, test_journal_is_a_symlink);
	tcase_add_test(tcase, test_file_is_a_fifo);
	tcase_add_test(tcase, test_disk_full);
	tcase_add_test(tcase, test_short_write);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}

/* SPDX-License-Identifier: ISC
 *
 *	oldkernel CMD...
 *
 * Runs CMD as if the kernel had neither Landlock, nor seccomp, nor pidfds: a filter of ours says
 * so to it and to all that it starts.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <seccomp.h>

static void
fail(const char *what)
{
	perror(what);
	_exit(99);
}

int
main(int argc, char **argv)
{
	static const int missing[] = { SCMP_SYS(landlock_create_ruleset), SCMP_SYS(seccomp),
		SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal), SCMP_SYS(close_range) };
	static const int modes[] = { PR_GET_SECCOMP, PR_SET_SECCOMP };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (argc < 2 || filter == NULL)
		return 64;
	for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
		if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), missing[i], 0) != 0)
			fail("seccomp_rule_add");
	}
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		struct scmp_arg_cmp mode = { 0, SCMP_CMP_EQ, (scmp_datum_t)modes[i], 0 };
		if (seccomp_rule_add_array(
			filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1, &mode) != 0)
			fail("seccomp_rule_add");
	}
	if (seccomp_load(filter) != 0)
		fail("seccomp_load");
	seccomp_release(filter);
	execvp(argv[1], argv + 1);
	fail(argv[1]);
}

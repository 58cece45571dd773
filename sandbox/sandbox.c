/* SPDX-License-Identifier: ISC
 *
 * The walls in their order: no new privileges, Landlock, and last seccomp, behind which the other
 * two could not be asked for.
 */
#include "sandbox/walls.h"

#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

int
sandbox_enter(struct sandbox *sandbox, struct buf *missing)
{
#ifdef HAVE_SYS_PRCTL_H
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -1;
#endif
	if (landlock_enter(sandbox, missing) != 0 || filter_enter(sandbox, missing) != 0)
		return -1;
	if (missing->n >= 2) { /* the last "; " */
		missing->n -= 2;
		missing->p[missing->n] = '\0';
	}
	return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * Runs a suite with TAP on standard output.
 */
#include "unit.h"

#include <stdlib.h>

int
unit_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

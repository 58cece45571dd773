/* SPDX-License-Identifier: ISC
 *
 * What every unit test shares: a program is one suite, its results go out as TAP.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <check.h>

/* Run the suite; the exit status for main(). */
int unit_main(Suite *suite);

#endif

/* SPDX-License-Identifier: ISC
 *
 * filter-mtasts -t: what smtpd -n does not look at.
 */
#ifndef OPENSMTPD_CHECK_H
#define OPENSMTPD_CHECK_H

/*
 * One line a fault on standard output, with its remedy; for main(): 0 when there is none, else 1.
 * To be run as the user and groups that smtpd runs the filter with.
 */
int check_main(const char *config_path);

#endif

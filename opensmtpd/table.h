/* SPDX-License-Identifier: ISC
 *
 * The table's role: answers smtpd's questions, from what this host knows, until smtpd is gone.
 */
#ifndef OPENSMTPD_TABLE_H
#define OPENSMTPD_TABLE_H

/* Questions on in, answers on out (of the older protocol on in too).  Returns at their end. */
void table_main(const char *config_path, int in, int out);

#endif

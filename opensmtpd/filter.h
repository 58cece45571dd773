/* SPDX-License-Identifier: ISC
 *
 * The filter's role: the process that smtpd talks to, and that keeps the relay alive.
 */
#ifndef OPENSMTPD_FILTER_H
#define OPENSMTPD_FILTER_H

#include "mtasts.h"

/* Until smtpd ends: its exit status, for main().  config is borrowed. */
int filter_main(const struct mtasts_config *config);

#endif

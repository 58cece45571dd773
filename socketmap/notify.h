/* SPDX-License-Identifier: ISC
 *
 * Telling the service manager how it goes (sd_notify(3)), where there is one that listens.
 */
#ifndef SOCKETMAP_NOTIFY_H
#define SOCKETMAP_NOTIFY_H

/* "READY=1", "RELOADING=1", "STOPPING=1".  Nobody there is nothing wrong. */
void notify(const char *state);

#endif

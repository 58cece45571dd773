/* SPDX-License-Identifier: ISC
 *
 * What Exim's ${dlfunc} calls: all there is to its interface, the same in every version, so that
 * no header and no symbol of Exim is needed.
 *
 *	${dlfunc{.../exim.so}{name}{argument}...}
 *
 * Every one answers 0 (Exim's OK), always: any other answer makes the expansion fail, and a list
 * whose expansion fails matches nothing, which would send mail unprotected.  What *yield gets is
 *static, so Exim (which copies it) sees nothing of the arguments in it, which are tainted.
 */
#ifndef EXIM_PLUGIN_H
#define EXIM_PLUGIN_H

#include "mtasts.h"

/* {domain}{message age}{message id}{verify mode} -> "", ":defer: ...", ":fail: ..." */
MTASTS_API int mtasts_route(unsigned char **yield, int argc, unsigned char *argv[]);
/* {domain}{separator} -> the end of ignore_target_hosts */
MTASTS_API int mtasts_ignore(unsigned char **yield, int argc, unsigned char *argv[]);
/* {domain} -> "*" or "", for hosts_require_tls and tls_verify_hosts */
MTASTS_API int mtasts_require(unsigned char **yield, int argc, unsigned char *argv[]);
/* {name=value lines}{event data}{base64 of a certificate} -> "" or the text of a veto */
MTASTS_API int mtasts_event(unsigned char **yield, int argc, unsigned char *argv[]);

#endif

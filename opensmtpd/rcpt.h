/* SPDX-License-Identifier: ISC
 *
 * A recipient's domain, before smtpd takes the message: its policy is looked up, which warms the
 * store for the table, and what can never be delivered is refused at once (550 5.4.8; after the
 * recheck of RFC 8461 5).  Everything else proceeds; the relay decides at each attempt.
 */
#ifndef OPENSMTPD_RCPT_H
#define OPENSMTPD_RCPT_H

#include "base/domain.h"
#include "base/log.h"
#include "loop/loop.h"
#include "mtasts.h"

enum { RCPT_MAX = 4096 /* questions at once; more proceed */ };

struct rcpts;

/* decision: NULL proceeds.  It lasts for the call. */
typedef void rcpt_fn(void *arg, uint64_t question, const struct mtasts_decision *decision);

/* All borrowed.  An answer comes within deadline_ms.  NULL: out of memory. */
struct rcpts *rcpts_new(struct loop *loop, struct mtasts *ctx, int64_t deadline_ms,
    const struct log *log, rcpt_fn *fn, void *arg);
void rcpts_free(struct rcpts *rcpts);
/* fn is called once, perhaps at once. */
void rcpts_ask(struct rcpts *rcpts, uint64_t question, const struct domain *domain);

/* How many are on their way. */
size_t rcpts_count(const struct rcpts *rcpts);

#endif

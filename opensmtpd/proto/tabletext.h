/* SPDX-License-Identifier: ISC
 *
 * The table protocol of OpenSMTPD 7.6 and later, smtpd-tables(7): lines.  Pure.
 *
 *	config|smtpd-version|7.6.0 ... config|ready	register|domain ... register|ready
 *	table|0.1|1795336346.813468|mtasts|check|domain|97a9a303|example.net
 *						check-result|97a9a303|found
 *	table|0.1|1795336350.956271|mtasts|lookup|relayhost|aef6017c|example.net
 *						lookup-result|aef6017c|found|lmtp://[127.7.146.175]:10027
 *	table|0.1|1795336350.956271|mtasts|update|478ff0d2
 *						update-result|478ff0d2|ok
 *
 * A key is the rest of its line, '|' counts as any other octet there.
 */
#ifndef OPENSMTPD_PROTO_TABLETEXT_H
#define OPENSMTPD_PROTO_TABLETEXT_H

#include "opensmtpd/proto/table.h"

/*
 * The next line of *in, which moves behind it: 1.  0: none is whole, give it again with more behind
 * it.  A line of more than TABLE_QUESTION_MAX octets is nobody's question.
 */
int tabletext_next(struct span *in, struct table_question *question);

/* The answer, newline included; nothing where none is wanted.  out: TABLE_ANSWER_MAX and a NUL. */
void tabletext_format(
    struct buf *out, const struct table_question *question, const struct table_answer *answer);

#endif

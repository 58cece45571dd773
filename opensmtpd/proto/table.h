/* SPDX-License-Identifier: ISC
 *
 * What smtpd asks a table and what it is told, in whichever of its two protocols (tabletext.h,
 * tableimsg.h).
 */
#ifndef OPENSMTPD_PROTO_TABLE_H
#define OPENSMTPD_PROTO_TABLE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum {
	TABLE_QUESTION_MAX = 16384, /* octets of a question that is read (imsg's own limit) */
	TABLE_ANSWER_MAX = 1024	    /* octets of the longest answer that is written */
};

enum table_op {
	TABLE_NOTHING, /* part of the greeting, or nobody's question: wants no answer */
	TABLE_OPEN,
	TABLE_CLOSE, /* wants no answer */
	TABLE_UPDATE,
	TABLE_CHECK,
	TABLE_LOOKUP,
	TABLE_FETCH,
	TABLE_UNKNOWN, /* a question of another kind or form: its answer is an error */
};

enum table_service { TABLE_DOMAIN, TABLE_RELAYHOST, TABLE_OTHER };

/* Spans are parts of the input. */
struct table_question {
	enum table_op op;
	enum table_service service; /* of CHECK, LOOKUP and FETCH */
	struct span key;	    /* of CHECK and LOOKUP */
	struct span word, id; /* text: the operation and the question, as the answer repeats them */
};

enum table_result {
	TABLE_ERROR, /* smtpd: 451 at RCPT, or try again later */
	TABLE_NOT_FOUND,
	TABLE_FOUND /* and OPEN, UPDATE: done */
};

struct table_answer {
	enum table_result result;
	const char *value; /* of a LOOKUP that is FOUND, not empty; one line */
};

#endif

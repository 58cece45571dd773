/* SPDX-License-Identifier: ISC
 *
 * One session's turn: it is greeted, reads, writes and waits, with dialogue.h for what is said.
 * For session.c alone.
 */
#ifndef OPENSMTPD_RELAY_SESSION_TURN_H
#define OPENSMTPD_RELAY_SESSION_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "opensmtpd/relay/announced.h"
#include "opensmtpd/relay/dialogue.h"
#include "opensmtpd/relay/pace.h"
#include "opensmtpd/relay/relay.h"

struct session {
	struct sessions *sessions;
	struct session *next, **at;
	struct loop_fd watch;
	struct loop_timer timer; /* always set: it need never find memory again */
	struct announcement *announcement;
	struct pace_end end;
	struct pace pace;
	int64_t due_ms;	 /* over, if there is no progress */
	int64_t pace_ms; /* to be asked then */
	bool is_served;	 /* announced */
	bool is_readable, is_eof;
	bool is_pacing;
	size_t n_in;
	char in[DIALOGUE_IN];
	struct dialogue dialogue; /* of is_served */
};

struct sessions {
	const struct relay *relay;
	struct announced *announced;
	struct pacer *pacer;
	size_t n, max;
	struct session *first, **last; /* oldest first */
	int64_t refused_ms;	       /* the log has heard of one then */
	size_t n_refused;	       /* since */
};

int64_t session_now_ms(const struct session *session);
/* arg is a session: it has a turn soon. */
void session_wake(void *arg);
/* As far as it goes now; when it is over it is freed. */
void session_turn(struct session *session);
void session_free(struct session *session);

#endif

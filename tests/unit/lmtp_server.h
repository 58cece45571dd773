/* SPDX-License-Identifier: ISC
 *
 * The relay's LMTP side as a process of its own, over transactions of the tests, and what a test
 * needs to talk to it as smtpd does.
 */
#ifndef TESTS_LMTP_SERVER_H
#define TESTS_LMTP_SERVER_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "transaction_fake.h"

enum {
	SERVER_MAX = 8 /* sessions, if nothing else is said */,
	PATIENCE = 20000 /* ms for anything */
};

/* Of both processes. */
extern struct server_shared {
	struct fake_record record;
	size_t n_sessions; /* as of the last word of the test */
	size_t n_words;	   /* of the test that were heard */
	size_t n_log_lines;
	char log[256]; /* the last line */
} * server_shared;

extern size_t server_max; /* sessions of the next one that starts */
void server_start(void);  /* with a record of zeros */
void server_stop(void);

/* A connection that comes from ip; it waits for nothing. */
int client_connect(const char *ip);
/* What smtpd would say of it in the filter's pipe. */
void server_announce(int fd, uint64_t session);
void server_begin(uint64_t session);
void server_envelope(uint64_t session, uint64_t envelope);
void server_late(uint64_t envelope); /* an MX host has it and has not answered */
/* All that was said is done; sessions that there are. */
size_t server_sessions(void);

void client_say(int fd, const char *text);
void client_send(int fd, const char *p, size_t n);
/* One reply: its code, lines that are expected to begin with beginning. */
void client_expect(int fd, const char *beginning);
/* "say" and then "expect" for each. */
void client_ask(int fd, const char *line, const char *beginning);
void client_expect_end(int fd);
/* Announced, greeted, LHLO said. */
int client_ready(uint64_t session);

#endif

/* SPDX-License-Identifier: ISC
 *
 * One SMTP session with one address of one MX host, for one transaction: TCP, greeting, EHLO,
 * STARTTLS, the certificate's check; then, if its owner says so, MAIL, RCPT, DATA.  Judges
 * nothing: it says what it saw and waits.
 *
 * Every call returns at once; every event comes from the loop, never from inside a call.  After
 * closed() there are no more.
 */
#ifndef OPENSMTPD_RELAY_UPSTREAM_H
#define OPENSMTPD_RELAY_UPSTREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/log.h"
#include "loop/loop.h"
#include "mtasts.h"
#include "opensmtpd/proto/reply.h"

struct upstream;

enum {
	UPSTREAM_IP_MAX = 46,	   /* octets of an address in presentation form, NUL counted */
	UPSTREAM_DETAIL_MAX = 256, /* the same of words for a record */
	UPSTREAM_ROOM = 256 * 1024 /* octets of a message held for a slow host */
};

/* How the session came about, or why not. */
struct upstream_outcome {
	bool is_open;	     /* EHLO was answered: MAIL may be sent */
	enum mtasts_tls tls; /* UNREACHED: no SMTP session came about */
	/*
	 * Under starttls: the handshake (or its prelude) ended the connection; with is_open false
	 * another connection without starttls may do better.
	 */
	bool is_handshake_lost;
	char ip[UPSTREAM_IP_MAX], local_ip[UPSTREAM_IP_MAX];
	char helo[MTASTS_NAME_MAX + 1];	  /* the host's name in its EHLO reply, else greeting; or ""
					   */
	char detail[UPSTREAM_DETAIL_MAX]; /* why, escaped for a log: the certificate's fault,
					     "connection refused" */
	char tls_version[16];		  /* "TLSv1.3", or "" */
	struct reply reply; /* the host's own no (4xx, 5xx) that ended it, or code 0 */
};

struct upstream_params {	/* of MAIL; sent where the host offers the extension */
	struct span ret, envid; /* RFC 3461; empty: none */
	uint64_t size;		/* RFC 1870; 0: not known */
	bool smtputf8;		/* RFC 6531: needed.  Without the extension MAIL is answered 550
				   5.6.7 by us */
	bool is_8bit;		/* BODY=8BITMIME was said, or 8 bit must be reckoned with */
};

struct upstream_events {
	void *arg;
	void (*ready)(void *arg, const struct upstream_outcome *outcome); /* first, once */
	void (*mail)(void *arg, const struct reply *reply);
	void (*rcpt)(void *arg, size_t i, const struct reply *reply); /* in order, counted from 0 */
	void (*data)(void *arg, const struct reply *reply);
	void (*room)(void *arg); /* body octets were sent, there is room */
	/* The answer to the message; a no may come before upstream_end(), a yes never. */
	void (*end)(void *arg, const struct reply *reply);
	/* Last: what was not answered will not be.  why: static or the upstream's, for a log. */
	void (*closed)(void *arg, const char *why);
};

struct upstream_config {
	struct loop *loop;
	struct mtasts *ctx; /* for the certificate's check */
	SSL_CTX *tls;	    /* of upstream_tls_new() */
	const struct log *log;
	const char *mx_host; /* name of the MX record, for SNI and the check; an address literal's
				address */
	const char *helo;
	struct sockaddr_storage to;
	struct sockaddr_storage from; /* ss_family 0: any */
	bool starttls; /* use it when it is offered; a certificate is always checked */
	/* ms; 0: as RFC 5321 4.5.3.2 allows, cut to what smtpd waits for (upstream.c has them) */
	int connect_ms, command_ms, stall_ms, end_ms;
};

/* TLS 1.2 or better, no session is kept.  NULL: out of memory. */
SSL_CTX *upstream_tls_new(void);

/* Strings and the sockaddr are copied.  NULL: out of memory or descriptors; *why says which. */
struct upstream *upstream_new(
    const struct upstream_config *config, const struct upstream_events *events, const char **why);
/* QUIT is sent where the session allows it (not waited for); no event comes after this. */
void upstream_free(struct upstream *upstream);

/* After ready() with is_open.  MAIL and RCPT go out together where PIPELINING is offered. */
void upstream_mail(
    struct upstream *upstream, struct span sender, const struct upstream_params *params);
void upstream_rcpt(
    struct upstream *upstream, struct span recipient, struct span notify, struct span orcpt);
void upstream_data(struct upstream *upstream);
/*
 * After data() said 354: octets as body.h makes them (dot-stuffed, CRLF).  All are taken; when
 * upstream_room() has become 0 wait for room().
 */
void upstream_body(struct upstream *upstream, struct span octets);
size_t upstream_room(const struct upstream *upstream);
/* The end of the message: final dot. */
void upstream_end(struct upstream *upstream);
/* Octets of the largest message the host takes (RFC 1870), 0: it did not say. */
uint64_t upstream_size_limit(const struct upstream *upstream);

#endif

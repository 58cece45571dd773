/* SPDX-License-Identifier: ISC
 *
 * mtasts.h - MTA-STS (RFC 8461) policies and TLSRPT (RFC 8460) records for mail senders
 *
 *   domain -> TXT -> HTTPS -> policy -> cache -> verdict(MX, TLS) -> text | record
 *
 * Conventions, true of every call here:
 *   names     Domains and hosts are ASCII A-labels, NUL-terminated, any case, with or
 *             without a final dot.  At most MTASTS_NAME_MAX octets.
 *   time      Instants: int64_t seconds since 1970 UTC.  Durations: *_ms in
 *             milliseconds, all others in seconds.
 *   result    0, or a negative enum mtasts_error.  Out parameters are written on 0 only.
 *   ownership What a *_new, *_load or *_lookup gives, the *_free of the same stem takes.
 *             A const char * from a getter lives as long as the object it came from.
 *   threads   One context per thread.  Policies are immutable: share them freely.
 *   fork      A context belongs to the process that made it; in a child every call but
 *             mtasts_free() returns MTASTS_EFORK.
 *   manners   Never prints, exits, or leaves a signal disposition changed.
 */
#ifndef MTASTS_H
#define MTASTS_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MTASTS_API	__attribute__((visibility("default")))
#define MTASTS_MUST_USE __attribute__((warn_unused_result))
#else
#define MTASTS_API
#define MTASTS_MUST_USE
#endif

#define MTASTS_NAME_MAX 253 /* octets in a domain name, no final dot (RFC 1035 2.3.4) */
#define MTASTS_TEXT_MAX 512 /* octets of the text of a decision, NUL included */

/* ---- errors: something is wrong on this side; the remote's faults are findings, below ---- */

enum mtasts_error {
	MTASTS_OK = 0,
	MTASTS_ENOMEM = -1,  /* out of memory */
	MTASTS_EINVAL = -2,  /* an argument breaks this header's contract */
	MTASTS_ENAME = -3,   /* not a domain name that can have a policy (syntax, IP literal) */
	MTASTS_ECONFIG = -4, /* configuration refused; mtasts_config_error() says where */
	MTASTS_ECACHE = -5,  /* no cache backend can be opened */
	MTASTS_EREPORT = -6, /* the record could not be written */
	MTASTS_EFORK = -7,   /* context was made by another process */
	MTASTS_EBUSY = -8    /* more lookups in progress than the context allows */
};

/* One line, no final period, static storage.  Total: unknown values get a text too. */
MTASTS_API const char *mtasts_strerror(int error);

/* ---- findings: what RFC 8460 4.3 calls result types; also the reasons in a verdict ---- */

/* The order of this enum is part of the store's and the journal's format: only add at the end. */
enum mtasts_finding {
	MTASTS_NOTHING_WRONG = 0,
	MTASTS_STARTTLS_NOT_SUPPORTED,
	MTASTS_CERTIFICATE_HOST_MISMATCH,
	MTASTS_CERTIFICATE_EXPIRED,
	MTASTS_CERTIFICATE_NOT_TRUSTED,
	MTASTS_VALIDATION_FAILURE, /* any other: incl. MX not in policy (RFC 8461 4.1) */
	MTASTS_STS_POLICY_FETCH_ERROR,
	MTASTS_STS_POLICY_INVALID,
	MTASTS_STS_WEBPKI_INVALID,
	MTASTS_TLSA_INVALID, /* the three of DANE, from servers that report them */
	MTASTS_DNSSEC_INVALID,
	MTASTS_DANE_REQUIRED
};

/* The RFC 8460 token, e.g. "sts-webpki-invalid"; NULL for MTASTS_NOTHING_WRONG. */
MTASTS_API const char *mtasts_finding_token(enum mtasts_finding finding);

/* ---- context ---- */

struct mtasts;	      /* opened resolver, cache and report sink */
struct mtasts_config; /* parsed mtasts.conf(5) */

/*
 * Read a configuration file; path NULL means the built-in default path, and a missing
 * default file means built-in defaults.  On MTASTS_ECONFIG *config is still set, holds
 * only the message, and must be freed.
 */
MTASTS_API MTASTS_MUST_USE int mtasts_config_load(const char *path, struct mtasts_config **config);
/* The same checks as for a line of the file; for -o key=value and for adapters. */
MTASTS_API MTASTS_MUST_USE int mtasts_config_set(
    struct mtasts_config *config, const char *key, const char *value);
/* "file:line: why", or "" */
MTASTS_API const char *mtasts_config_error(const struct mtasts_config *config);
MTASTS_API void mtasts_config_free(struct mtasts_config *config);

enum mtasts_log { MTASTS_LOG_ERROR, MTASTS_LOG_WARNING, MTASTS_LOG_INFO, MTASTS_LOG_DEBUG };

/* text: one line, no newline, remote bytes escaped as \xHH; valid during the call only. */
typedef void mtasts_log_fn(void *arg, enum mtasts_log level, const char *text);

/* The config is copied.  log NULL discards.  Opens files and sockets; looks nothing up. */
MTASTS_API MTASTS_MUST_USE int mtasts_new(
    const struct mtasts_config *config, mtasts_log_fn *log, void *arg, struct mtasts **ctx);
/* NULL is fine.  Lookups in progress are dropped, their callbacks never run. */
MTASTS_API void mtasts_free(struct mtasts *ctx);

/* ---- lookup: domain -> policy ---- */

struct mtasts_policy; /* immutable, never NULL on success; look at its state before its mode */

/* What is known of a domain.  Switch on it without a default: unknown is not none. */
enum mtasts_state {
	MTASTS_PUBLISHED, /* a policy is in force: mode, mx, id and expiry are meaningful */
	MTASTS_ABSENT,	  /* answered: the domain has no usable policy */
	MTASTS_UNKNOWN,	  /* could not be found out, and nothing unexpired is cached */
	MTASTS_FAULT	  /* our own store or helpers fail: nothing may be concluded, defer */
};

/* Meaningful when PUBLISHED; MTASTS_NONE is a published `mode: none`. */
enum mtasts_mode { MTASTS_NONE, MTASTS_TESTING, MTASTS_ENFORCE };

enum mtasts_source {
	MTASTS_FROM_NOWHERE, /* not PUBLISHED */
	MTASTS_FROM_NETWORK, /* fetched just now */
	MTASTS_FROM_CACHE,   /* cached, and the TXT record's id still agrees */
	MTASTS_FROM_STALE    /* cached, unexpired; TXT or HTTPS failed now: still binding (RFC
				8461 5.1) */
};

enum mtasts_lookup_flags {
	/* the store as it stands: a miss is MTASTS_UNKNOWN; waits for nobody, writes nothing */
	MTASTS_CACHED_ONLY = 1 << 0,
	MTASTS_RECHECK = 1 << 1 /* DNS anew and one GET: before a permanent failure (RFC 8461 5) */
};

/*
 * Blocking.  Returns within deadline_ms (0: the configured one), whatever the network does.
 * A remote fault is no error: look at mtasts_policy_source() and _finding().
 */
MTASTS_API MTASTS_MUST_USE int mtasts_lookup(struct mtasts *ctx, const char *domain, unsigned flags,
    int deadline_ms, struct mtasts_policy **policy);
MTASTS_API void mtasts_policy_free(struct mtasts_policy *policy);

/*
 * The same for an event loop.  The callback runs inside mtasts_process(), exactly once per
 * started lookup unless cancelled, and then owns the policy (NULL if error is not 0).
 */
typedef void mtasts_lookup_fn(void *arg, int error, struct mtasts_policy *policy);

MTASTS_API MTASTS_MUST_USE int mtasts_start(struct mtasts *ctx, const char *domain, unsigned flags,
    int deadline_ms, mtasts_lookup_fn *done, void *arg, uint64_t *id);
MTASTS_API void mtasts_cancel(struct mtasts *ctx, uint64_t id);
/* Fill at most cap entries for poll(2); returns how many there are, and the longest wait. */
MTASTS_API size_t mtasts_pollfds(
    struct mtasts *ctx, struct pollfd *fds, size_t cap, int *timeout_ms);
MTASTS_API int mtasts_process(
    struct mtasts *ctx); /* waits for local disk and memcached's time-out at most */

MTASTS_API const char *mtasts_policy_domain(const struct mtasts_policy *policy);
MTASTS_API enum mtasts_state mtasts_policy_state(const struct mtasts_policy *policy);
MTASTS_API enum mtasts_mode mtasts_policy_mode(const struct mtasts_policy *policy);
MTASTS_API enum mtasts_source mtasts_policy_source(const struct mtasts_policy *policy);
MTASTS_API enum mtasts_finding mtasts_policy_finding(const struct mtasts_policy *policy);
/* The finding in words, escaped for a log: "status 404", "certificate has expired"; "" if none. */
MTASTS_API const char *mtasts_policy_reason(const struct mtasts_policy *policy);
MTASTS_API const char *mtasts_policy_id(
    const struct mtasts_policy *policy); /* from TXT; "" if none */
MTASTS_API int64_t mtasts_policy_fetched(
    const struct mtasts_policy *policy); /* instant; 0 if none */
MTASTS_API int64_t mtasts_policy_expires(
    const struct mtasts_policy *policy); /* instant; 0 if none */
MTASTS_API size_t mtasts_policy_mx_count(const struct mtasts_policy *policy);
MTASTS_API const char *mtasts_policy_mx(
    const struct mtasts_policy *policy, size_t i); /* "*.example.net" */

/*
 * A copy that outlives the context and a fork(), for processes that inherit what their parent was
 * told (Exim's router and its transports).  NULL: out of memory.
 */
MTASTS_API struct mtasts_policy *mtasts_policy_copy(const struct mtasts_policy *policy);

/* ---- the hosts a domain's mail goes to ---- */

enum mtasts_mx_state {
	MTASTS_MX_FOUND,     /* MX records: the hosts are theirs, best preference first */
	MTASTS_MX_IMPLICIT,  /* no MX record: the one host is the domain itself (RFC 5321 5.1) */
	MTASTS_MX_NULL,	     /* "MX 0 .": takes no mail (RFC 7505); no host */
	MTASTS_MX_NO_DOMAIN, /* answered: the name does not exist; no host */
	MTASTS_MX_UNKNOWN    /* could not be found out, or no record holds a host name; no host:
				try later */
};

struct mtasts_mxset; /* immutable, plain memory: survives the context and a fork() */

/* Blocking, within deadline_ms (0: the configured one).  Names are those of the MX records. */
MTASTS_API MTASTS_MUST_USE int mtasts_mx_lookup(
    struct mtasts *ctx, const char *domain, int deadline_ms, struct mtasts_mxset **set);
/*
 * The same for an event loop, as mtasts_start() is: the callback runs inside mtasts_process(),
 * exactly once by the deadline unless mtasts_cancel() gets the id before, and then owns the set
 * (MTASTS_MX_UNKNOWN when no answer came in time; NULL if error is not 0).
 */
typedef void mtasts_mx_fn(void *arg, int error, struct mtasts_mxset *set);

MTASTS_API MTASTS_MUST_USE int mtasts_mx_start(struct mtasts *ctx, const char *domain,
    int deadline_ms, mtasts_mx_fn *done, void *arg, uint64_t *id);
MTASTS_API void mtasts_mxset_free(struct mtasts_mxset *set);
MTASTS_API enum mtasts_mx_state mtasts_mxset_state(const struct mtasts_mxset *set);
MTASTS_API size_t mtasts_mxset_count(const struct mtasts_mxset *set);
MTASTS_API const char *mtasts_mxset_host(const struct mtasts_mxset *set, size_t i);
MTASTS_API int mtasts_mxset_preference(const struct mtasts_mxset *set, size_t i);
MTASTS_API int mtasts_mxset_secure(const struct mtasts_mxset *set); /* 1: validated by DNSSEC */
/* Seconds for which DNS lets the answer be kept, of a negative one too; 0 of UNKNOWN. */
MTASTS_API int64_t mtasts_mxset_ttl(const struct mtasts_mxset *set);
MTASTS_API const char *mtasts_mxset_reason(const struct mtasts_mxset *set); /* of UNKNOWN */

/*
 * The MX name whose canonical name (after CNAME) is host: servers that show only that name need
 * the way back, for policies speak of the MX record's name (RFC 8461 4.1).  Blocking when host
 * is not itself an MX name.  *name borrows from set; NULL when no MX leads to host or DNS failed.
 */
MTASTS_API MTASTS_MUST_USE int mtasts_mxset_origin(struct mtasts *ctx,
    const struct mtasts_mxset *set, const char *host, int deadline_ms, const char **name);

/* ---- the addresses of one of them ---- */

enum mtasts_addresses_state {
	MTASTS_ADDRESSES_FOUND,
	MTASTS_ADDRESSES_NONE,	 /* answered: the name has no address, or does not exist */
	MTASTS_ADDRESSES_UNKNOWN /* could not be found out: try later */
};

struct mtasts_addresses; /* immutable, plain memory: survives the context and a fork() */

/*
 * A and AAAA records at once, for an event loop, as mtasts_mx_start() is: the callback runs when
 * both are answered, and owns the addresses (NULL if error is not 0).  Those of one family are
 * FOUND whatever became of the other's.
 */
typedef void mtasts_addresses_fn(void *arg, int error, struct mtasts_addresses *addresses);

MTASTS_API MTASTS_MUST_USE int mtasts_addresses_start(struct mtasts *ctx, const char *host,
    int deadline_ms, mtasts_addresses_fn *done, void *arg, uint64_t *id);
MTASTS_API void mtasts_addresses_free(struct mtasts_addresses *addresses);
MTASTS_API enum mtasts_addresses_state mtasts_addresses_state(
    const struct mtasts_addresses *addresses);
/* At most 16 of each family. */
MTASTS_API size_t mtasts_addresses_count(const struct mtasts_addresses *addresses);
/*
 * A sockaddr_in6 or sockaddr_in, port 0.  All of IPv6 first, then all of IPv4, each in the order
 * of the answer; they are as published, private and loopback ones too.  0, or MTASTS_EINVAL when
 * there is no i-th.
 */
MTASTS_API int mtasts_addresses_get(
    const struct mtasts_addresses *addresses, size_t i, struct sockaddr_storage *address);
MTASTS_API const char *mtasts_addresses_reason(
    const struct mtasts_addresses *addresses); /* of UNKNOWN */

/* ---- verdict: policy x what the MTA saw -> deliver here or not (pure: no I/O, no clock) ---- */

enum mtasts_tls {
	MTASTS_TLS_UNTRIED,   /* before connecting: only the MX name is judged */
	MTASTS_TLS_UNREACHED, /* no SMTP session came about: says nothing about TLS */
	MTASTS_TLS_VERIFIED,  /* chain good, name is the MX host's */
	MTASTS_TLS_NOT_OFFERED,
	MTASTS_TLS_WRONG_NAME,
	MTASTS_TLS_EXPIRED,
	MTASTS_TLS_UNTRUSTED,
	MTASTS_TLS_FAILED /* handshake broke, or the cause is not known */
};

/* One attempt at one MX host.  Zero it first; NULL means not known.  All borrowed. */
struct mtasts_attempt {
	const char *mx_host; /* name from the MX record, before CNAME */
	enum mtasts_tls tls;
	const char *mx_ip;    /* presentation form */
	const char *mx_helo;  /* the host's own name in its EHLO reply */
	const char *local_ip; /* presentation form */
	const char *detail;   /* MTA's own words, logged and put in failure-reason-code */
	int mx_secure;	      /* the MX RRset was validated by DNSSEC */
	int dane;	 /* the MTA authenticated this host by DANE (stands in for 4.2, not 4.1) */
	int dane_failed; /* DANE applied and failed: never overridden (RFC 8461 2) */
	enum mtasts_finding dane_finding; /* which of DANE's types; 0: MTASTS_VALIDATION_FAILURE */
};

struct mtasts_verdict {
	int deliver;		     /* 0: not to this host (enforce, FAULT, or DANE failed) */
	int need_tls;		     /* 1: only over verified TLS to attempt.mx_host */
	enum mtasts_finding finding; /* set in mode testing too, where deliver stays 1 */
};

MTASTS_API struct mtasts_verdict mtasts_judge(
    const struct mtasts_policy *policy, const struct mtasts_attempt *attempt);

enum mtasts_action { MTASTS_DELIVER, MTASTS_DEFER, MTASTS_FAIL };

/* What an adapter has to carry to its server.  text: no CR, LF or control characters. */
struct mtasts_decision {
	enum mtasts_action action;
	int smtp_code;		    /* 451 or 550; 0 when delivering */
	char enhanced[8];	    /* "5.7.5"; "" when delivering */
	char text[MTASTS_TEXT_MAX]; /* "MX hosts of 'example.net' failed MTA-STS validation." */
};

/*
 * One attempt for every MX host of the domain, in this round; those not yet tried are
 * MTASTS_TLS_UNTRIED (all are, when only routing).  An untried host against which an earlier round
 * left a strike (mtasts_record) within this message's life counts as failed when it comes to
 * MTASTS_FAIL, and as worth another try before.  MTASTS_DELIVER is "go and try" (or: nothing
 * here speaks against it); n 0 gives it too, but for FAULT and for UNKNOWN with on_unknown = defer
 * (451 4.4.3).  message_age and bounce_after in seconds; bounce_after -1: the configured one.
 * Says MTASTS_FAIL only after a recheck (RFC 8461 5) that it does itself within deadline_ms (0:
 * the configured one) and that completed; *policy is then the policy in force after it (the old
 * one is freed).
 */
MTASTS_API MTASTS_MUST_USE int mtasts_decide(struct mtasts *ctx, struct mtasts_policy **policy,
    const struct mtasts_attempt *attempts, size_t n, int64_t message_age, int64_t bounce_after,
    int deadline_ms, struct mtasts_decision *decision);
/*
 * The same for an event loop, the recheck being awaited by mtasts_process().  When 0 is returned
 * the policy is taken (mtasts_cancel() frees it) and the attempts need not last.  The callback
 * owns the policy, the one in force now; the decision lasts for the call.  error not 0: policy is
 * the one that was given, decision NULL.
 */
typedef void mtasts_decide_fn(
    void *arg, int error, struct mtasts_policy *policy, const struct mtasts_decision *decision);

MTASTS_API MTASTS_MUST_USE int mtasts_decide_start(struct mtasts *ctx, struct mtasts_policy *policy,
    const struct mtasts_attempt *attempts, size_t n, int64_t message_age, int64_t bounce_after,
    int deadline_ms, mtasts_decide_fn *done, void *arg, uint64_t *id);

/* ---- certificates, for servers that do not say why they refused one ---- */

struct mtasts_certificate {
	const unsigned char *der;
	size_t n; /* octets */
};

/*
 * The peer's chain, the host's own certificate first, against the MX name: RFC 8461 4.2 (trusted
 * chain, unexpired, DNS-ID of that name, no common name).  The result as an attempt wants it;
 * reason gets the words (cut to cap, NUL counted).
 */
MTASTS_API enum mtasts_tls mtasts_certificate_check(struct mtasts *ctx,
    const struct mtasts_certificate *chain, size_t n, const char *mx_host, char *reason,
    size_t cap);

/* ---- report: one TLSRPT record per session, success or not ---- */

/*
 * Remember one attempt: its line in the journal, and the strike against the host (or, after a
 * verified session, the end of the domain's strikes).  Attempts that are UNREACHED leave no line
 * and end that host's strike.  Never blocks for long, never fails a delivery: log and go on.
 */
MTASTS_API int mtasts_record(struct mtasts *ctx, const struct mtasts_policy *policy,
    const struct mtasts_attempt *attempt, struct mtasts_verdict verdict);

MTASTS_API const char *mtasts_version(void); /* "0.1.0" */

#ifdef __cplusplus
}
#endif

#endif

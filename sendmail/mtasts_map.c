/* SPDX-License-Identifier: ISC
 *
 * MTA-STS (RFC 8461) and records for TLSRPT (RFC 8460) inside sendmail 8.17 and 8.18: a map class
 * "mtasts" that FEATURE(`mtasts') asks in two rulesets, and a wrapper of SSL_connect().
 *
 *	SSL_connect()	sets SNI to the MX host's name, remembers why a handshake failed
 *	tls_server	a session with a host has begun: what it is worth, and a record of it
 *	tls_rcpt	whether this recipient may go over it; asked for each, on each host
 *
 * Policies, certificates, texts and records are libmtasts' business.  Here is only what sendmail
 * knows: the session (of CurEnv->e_mci), the next hop whose policy counts, and what became of
 * each of its hosts in this attempt at the message, for nothing is final before all have failed.
 *
 * To be compiled with sendmail, whose structures depend on its options: README.  Answers are
 * "none" (nothing speaks against it) or "E:code:status:text"; what is out of order is E:451.
 */
#ifndef SSL_connect
#error "all of sendmail has to be compiled with -DSSL_connect=mtasts_SSL_connect: site.config.m4"
#endif
#undef SSL_connect
#include <sendmail.h>

#if !STARTTLS
#error "MTA-STS needs a sendmail with -DSTARTTLS"
#endif
#if DANE
#include <tls.h>
#endif

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <mtasts.h>

extern SOCKADDR CurHostAddr;
/* map.c's; no header has them, as conf.c's MAPDEF knows */
extern bool map_parseargs __P((MAP *, char *));
extern void null_map_store __P((MAP *, char *, char *));

enum {
	NAME_N = 256,  /* octets of a host or domain, NUL counted */
	ADDR_N = 64,   /* of an address in presentation form */
	WORDS_N = 256, /* of what is said of a failure */
	CERTIFICATES = 12
};

static const char out_of_order[] = "MTA-STS is out of order on this host";

/* ---- the library, opened once a process ---- */

static struct {
	pid_t pid;
	struct mtasts *ctx;
	char *config; /* mtasts.conf(5); NULL: the usual one */
} own;

static void
log_line(void *arg, enum mtasts_log level, const char *text)
{
	static const struct {
		int priority, level;
	} as[] = { [MTASTS_LOG_ERROR] = { LOG_ERR, 0 },
		[MTASTS_LOG_WARNING] = { LOG_WARNING, 3 },
		[MTASTS_LOG_INFO] = { LOG_INFO, 8 },
		[MTASTS_LOG_DEBUG] = { LOG_DEBUG, 13 } };
	const char *id = CurEnv != NULL && CurEnv->e_id != NULL ? CurEnv->e_id : NOQID;

	(void)arg;
	if (LogLevel > as[level].level)
		sm_syslog(as[level].priority, id, "mtasts: %s", text);
}

/* What must not get into a line of the log, nor into rules and replies. */
static void
clean(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\' || *text < ' ' || *text > '~')
			*text = '?';
	}
}

static void
log_error(const char *what, const char *which, int error)
{
	char text[NAME_N + WORDS_N];

	(void)sm_snprintf(
	    text, sizeof text, "%s domain=%s error=\"%s\"", what, which, mtasts_strerror(error));
	log_line(NULL, MTASTS_LOG_ERROR, text);
}

static void forget_all(void);

/* What a process inherits belongs to the one that forked it. */
static void
be_own(void)
{
	if (own.pid != getpid())
		forget_all();
	own.pid = getpid();
}

/* NULL: out of order, which is logged. */
static struct mtasts *
context(void)
{
	struct mtasts_config *config = NULL;
	int r;

	if (own.ctx != NULL)
		return own.ctx;
	r = mtasts_config_load(own.config, &config);
	if (r == 0)
		r = mtasts_new(config, log_line, NULL, &own.ctx);
	if (r != 0)
		log_line(NULL, MTASTS_LOG_ERROR,
		    r == MTASTS_ECONFIG && config != NULL ? mtasts_config_error(config)
							  : mtasts_strerror(r));
	mtasts_config_free(config);
	return own.ctx;
}

/* ---- names and addresses ---- */

/* "mx.example.net." and "[mx.example.net]" as "mx.example.net".  False: no name, or too long. */
static bool
plain_name(const char *host, size_t n, char out[NAME_N])
{
	n -= n > 0 && host[n - 1] == '.';
	if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	}
	n -= n > 0 && host[n - 1] == '.';
	if (n == 0 || n >= NAME_N)
		return false;
	memcpy(out, host, n);
	out[n] = '\0';
	return true;
}

static bool
is_same_name(const char *a, const char *b)
{
	return sm_strcasecmp(a, b) == 0;
}

static bool
is_address(const char *name)
{
	unsigned char in6[16];

	if (sm_strncasecmp(name, "IPv6:", 5) == 0)
		name += 5;
	return inet_pton(AF_INET, name, in6) == 1 || inet_pton(AF_INET6, name, in6) == 1;
}

/* The host name at *list, of a list of q_signature's or mailertable's form; NULL: no more. */
static const char *
next_name(const char **list, char out[NAME_N])
{
	const char *begin = *list, *end;

	while (begin != NULL && *begin != '\0') {
		end = begin[0] == '[' ? strchr(begin, ']') : begin;
		end = end != NULL ? strpbrk(end, ":,") : NULL;
		if (end == NULL)
			end = begin + strlen(begin);
		*list = *end != '\0' ? end + 1 : end;
		if (plain_name(begin, (size_t)(end - begin), out))
			return out;
		begin = *list;
	}
	return NULL;
}

static void
print_address(const SOCKADDR *sa, char out[ADDR_N])
{
	out[0] = '\0';
	if (sa->sa.sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &sa->sin.sin_addr, out, ADDR_N);
#if NETINET6
	else if (sa->sa.sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &sa->sin6.sin6_addr, out, ADDR_N);
#endif
}

static void
address_of(int fd, int (*of)(int, struct sockaddr *, socklen_t *), char out[ADDR_N])
{
	SOCKADDR sa;
	socklen_t n = sizeof sa;

	out[0] = '\0';
	if (fd >= 0 && of(fd, &sa.sa, &n) == 0)
		print_address(&sa, out);
}

/* ---- the handshake ---- */

static struct {
	bool begun; /* and not come about */
	bool failed;
	char why[WORDS_N];
} handshake; /* the last one, until tls_server is asked */

int mtasts_SSL_connect(SSL *ssl);

/* RFC 8461 4.2: SNI is the MX host's name, on every session; DANE may have set its own. */
int
mtasts_SSL_connect(SSL *ssl)
{
	MCI *mci = CurEnv != NULL ? CurEnv->e_mci : NULL;
	const char *reason;
	char mx[NAME_N];
	int r, error;

	be_own();
	if (SSL_in_before(ssl)) { /* not a retry */
		memset(&handshake, 0, sizeof handshake);
		handshake.begun = true;
		if (mci != NULL && mci->mci_host != NULL &&
		    plain_name(mci->mci_host, strlen(mci->mci_host), mx) && !is_address(mx) &&
		    SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) == NULL)
			(void)SSL_set_tlsext_host_name(ssl, mx);
	}
	r = SSL_connect(ssl);
	error = r > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, r);
	if (r > 0)
		handshake.begun = false; /* should sendmail fail after it, the fault is ours */
	if (r <= 0 && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
		reason = ERR_reason_error_string(ERR_peek_last_error());
		handshake.failed = true;
		(void)sm_strlcpy(handshake.why, reason != NULL ? reason : "connection lost",
		    sizeof handshake.why);
	}
	return r;
}

/* ---- sessions: one for each connection of sendmail's connection cache ---- */

struct session {
	MCI *mci; /* NULL: free */
	const SSL *ssl;
	unsigned long serial, used;
	char mx[NAME_N]; /* the MX record's name */
	char mx_ip[ADDR_N], local_ip[ADDR_N];
	enum mtasts_tls tls;
	char words[WORDS_N];
	bool dane, dane_failed;
	bool is_ours; /* no fault of the host's: leaves no record */
	char **told;  /* the domains it is recorded for */
	size_t n_told;
};

static char refusal[MTASTS_TEXT_MAX + 16]; /* the last one, with its codes */
static struct session *sessions;
static size_t n_sessions;
static unsigned long serials, uses;

static void
session_clear(struct session *s)
{
	while (s->n_told > 0)
		free(s->told[--s->n_told]);
	free(s->told);
	memset(s, 0, sizeof *s);
}

/* NULL: none.  mci_ssl itself dangles when sendmail fails between handshake and its use. */
static SSL *
tls_of(const MCI *mci)
{
	return bitset(MCIF_TLSACT, mci->mci_flags) ? mci->mci_ssl : NULL;
}

/* RFC 8461 4.2, on the certificates that the host has shown. */
static void
session_check(struct session *s, SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	struct mtasts_certificate der[CERTIFICATES];
	struct mtasts *ctx = context();
	size_t n = 0;

	s->tls = MTASTS_TLS_FAILED;
	if (ctx == NULL) {
		s->is_ours = true;
		(void)sm_strlcpy(s->words, out_of_order, sizeof s->words);
		return;
	}
	while (n < CERTIFICATES && (int)n < sk_X509_num(chain)) {
		unsigned char *p = NULL;
		int octets = i2d_X509(sk_X509_value(chain, (int)n), &p);

		if (octets <= 0)
			break;
		der[n].der = p;
		der[n++].n = (size_t)octets;
	}
	s->tls = mtasts_certificate_check(ctx, der, n, s->mx, s->words, sizeof s->words);
	while (n > 0)
		OPENSSL_free((void *)(uintptr_t)der[--n].der);
}

/* The session's TLS, when it came about. */
static void
session_up(struct session *s, MCI *mci)
{
	SSL *ssl = tls_of(mci);

	session_check(s, ssl);
	if (SSL_version(ssl) < TLS1_2_VERSION) { /* RFC 8461 7.2 */
		s->tls = MTASTS_TLS_FAILED;
		(void)sm_strlcpy(s->words, SSL_get_version(ssl), sizeof s->words);
	}
#if DANE
	s->dane = mci->mci_tlsi.tlsi_dvc.dane_vrfy_res == DANE_VRFY_OK;
	s->dane_failed = mci->mci_tlsi.tlsi_dvc.dane_vrfy_res == DANE_VRFY_FAIL;
#endif
}

static void
session_is(struct session *s, enum mtasts_tls tls, bool is_ours, const char *words)
{
	s->tls = tls;
	s->is_ours = is_ours;
	(void)sm_strlcpy(s->words, words, sizeof s->words);
}

/* And when it did not, by sendmail's ${verify}; SmtpError has a 4yz reply, or what we put there. */
static void
session_down(struct session *s, MCI *mci, const char *verify)
{
	bool answered = SmtpError[0] == '4' && strcmp(SmtpError, refusal) != 0;

	if (handshake.begun)
		session_is(s, MTASTS_TLS_FAILED, false,
		    handshake.failed ? handshake.why : "handshake timed out");
	else if (strncmp(verify, "DANE_", 5) == 0)
		session_is(s, MTASTS_TLS_NOT_OFFERED, false, "not offered");
	else if (strcmp(verify, "NONE") == 0 && bitset(MCIF_TLS, mci->mci_flags))
		session_is(s, MTASTS_TLS_FAILED, true, "STARTTLS is not used with this host");
	else if (strcmp(verify, "NONE") == 0)
		session_is(s, MTASTS_TLS_NOT_OFFERED, false, "not offered");
	else if (strcmp(verify, "TEMP") == 0 && answered)
		session_is(s, MTASTS_TLS_NOT_OFFERED, false, SmtpError);
	else if (strcmp(verify, "PROTOCOL") == 0)
		session_is(s, MTASTS_TLS_FAILED, false, "unexpected answer to STARTTLS");
	else if (strcmp(verify, "FAILURE") == 0)
		session_is(s, MTASTS_TLS_FAILED, false, "connection lost after STARTTLS");
	else
		session_is(s, MTASTS_TLS_FAILED, true, "STARTTLS does not work on this host");
	s->dane_failed = strncmp(verify, "DANE_", 5) == 0;
}

/* The place of the connection, or the one longest unused.  NULL: no memory. */
static struct session *
session_slot(const MCI *mci)
{
	struct session *oldest;

	if (sessions == NULL) {
		n_sessions = (size_t)(MaxMciCache > 0 ? MaxMciCache : 0) + 2;
		sessions = calloc(n_sessions, sizeof *sessions);
		if (sessions == NULL)
			return NULL;
	}
	oldest = &sessions[0];
	for (size_t i = 0; i < n_sessions; i++) {
		if (sessions[i].mci == mci)
			return &sessions[i];
		if (sessions[i].used < oldest->used)
			oldest = &sessions[i];
	}
	return oldest;
}

/*
 * What is known of the connection of the moment.  verify is ${verify} when tls_server asks, NULL
 * later on.  The second connection of TLSFallbacktoClear continues the first.  So does one in
 * clear of which tls_server is asked again: a cached one, for every message; and one on which AUTH
 * has begun a layer of its own, for AUTH comes after tls_server and is over with the connection.
 */
static struct session *
session_of(MCI *mci, const char *verify)
{
	struct session *s = session_slot(mci);
	SSL *ssl = tls_of(mci);
	bool is_again =
	    mci->mci_deliveries > 0 || (bitset(MCIF_AUTHACT, mci->mci_flags) && !handshake.begun);
	bool is_new = verify != NULL && !is_again && strcmp(verify, "CLEAR") != 0;

	if (s == NULL)
		return NULL;
	s->used = ++uses;
	if (s->mci == mci && s->ssl == ssl && !is_new)
		return s;
	session_clear(s);
	if (mci->mci_host == NULL || !plain_name(mci->mci_host, strlen(mci->mci_host), s->mx))
		return NULL;
	s->mci = mci;
	s->ssl = ssl;
	s->serial = ++serials;
	s->used = ++uses;
	int fd = ssl != NULL	       ? SSL_get_fd(ssl)
		 : mci->mci_in != NULL ? sm_io_getinfo(mci->mci_in, SM_IO_WHAT_FD, NULL)
				       : -1;
	address_of(fd, getpeername, s->mx_ip);
	if (s->mx_ip[0] == '\0')
		print_address(&CurHostAddr, s->mx_ip); /* the host has closed the connection */
	address_of(fd, getsockname, s->local_ip);
	if (ssl != NULL)
		session_up(s, mci);
	else
		session_down(s, mci, verify != NULL ? verify : "");
	memset(&handshake, 0, sizeof handshake);
	return s;
}

static struct mtasts_attempt
session_attempt(const struct session *s)
{
	struct mtasts_attempt attempt = { .mx_host = s->mx,
		.tls = s->tls,
		.mx_ip = s->mx_ip[0] != '\0' ? s->mx_ip : NULL,
		.local_ip = s->local_ip[0] != '\0' ? s->local_ip : NULL,
		.detail = s->words[0] != '\0' ? s->words : NULL,
		.dane = s->dane,
		.dane_failed = s->dane_failed };

	return attempt;
}

/* True once for each domain.  Without memory: false, for a record too few is no harm. */
static bool
session_is_to_tell(struct session *s, const char *domain)
{
	char **grown;

	if (s->is_ours)
		return false;
	for (size_t i = 0; i < s->n_told; i++) {
		if (is_same_name(s->told[i], domain))
			return false;
	}
	grown = realloc(s->told, (s->n_told + 1) * sizeof *grown);
	if (grown == NULL)
		return false;
	s->told = grown;
	s->told[s->n_told] = strdup(domain);
	return s->told[s->n_told] != NULL && ++s->n_told != 0;
}

/* ---- rounds: what became of a domain's hosts in this attempt at the message ---- */

struct outcome {
	char mx[NAME_N];
	struct mtasts_attempt attempt; /* mx_host is mx; no other pointers */
};

struct round {
	struct round *next;
	char domain[NAME_N];
	struct mtasts_policy *policy;  /* NULL: the domain can have none, or see closed */
	struct mtasts_decision closed; /* not DELIVER: nothing may be sent, whatever the host */
	struct outcome *outcomes;      /* one for each host */
	size_t n_outcomes;
	unsigned long serial; /* of the session that decision is of */
	struct mtasts_decision decision;
};

static struct {
	char id[64]; /* of the envelope */
	int tries;   /* before this one */
	struct round *rounds;
} delivery;

static void
delivery_clear(void)
{
	struct round *round;

	while ((round = delivery.rounds) != NULL) {
		delivery.rounds = round->next;
		mtasts_policy_free(round->policy);
		free(round->outcomes);
		free(round);
	}
	memset(&delivery, 0, sizeof delivery);
}

static void
forget_all(void)
{
	delivery_clear();
	for (size_t i = 0; i < n_sessions; i++)
		session_clear(&sessions[i]);
	free(sessions);
	sessions = NULL;
	n_sessions = 0;
	memset(&handshake, 0, sizeof handshake);
	mtasts_free(own.ctx);
	own.ctx = NULL;
}

static struct mtasts_decision
defer(const char *enhanced, const char *text)
{
	struct mtasts_decision decision = { .action = MTASTS_DEFER, .smtp_code = 451 };

	(void)sm_strlcpy(decision.enhanced, enhanced, sizeof decision.enhanced);
	(void)sm_strlcpy(decision.text, text, sizeof decision.text);
	return decision;
}

static bool
is_ascii(const char *s)
{
	while (*s != '\0' && (unsigned char)*s < 0x80)
		s++;
	return *s == '\0';
}

static void
round_look_up(struct round *round)
{
	struct mtasts *ctx;
	int r;

	if (!is_ascii(round->domain)) { /* its policy is under the A-label */
		round->closed = defer("4.3.0", "the name of the domain is not in A-labels");
		return;
	}
	ctx = context();
	r = ctx != NULL ? mtasts_lookup(ctx, round->domain, 0, 0, &round->policy) : MTASTS_ECACHE;
	if (r == MTASTS_ENAME) /* R3.4.2: an address literal, or nothing that has MX records */
		return;
	if (r == 0) /* no host yet: whether anything may be sent at all */
		r = mtasts_decide(ctx, &round->policy, NULL, 0, 0, -1, 0, &round->closed);
	if (r == 0)
		return;
	if (ctx != NULL)
		log_error("lookup", round->domain, r);
	round->closed = defer("4.3.0", out_of_order);
}

/* NULL: no memory. */
static struct round *
round_of(const ENVELOPE *e, const char *domain)
{
	const char *id = e->e_id != NULL ? e->e_id : "";
	struct round *round;

	if (strcmp(delivery.id, id) != 0 || delivery.tries != e->e_ntries) {
		delivery_clear();
		(void)sm_strlcpy(delivery.id, id, sizeof delivery.id);
		delivery.tries = e->e_ntries;
	}
	for (round = delivery.rounds; round != NULL; round = round->next) {
		if (is_same_name(round->domain, domain))
			return round;
	}
	round = calloc(1, sizeof *round);
	if (round == NULL)
		return NULL;
	(void)sm_strlcpy(round->domain, domain, sizeof round->domain);
	round_look_up(round);
	round->next = delivery.rounds;
	delivery.rounds = round;
	return round;
}

static struct outcome *
round_find(const struct round *round, const char *mx)
{
	for (size_t i = 0; i < round->n_outcomes; i++) {
		if (is_same_name(round->outcomes[i].mx, mx))
			return &round->outcomes[i];
	}
	return NULL;
}

/*
 * The latest that is known of a host.  What cannot be remembered, or was no fault of the host's,
 * counts as never reached: nothing is final for that.
 */
static void
round_remember(struct round *round, const struct mtasts_attempt *attempt, bool is_ours)
{
	struct outcome *o = round_find(round, attempt->mx_host);
	struct outcome *grown;

	if (o == NULL) {
		grown = realloc(round->outcomes, (round->n_outcomes + 1) * sizeof *grown);
		if (grown == NULL)
			return;
		round->outcomes = grown;
		o = &grown[round->n_outcomes++];
		(void)sm_strlcpy(o->mx, attempt->mx_host, sizeof o->mx);
	}
	o->attempt = (struct mtasts_attempt){ .tls = is_ours ? MTASTS_TLS_UNREACHED : attempt->tls,
		.mx_secure = attempt->mx_secure,
		.dane = attempt->dane,
		.dane_failed = attempt->dane_failed };
}

/*
 * An attempt for each host of the signature, all of which have to fail before anything is final.
 * One that has not been tried in this attempt, or was not reached, is UNREACHED: not yet.  How
 * many; 0 when there are more than sendmail itself would try.
 */
static size_t
round_attempts(const struct round *round, const char *signature,
    struct mtasts_attempt attempts[MAXMXHOSTS], char names[MAXMXHOSTS][NAME_N])
{
	const struct outcome *o;
	size_t n = 0;

	while (n < MAXMXHOSTS && next_name(&signature, names[n]) != NULL) {
		o = round_find(round, names[n]);
		attempts[n] =
		    o != NULL ? o->attempt : (struct mtasts_attempt){ .tls = MTASTS_TLS_UNREACHED };
		attempts[n].mx_host = names[n];
		n++;
	}
	return n;
}

/* ---- verdicts ---- */

/* Whether the name's MX records have the host, and with secure not NULL, by DNSSEC. */
static bool
leads_to(const char *name, const char *mx, bool *secure)
{
	struct mtasts_mxset *set = NULL;
	bool found = false;

	if (context() == NULL || mtasts_mx_lookup(context(), name, 0, &set) != 0)
		return false;
	for (size_t i = 0; i < mtasts_mxset_count(set); i++)
		found = found || is_same_name(mtasts_mxset_host(set, i), mx);
	if (secure != NULL)
		*secure = found && mtasts_mxset_secure(set);
	mtasts_mxset_free(set);
	return found;
}

/* What the session is worth to the domain; leaves the one record of it. */
static struct mtasts_verdict
judge(struct round *round, struct session *s, struct mtasts_attempt *attempt)
{
	struct mtasts_attempt untried = { .tls = MTASTS_TLS_UNTRIED, .mx_host = s->mx };
	struct mtasts_verdict verdict;
	bool secure = false;
	int r;

	*attempt = session_attempt(s);
	verdict = mtasts_judge(round->policy, attempt);
	if (attempt->dane && verdict.finding != MTASTS_NOTHING_WRONG) { /* RFC 8461 4.1 */
		(void)leads_to(round->domain, s->mx, &secure);
		attempt->mx_secure = secure;
		verdict = mtasts_judge(round->policy, attempt);
	}
	round_remember(round, attempt, s->is_ours);
	if (!session_is_to_tell(s, round->domain))
		return verdict;
	untried.mx_secure = attempt->mx_secure;
	untried.dane = attempt->dane;
	if (!attempt->dane_failed &&
	    mtasts_judge(round->policy, &untried).finding != MTASTS_NOTHING_WRONG)
		attempt->detail = "mx-mismatch"; /* RFC 8460 4.3.2: not TLS' fault */
	r = mtasts_record(own.ctx, round->policy, attempt, verdict);
	if (r != 0 && r != MTASTS_EREPORT) /* which is told where it happens */
		log_error("record", round->domain, r);
	return verdict;
}

/* Why, for the answer only has the type. */
static void
log_refusal(const struct round *round, const struct session *s, const struct mtasts_decision *reply)
{
	char words[WORDS_N], line[3 * NAME_N + WORDS_N + MTASTS_TEXT_MAX];

	(void)sm_strlcpy(words, s->words, sizeof words);
	clean(words);
	(void)sm_snprintf(line, sizeof line,
	    "refused domain=%s mx=%s ip=%s reply=\"%d %s %s\" tls=\"%s\"", round->domain, s->mx,
	    s->mx_ip, reply->smtp_code, reply->enhanced, reply->text, words);
	log_line(NULL, MTASTS_LOG_WARNING, line);
}

/*
 * A refusal in words: final if all hosts of the signature have failed in this attempt and all that
 * mtasts_decide() asks for is true, after which another policy may be in force; otherwise of this
 * host alone, and sendmail goes on to the next.
 */
static struct mtasts_decision
refuse(struct round *round, struct session *s, const char *signature, int64_t age)
{
	static struct mtasts_attempt attempts[MAXMXHOSTS];
	static char names[MAXMXHOSTS][NAME_N];
	struct mtasts_decision decision = { .action = MTASTS_DELIVER };
	struct mtasts_attempt attempt;
	size_t n = round_attempts(round, signature, attempts, names);
	int r = 0;

	if (n > 0)
		r = mtasts_decide(own.ctx, &round->policy, attempts, n, age, -1, 0, &decision);
	if (r == 0 && decision.action == MTASTS_DELIVER) {
		if (judge(round, s, &attempt).deliver)
			return decision;
		r = mtasts_decide(own.ctx, &round->policy, &attempt, 1, 0, INT32_MAX, 0, &decision);
	}
	if (r != 0)
		log_error("decide", round->domain, r);
	if (r != 0 || decision.action == MTASTS_DELIVER)
		decision = defer("4.3.0", out_of_order);
	log_refusal(round, s, &decision);
	return decision;
}

/* May a recipient of the domain be given to this session? */
static struct mtasts_decision
decide(const ENVELOPE *e, struct session *s, const char *domain, const char *signature)
{
	struct mtasts_decision deliver = { .action = MTASTS_DELIVER };
	struct round *round = round_of(e, domain);
	struct mtasts_attempt attempt;
	struct mtasts_verdict verdict;

	if (round == NULL)
		return defer("4.3.0", mtasts_strerror(MTASTS_ENOMEM));
	if (round->closed.action != MTASTS_DELIVER || round->policy == NULL)
		return round->closed;
	if (round->serial == s->serial)
		return round->decision;
	verdict = judge(round, s, &attempt);
	round->decision = verdict.deliver
			      ? deliver
			      : refuse(round, s, signature, (int64_t)(curtime() - e->e_ctime));
	round->serial = s->serial;
	return round->decision;
}

/* ---- whose policy counts, R3.4.1: the next hop's ---- */

static bool
is_smtp(const MAILER *m)
{
	return m != NULL && m->m_mailer != NULL && strcmp(m->m_mailer, "[IPC]") == 0 &&
	       m->m_argv[0] != NULL && strcmp(m->m_argv[0], "TCP") == 0 &&
	       !bitnset(M_LMTP, m->m_flags);
}

/*
 * The next hop is what the mailer connects to, $h in all usual ones, and of a list the name that
 * led to the host.  *signature gets the hosts that will all be tried for that one name, or "".
 * False: none, which is_fault says is not right.
 */
static bool
next_hop(ENVELOPE *e, const ADDRESS *a, const char *mx, char domain[NAME_N], const char **signature,
    bool *is_fault)
{
	const char *argument = a->q_mailer->m_argv[1], *list = a->q_host;
	char name[NAME_N], expanded[MAXNAME];
	size_t n = 0;

	*is_fault = false;
	*signature = a->q_signature != NULL ? a->q_signature : "";
	if (argument != NULL && strcmp(argument, "\201h") != 0) {
		expand((char *)(uintptr_t)argument, expanded, sizeof expanded, e);
		list = expanded;
		*signature = "";
	}
	if (list == NULL || list[0] == '\0')
		return false;
	*is_fault = true;
	for (const char *rest = list; next_name(&rest, name) != NULL; n++)
		(void)sm_strlcpy(domain, name, NAME_N);
	if (n <= 1)
		return n == 1;
	*signature = "";
	while (next_name(&list, domain) != NULL) {
		if (is_same_name(domain, mx) || leads_to(domain, mx, NULL))
			return true;
	}
	return false;
}

static struct mtasts_decision
decide_recipient(ENVELOPE *e, struct session *s, const ADDRESS *a)
{
	struct mtasts_decision deliver = { .action = MTASTS_DELIVER };
	const char *signature;
	char domain[NAME_N];
	bool is_fault;

	if (!is_smtp(a->q_mailer))
		return deliver;
	if (next_hop(e, a, s->mx, domain, &signature, &is_fault))
		return decide(e, s, domain, signature);
	return is_fault ? defer("4.3.0", "MTA-STS cannot tell whose host this is") : deliver;
}

/* ---- what sendmail asks ---- */

/*
 * E:451:4.7.5:"text": quoted, so that it stays as it is.  Rules take no word over MAXNAME octets,
 * the quotes counted, so a longer text is cut; mark() has all of it.
 */
static void
say(char *answer, size_t cap, const struct mtasts_decision *decision)
{
	char text[MAXNAME - 2];

	(void)sm_strlcpy(text, decision->text, sizeof text);
	clean(text);
	(void)sm_snprintf(
	    answer, cap, "E:%d:%s:\"%s\"", decision->smtp_code, decision->enhanced, text);
}

/*
 * The words of deliver()'s own lines in log, queue and DSN, which it makes up if there are none;
 * and an earlier host's are gone.
 */
static void
mark(const ENVELOPE *e, ADDRESS *a, const struct mtasts_decision *decision)
{
	a->q_status = a->q_rstatus = NULL;
	if (decision->action == MTASTS_DELIVER)
		return;
	(void)sm_snprintf(refusal, sizeof refusal, "%d %s %s", decision->smtp_code,
	    decision->enhanced, decision->text);
	a->q_status = sm_rpool_strdup_x(e->e_rpool, decision->enhanced);
	a->q_rstatus = sm_rpool_strdup_x(e->e_rpool, refusal);
	(void)sm_strlcpy(SmtpError, refusal, sizeof SmtpError);
	/* an earlier recipient's error would make rscheck() take this one for as final as that */
	if (decision->action == MTASTS_DEFER)
		ExitStat = EX_TEMPFAIL;
}

/* tls_rcpt: deliver() has set e_to to this very string, and the state to "ok so far". */
static struct mtasts_decision
ask_recipient(ENVELOPE *e)
{
	struct mtasts_decision decision;
	struct session *s;
	ADDRESS *a;

	for (a = e->e_sendqueue; a != NULL; a = a->q_next) {
		if (a->q_paddr == e->e_to && QS_IS_OK(a->q_state))
			break;
	}
	if (a == NULL || e->e_mci == NULL) /* sendmail -bt, to see whether all is well */
		return defer(
		    "4.3.0", context() != NULL ? "MTA-STS is asked of no recipient" : out_of_order);
	s = is_smtp(a->q_mailer) ? session_of(e->e_mci, NULL) : NULL;
	if (s != NULL)
		decision = decide_recipient(e, s, a);
	else if (is_smtp(a->q_mailer))
		decision = defer("4.3.0", out_of_order);
	else
		decision = (struct mtasts_decision){ .action = MTASTS_DELIVER };
	mark(e, a, &decision);
	return decision;
}

/* Up to the first ':' outside brackets: the hosts of the best preference. */
static size_t
first_group(const char *signature)
{
	const char *p = signature;
	int depth = 0;

	for (; *p != '\0' && (*p != ':' || depth > 0); p++)
		depth += *p == '[' ? 1 : *p == ']' ? -1 : 0;
	return (size_t)(p - signature);
}

/*
 * Is the recipient of the transaction that deliver() is about to begin?  Those of its first one's
 * next hop are, and those whose hosts are all the same, or as far as this host is concerned.
 */
static bool
is_of_transaction(const ADDRESS *a, const ADDRESS *first, const char *mx)
{
	size_t n = first_group(first->q_signature);

	if (!QS_IS_UNMARKED(a->q_state) || a->q_mailer != first->q_mailer || a->q_host == NULL ||
	    a->q_signature == NULL)
		return false;
	if (is_same_name(a->q_host, first->q_host))
		return true;
	if (!bitnset(M_MUSER, a->q_mailer->m_flags))
		return false;
	if (strcmp(a->q_signature, first->q_signature) == 0)
		return true;
	for (const char *rest = first->q_signature; rest < first->q_signature + n;) {
		char name[NAME_N];

		if (next_name(&rest, name) != NULL && is_same_name(name, mx))
			return n == first_group(a->q_signature) &&
			       strncmp(a->q_signature, first->q_signature, n) == 0;
	}
	return false;
}

/* $h is its next hop: deliver() has set it. */
static ADDRESS *
first_of_transaction(ENVELOPE *e)
{
	const char *host = macvalue('h', e);
	ADDRESS *a;

	for (a = e->e_sendqueue; a != NULL && host != NULL; a = a->q_next) {
		if (QS_IS_UNMARKED(a->q_state) && a->q_mailer == e->e_mci->mci_mailer &&
		    a->q_host != NULL && a->q_signature != NULL && strcmp(a->q_host, host) == 0)
			return a;
	}
	return NULL;
}

/* No tls_rcpt will be asked: sendmail gives the host up after this. */
static bool
is_over(const char *verify)
{
	static const char *const ends[] = { "SOFTWARE", "FAILURE", "PROTOCOL", "CONFIG" };

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		if (strcmp(verify, ends[i]) == 0)
			return true;
	}
	return strncmp(verify, "DANE_", 5) == 0;
}

/*
 * Final for each of the transaction, in words of its own.  deliver() fails those that are "ok so
 * far", and would pass over those an earlier host has left for the next.
 */
static void
fail_all(ENVELOPE *e, struct session *s, ADDRESS *first)
{
	struct mtasts_decision decision;

	for (ADDRESS *a = first; a != NULL; a = a->q_next) {
		if (!is_of_transaction(a, first, s->mx))
			continue;
		decision = decide_recipient(e, s, a);
		mark(e, a, &decision);
		a->q_state = QS_OK;
	}
	e->e_mci->mci_lastuse = 0;
}

/*
 * tls_server: the session is recorded for all that may go over it.  The answer counts only if this
 * is its end; final, it must not stay with the host, where it would strike the next message too.
 */
static struct mtasts_decision
ask_server(ENVELOPE *e, const char *verify)
{
	struct mtasts_decision deliver = { .action = MTASTS_DELIVER }, all = deliver, one;
	MCI *mci = e->e_mci;
	ADDRESS *first;
	struct session *s;
	size_t n = 0, n_open = 0;

	if (mci == NULL || !is_smtp(mci->mci_mailer))
		return deliver;
	s = session_of(mci, verify); /* in any case: what was known of an earlier one is over */
	first = first_of_transaction(e);
	if (s == NULL || first == NULL)
		return deliver; /* tls_rcpt finds the same */
	for (const ADDRESS *a = first; a != NULL; a = a->q_next) {
		if (!is_of_transaction(a, first, s->mx))
			continue;
		one = decide_recipient(e, s, a);
		n_open += one.action == MTASTS_DELIVER;
		if (n++ == 0 || (one.action == MTASTS_DEFER && all.action == MTASTS_FAIL))
			all = one;
	}
	if (n_open > 0 || !is_over(verify))
		return deliver;
	if (all.action == MTASTS_FAIL)
		fail_all(e, s, first);
	return all;
}

bool mtasts_map_parse(MAP *map, char *arguments);
bool mtasts_map_open(MAP *map, int mode);
void mtasts_map_close(MAP *map);
char *mtasts_map_lookup(MAP *map, char *key, char **arguments, int *status);

bool
mtasts_map_parse(MAP *map, char *arguments)
{
	if (!map_parseargs(map, arguments))
		return false;
	own.config = map->map_file;
	return true;
}

bool
mtasts_map_open(MAP *map, int mode)
{
	(void)map;
	if (mode == O_RDONLY)
		return true;
	errno = EPERM;
	return false;
}

void
mtasts_map_close(MAP *map)
{
	(void)map;
	forget_all();
}

/* Never "not found": the rules take that for an error. */
char *
mtasts_map_lookup(MAP *map, char *key, char **arguments, int *status)
{
	struct mtasts_decision decision;
	char answer[MTASTS_TEXT_MAX + 32] = "none";

	*status = EX_OK;
	be_own();
	if (CurEnv == NULL)
		decision = defer("4.3.0", "MTA-STS is asked of no message");
	else if (strcmp(key, "rcpt") == 0)
		decision = ask_recipient(CurEnv);
	else if (strcmp(key, "server") == 0 && arguments != NULL && arguments[0] != NULL &&
		 arguments[1] != NULL)
		decision = ask_server(CurEnv, arguments[1]);
	else
		decision = defer("4.3.0", "MTA-STS is asked what it does not know");
	if (decision.action != MTASTS_DELIVER)
		say(answer, sizeof answer, &decision);
	return map_rewrite(map, answer, strlen(answer), NULL);
}

#if !MTASTS_MAP
/* What conf.c's MAPDEF does, before main(): nothing it needs has to be set up.  Or conf.c.patch. */
__attribute__((constructor)) static void
register_class(void)
{
	STAB *class = stab("mtasts", ST_MAPCLASS, ST_ENTER);

	class->s_mapclass.map_cname = "mtasts";
	class->s_mapclass.map_ext = NULL;
	class->s_mapclass.map_cflags = MCF_OPTFILE;
	class->s_mapclass.map_parse = mtasts_map_parse;
	class->s_mapclass.map_open = mtasts_map_open;
	class->s_mapclass.map_close = mtasts_map_close;
	class->s_mapclass.map_lookup = mtasts_map_lookup;
	class->s_mapclass.map_store = null_map_store;
}
#endif

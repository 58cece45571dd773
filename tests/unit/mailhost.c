/* SPDX-License-Identifier: ISC
 *
 * Scripts, one step after the other; whatever fails ends the connection.
 */
#include "mailhost.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/buf.h"
#include "unit.h"

struct side {
	int fd;
	SSL *ssl;
	SSL_CTX *tls;
	bool is_bytewise;
	struct buf log;
	char in[65536];
	size_t at, n;
};

static void
rest(int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

/* ---- octets ---- */

static int
get(struct side *side)
{
	if (side->at == side->n) {
		int n = side->ssl != NULL ? SSL_read(side->ssl, side->in, sizeof side->in)
					  : (int)recv(side->fd, side->in, sizeof side->in, 0);
		if (n <= 0)
			return -1;
		side->at = 0;
		side->n = (size_t)n;
	}
	return (unsigned char)side->in[side->at++];
}

static bool
put(struct side *side, const char *p, size_t n)
{
	size_t step = side->is_bytewise ? 1 : n;

	for (size_t at = 0; at < n; at += step) {
		int r = side->ssl != NULL ? SSL_write(side->ssl, p + at, (int)step)
					  : (int)send(side->fd, p + at, step, MSG_NOSIGNAL);
		if (r != (int)step)
			return false;
		if (side->is_bytewise)
			rest(1);
	}
	return true;
}

/* In one write. */
static bool
put_lines(struct side *side, struct span text)
{
	char storage[8192];
	struct buf out;

	buf_init(&out, storage, sizeof storage);
	for (size_t i = 0; i < text.n; i++)
		buf_put(&out, text.p[i] == '|' ? span_of("\r\n") : span_make(text.p + i, 1));
	return put(side, out.p, out.n);
}

/* ---- steps ---- */

static bool
read_line(struct side *side)
{
	int c;

	while ((c = get(side)) >= 0) {
		if (c != '\r')
			buf_putc(&side->log, (char)c);
		if (c == '\n')
			return true;
	}
	buf_puts(&side->log, "eof\n");
	return false;
}

/* RFC 5321 4.5.2 */
static bool
read_body(struct side *side)
{
	static const char end[] = "\r\n.\r\n";
	size_t matched = 2, n = 0;
	int c;

	while (matched < 5 && (c = get(side)) >= 0) {
		n++;
		if (c == end[matched])
			matched++;
		else
			matched = c == '\r' ? 1 : 0;
	}
	buf_printf(&side->log, matched == 5 ? "body %zu octets\n" : "eof after %zu octets\n", n);
	return matched == 5;
}

static bool
shake_hands(struct side *side)
{
	side->ssl = SSL_new(side->tls);
	SSL_set_fd(side->ssl, side->fd);
	if (SSL_accept(side->ssl) != 1) {
		buf_puts(&side->log, "no tls\n");
		return false;
	}
	const char *sni = SSL_get_servername(side->ssl, TLSEXT_NAMETYPE_host_name);
	buf_printf(&side->log, "tls sni=%s\n", sni != NULL ? sni : "-");
	return true;
}

static bool
read_end(struct side *side)
{
	while (get(side) >= 0)
		;
	bool is_said = side->ssl != NULL && (SSL_get_shutdown(side->ssl) & SSL_RECEIVED_SHUTDOWN);
	buf_puts(&side->log, is_said ? "close_notify\n" : "eof\n");
	return true;
}

/* It was blocked before there was this process. */
static void
signal_wait(void)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwait(&set, &number);
}

static bool
step(struct side *side, struct span line)
{
	char text[8192];
	uint64_t ms = 0;

	if (span_begins(line, "> ")) {
		buf_keep(text, sizeof text - 2, span_from(line, 2));
		strcat(text, "\r\n");
		return put(side, text, line.n);
	}
	if (span_begins(line, ">> "))
		return put_lines(side, span_from(line, 3));
	if (span_is(line, "<"))
		return read_line(side);
	if (span_is(line, "body"))
		return read_body(side);
	if (span_is(line, "tls"))
		return shake_hands(side);
	if (span_is(line, "eof"))
		return read_end(side);
	if (span_begins(line, "wait ") && span_u64(span_from(line, 5), 6, 100000, &ms) == 0)
		rest((int)ms);
	while (span_is(line, "hold"))
		pause();
	if (span_is(line, "signal"))
		signal_wait();
	side->is_bytewise = side->is_bytewise || span_is(line, "bytes");
	return !span_is(line, "close");
}

static void
serve(struct side *side, const char *script)
{
	struct span text = span_of(script);
	bool goes_on = true;

	while (goes_on && text.n != 0) {
		size_t end = span_find(text, '\n');
		goes_on = step(side, span_make(text.p, end));
		text = span_from(text, end + 1);
	}
	if (goes_on && side->ssl != NULL)
		SSL_shutdown(side->ssl);
	SSL_free(side->ssl);
	close(side->fd);
}

static int
staple(SSL *ssl, void *arg)
{
	const struct mailhost_tls *tls = arg;

	if (tls->staple == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	unsigned char *copy = OPENSSL_memdup(tls->staple, tls->staple_n);
	SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)tls->staple_n);
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *
context(const struct mailhost_tls *tls)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_cipher_list(ctx, tls->ciphers != NULL ? tls->ciphers : "DEFAULT:@SECLEVEL=0");
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	if (tls->max_version != 0)
		SSL_CTX_set_max_proto_version(ctx, tls->max_version);
	SSL_CTX_set_tlsext_status_cb(ctx, staple);
	SSL_CTX_set_tlsext_status_arg(ctx, (void *)(uintptr_t)tls);
	SSL_CTX_use_certificate(ctx, tls->chain[0]->x);
	SSL_CTX_use_PrivateKey(ctx, tls->chain[0]->key);
	for (size_t i = 1; i < 3 && tls->chain[i] != NULL; i++)
		SSL_CTX_add1_chain_cert(ctx, tls->chain[i]->x);
	return ctx;
}

static void
run(int listener, const char *script, size_t n, const struct mailhost_tls *tls, char *log)
{
	static struct side side;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	side.tls = tls != NULL ? context(tls) : NULL;
	buf_init(&side.log, log, MAILHOST_LOG);
	for (size_t i = 0; i < n; i++) {
		side.fd = accept(listener, NULL, NULL);
		side.ssl = NULL;
		side.is_bytewise = false;
		side.at = side.n = 0;
		serve(&side, script);
	}
	SSL_CTX_free(side.tls);
	_exit(0);
}

void
mailhost_start(struct mailhost *host, const char *script, size_t n, const struct mailhost_tls *tls)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int window = 65536; /* does not grow: who does not read is full soon */

	ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &window, sizeof window), 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(listen(listener, 128), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	memset(&host->address, 0, sizeof host->address);
	memcpy(&host->address, &address, sizeof address);
	host->log =
	    mmap(NULL, MAILHOST_LOG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(host->log, MAP_FAILED);
	sigset_t set, before;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &before);
	host->pid = fork();
	if (host->pid == 0)
		run(listener, script, n, tls, host->log);
	sigprocmask(SIG_SETMASK, &before, NULL);
	ck_assert_int_gt(host->pid, 0);
	close(listener);
}

void
mailhost_end(struct mailhost *host, bool wait)
{
	int status = 0;

	for (int i = 0; wait && i < 1000; i++) {
		if (waitpid(host->pid, &status, WNOHANG) == host->pid) {
			munmap(host->log, MAILHOST_LOG);
			ck_assert_int_eq(status, 0);
			return;
		}
		rest(10);
	}
	kill(host->pid, SIGKILL);
	waitpid(host->pid, &status, 0);
	munmap(host->log, MAILHOST_LOG);
	ck_assert_msg(!wait, "the mail host waits for something");
}

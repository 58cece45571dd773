/* SPDX-License-Identifier: ISC
 *
 * An MX host that takes all mail as fast as it can and keeps none of it: SMTP with STARTTLS, a
 * thread a connection.  Answers at once, or keeps who has sent a message waiting.
 *
 *	sink [-h SECONDS] [-n MESSAGES] ADDRESS NAME FILE
 *
 * FILE: certificate and key.  Prints "ready"; then, at each MESSAGES-th message, a line: time of
 * the first connection since the last line, time of this message (both in microseconds of the
 * clock), connections, handshakes.  -h: the answer to a message comes so much later.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 16384, STACK = 256 * 1024 };

static struct {
	pthread_mutex_t lock;
	int64_t first, messages;
	int connections, handshakes;
} count = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const char *name;
static SSL_CTX *tls;
static long every = 1, hold;

struct client {
	int fd;
	SSL *ssl; /* NULL: in clear */
	size_t n, at;
	char buffer[BUFFER + 1];
};

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
connected(void)
{
	pthread_mutex_lock(&count.lock);
	if (count.connections++ == 0 || count.first == 0)
		count.first = now();
	pthread_mutex_unlock(&count.lock);
}

static void
accepted(void)
{
	pthread_mutex_lock(&count.lock);
	if (++count.messages % every == 0) {
		printf("%lld %lld %d %d\n", (long long)count.first, (long long)now(),
		    count.connections, count.handshakes);
		fflush(stdout);
		count.first = 0;
		count.connections = count.handshakes = 0;
	}
	pthread_mutex_unlock(&count.lock);
}

static bool
say(struct client *client, const char *text)
{
	int n = (int)strlen(text);

	return (client->ssl != NULL ? SSL_write(client->ssl, text, n)
				    : (int)send(client->fd, text, (size_t)n, MSG_NOSIGNAL)) == n;
}

static bool
more(struct client *client)
{
	int on = 1;

	setsockopt(client->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
	memmove(client->buffer, client->buffer + client->at, client->n - client->at);
	client->n -= client->at;
	client->at = 0;
	size_t room = BUFFER - client->n;
	int n = client->ssl != NULL ? SSL_read(client->ssl, client->buffer + client->n, (int)room)
				    : (int)read(client->fd, client->buffer + client->n, room);
	if (n <= 0 || room == 0)
		return false;
	client->n += (size_t)n;
	return true;
}

/* The next line, its newline replaced; NULL at the end. */
static char *
line(struct client *client)
{
	for (;;) {
		char *begin = client->buffer + client->at;
		char *end = memchr(begin, '\n', client->n - client->at);
		if (end != NULL) {
			*end = '\0';
			client->at += (size_t)(end - begin) + 1;
			return begin;
		}
		if (!more(client))
			return NULL;
	}
}

static bool
ehlo(struct client *client)
{
	char text[512];

	snprintf(text, sizeof text,
	    "250-%s\r\n250-PIPELINING\r\n250-8BITMIME\r\n%s250 SIZE 104857600\r\n", name,
	    client->ssl == NULL ? "250-STARTTLS\r\n" : "");
	return say(client, text);
}

static bool
starttls(struct client *client)
{
	if (!say(client, "220 2.0.0 go ahead\r\n"))
		return false;
	client->n = client->at = 0;
	SSL *ssl = SSL_new(tls);
	SSL_set_fd(ssl, client->fd);
	client->ssl = ssl;
	if (SSL_accept(ssl) != 1)
		return false;
	pthread_mutex_lock(&count.lock);
	count.handshakes++;
	pthread_mutex_unlock(&count.lock);
	return true;
}

static bool
data(struct client *client)
{
	char *text;

	if (!say(client, "354 go ahead\r\n"))
		return false;
	do {
		text = line(client);
	} while (text != NULL && strcmp(text, ".\r") != 0);
	if (text == NULL)
		return false;
	sleep((unsigned)hold);
	accepted();
	return say(client, "250 2.0.0 taken\r\n");
}

static bool
command(struct client *client, const char *text)
{
	if (strncasecmp(text, "EHLO", 4) == 0)
		return ehlo(client);
	if (strncasecmp(text, "STARTTLS", 8) == 0)
		return starttls(client);
	if (strncasecmp(text, "DATA", 4) == 0)
		return data(client);
	if (strncasecmp(text, "QUIT", 4) == 0) {
		say(client, "221 2.0.0 bye\r\n");
		return false;
	}
	return say(client, "250 2.0.0 ok\r\n");
}

static void *
serve(void *arg)
{
	struct client *client = arg;
	char text[512], *next;

	connected();
	snprintf(text, sizeof text, "220 %s ESMTP\r\n", name);
	if (say(client, text)) {
		while ((next = line(client)) != NULL && command(client, next)) {
		}
	}
	if (client->ssl != NULL)
		SSL_free(client->ssl);
	close(client->fd);
	free(client);
	return NULL;
}

static int
listen_at(const char *address)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(25) };
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET, address, &at.sin_addr) != 1 || fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1024) != 0) {
		fprintf(stderr, "sink: %s: %s\n", address, strerror(errno));
		exit(1);
	}
	return fd;
}

static void
secure(const char *file)
{
	tls = SSL_CTX_new(TLS_server_method());
	if (tls == NULL || SSL_CTX_use_certificate_chain_file(tls, file) != 1 ||
	    SSL_CTX_use_PrivateKey_file(tls, file, SSL_FILETYPE_PEM) != 1) {
		ERR_print_errors_fp(stderr);
		exit(1);
	}
}

static void
serve_all(int at)
{
	pthread_attr_t small;
	pthread_t thread;
	int on = 1;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK);
	pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
	for (;;) {
		struct client *client = calloc(1, sizeof *client);
		if (client == NULL || (client->fd = accept(at, NULL, NULL)) < 0)
			exit(1);
		setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		if (pthread_create(&thread, &small, serve, client) != 0)
			exit(1);
	}
}

int
main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "h:n:")) != -1) {
		if (option == 'h')
			hold = strtol(optarg, NULL, 10);
		else if (option == 'n')
			every = strtol(optarg, NULL, 10);
		else
			return 64;
	}
	if (argc - optind != 3 || every <= 0)
		return 64;
	signal(SIGPIPE, SIG_IGN);
	name = argv[optind + 1];
	secure(argv[optind + 2]);
	int at = listen_at(argv[optind]);
	puts("ready");
	fflush(stdout);
	serve_all(at);
}

/* SPDX-License-Identifier: ISC
 *
 * mtasts-fetch(8): one HTTPS GET a request (RFC 8461 3.3), by libcurl.  Asks no DNS, follows no
 * redirect, reuses nothing, sends nothing it was not told, and stops reading at the limits below.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "net/address.h"
#include "sandbox.h"
#include "serve.h"
#include "tls.h"

enum {
	GETS_MAX = 64,		/* requests under way; more wait in the pipe */
	HEADERS_OCTETS = 65536, /* of all header lines of a response, interim ones included */
	HEADERS_LINES = 256,	/* of them */
	HEADERS_BUFFER = 16384, /* octets read from a connection at once */
	HTTPS = 443,
	STATUS_OK = 200,
	IDLE_MS = 60 * 1000,
	CODE_TOO_LARGE = 100, /* of libcurl 8.6 and later; out of memory, said those before */
	RESOLVE_TEXT = DOMAIN_MAX + 16 + LIMIT_ADDRESSES * (INET6_ADDRSTRLEN + 3),
	ERROR_TEXT = CURL_ERROR_SIZE > WIRE_TEXT ? CURL_ERROR_SIZE : WIRE_TEXT + 1,
};

struct get {
	CURL *easy; /* NULL: this place is free */
	uint32_t id;
	struct wire_get wire;
	struct curl_slist *addresses;
	struct tls_check tls;
	char url[sizeof "https://" + DOMAIN_MAX + WIRE_TEXT];
	char error[ERROR_TEXT]; /* libcurl's words */
	const char *refused;	/* why we stopped it ourselves, NULL */
	char refused_text[WIRE_TEXT + 1];
	size_t n_lines, n_header;
	size_t n_body;
	char body[LIMIT_POLICY];
};

static struct get gets[GETS_MAX];
static size_t n_gets;
static CURLM *multi;
static const char *ca_directory;
static struct conf_prefix allow[CONF_PREFIXES_MAX];
static size_t n_allow;

static int
option(int name, const char *value)
{
	if (name == 'c') {
		ca_directory = value;
		return value[0] == '/' ? 0 : -1;
	}
	if (n_allow == CONF_PREFIXES_MAX || conf_prefix_parse(span_of(value), &allow[n_allow]) != 0)
		return -1;
	n_allow++;
	return 0;
}

/* ---- what libcurl calls during a request ---- */

/* Addresses not of the public internet are refused here, where a socket would be opened. */
static curl_socket_t
on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct get *get = arg;
	char text[INET6_ADDRSTRLEN] = "?";
	const void *address = NULL;
	size_t octets = 0;
	unsigned port = 0;

	if (purpose == CURLSOCKTYPE_IPCXN && to->family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(void *)&to->addr;
		address = &in->sin_addr;
		octets = sizeof in->sin_addr;
		port = ntohs(in->sin_port);
	} else if (purpose == CURLSOCKTYPE_IPCXN && to->family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(void *)&to->addr;
		address = &in6->sin6_addr;
		octets = sizeof in6->sin6_addr;
		port = ntohs(in6->sin6_port);
	}
	if (address != NULL && port == HTTPS && address_is_allowed(address, octets, allow, n_allow))
		return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	if (address != NULL)
		inet_ntop(to->family, address, text, sizeof text);
	snprintf(get->refused_text, sizeof get->refused_text,
	    "address %s is not of the public internet", text);
	return CURL_SOCKET_BAD;
}

static CURLcode
on_context(CURL *easy, void *context, void *arg)
{
	struct get *get = arg;

	(void)easy;
	return tls_prepare(context, &get->tls) == 0 ? CURLE_OK : CURLE_SSL_CONNECT_ERROR;
}

/* The value of the header line if it has that name (RFC 9110 5.1). */
static bool
header_is(struct span line, const char *name, struct span *value)
{
	size_t colon = span_find(line, ':');

	if (colon == line.n || !span_eq_nocase(span_make(line.p, colon), span_of(name)))
		return false;
	*value = span_from(line, colon + 1);
	while (value->n > 0 && (value->p[value->n - 1] == '\n' || value->p[value->n - 1] == '\r'))
		value->n--;
	*value = span_trim_wsp(*value);
	return true;
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct get *get = arg;
	struct span line = span_make(p, size * n), value;

	get->n_lines++;
	get->n_header += line.n;
	if (get->n_lines > HEADERS_LINES || get->n_header > HEADERS_OCTETS)
		get->refused = "header is too large";
	else if (header_is(line, "Content-Encoding", &value) &&
		 !span_eq_nocase(value, span_of("identity")))
		get->refused = "content coding that was not asked for";
	else if (header_is(line, "Transfer-Encoding", &value) &&
		 !span_eq_nocase(value, span_of("chunked")))
		get->refused = "transfer coding that was not asked for";
	return get->refused == NULL ? line.n : 0;
}

static long
status_of(CURL *easy)
{
	long status = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* Counts; what is too long is refused, never cut and used. */
static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct get *get = arg;

	n *= size;
	if (status_of(get->easy) != STATUS_OK)
		return 0; /* nobody reads it: break off */
	if (n > sizeof get->body - get->n_body) {
		get->refused = "body is larger than 64 KiB";
		return 0;
	}
	memcpy(get->body + get->n_body, p, n);
	get->n_body += n;
	return n;
}

/* ---- requests ---- */

/* "+host:443:192.0.2.1,[2001:db8::1]", all the addresses there are for that name. */
static struct curl_slist *
addresses_of(const struct net_fetch *fetch)
{
	char text[RESOLVE_TEXT], address[INET6_ADDRSTRLEN];
	struct buf out;

	buf_init(&out, text, sizeof text);
	buf_printf(&out, "+%s:%d:", fetch->host.name, HTTPS);
	for (size_t i = 0; i < fetch->n; i++) {
		const struct net_address *a = &fetch->addresses[i];
		inet_ntop(a->octets == 4 ? AF_INET : AF_INET6, a->address, address, sizeof address);
		buf_printf(&out, a->octets == 4 ? "%s%s" : "%s[%s]", i == 0 ? "" : ",", address);
	}
	return out.full ? NULL : curl_slist_append(NULL, text);
}

/* Every option there is a reason for, and the first that libcurl refuses. */
static CURLcode
options_set(struct get *get)
{
	CURL *e = get->easy;
	CURLcode r = CURLE_OK;
	long ms = get->wire.ms > INT32_MAX ? INT32_MAX : (long)get->wire.ms;

#define SET(option, value) r = r != CURLE_OK ? r : curl_easy_setopt(e, CURLOPT_##option, value)
	SET(URL, get->url);
	SET(RESOLVE, get->addresses);
	SET(TIMEOUT_MS, ms);
	SET(CONNECTTIMEOUT_MS, ms);
	SET(NOSIGNAL, 1L);
	SET(ERRORBUFFER, get->error);
	SET(PRIVATE, get);
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(PROTOCOLS_STR, "https");
#else
	SET(PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
	SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(HTTP09_ALLOWED, 0L);
	SET(HTTPGET, 1L);
	SET(FOLLOWLOCATION, 0L); /* RFC 8461 3.3 */
	SET(PATH_AS_IS, 1L);
	SET(USERAGENT, "mtasts/" PACKAGE_VERSION);
	SET(PROXY, "");
	SET(NOPROXY, "*");
	SET(NETRC, (long)CURL_NETRC_IGNORED);
	SET(FRESH_CONNECT, 1L);
	SET(FORBID_REUSE, 1L);
	SET(TCP_KEEPALIVE, 0L);
	SET(HTTP_CONTENT_DECODING, 0L);
	SET(BUFFERSIZE, (long)HEADERS_BUFFER);
	SET(MAXFILESIZE, (long)LIMIT_POLICY);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, 2L);
	SET(SSL_SESSIONID_CACHE, 0L);
	SET(CAINFO, NULL);
	SET(CAPATH, ca_directory);
	SET(SSL_CTX_FUNCTION, on_context);
	SET(SSL_CTX_DATA, get);
	SET(OPENSOCKETFUNCTION, on_socket);
	SET(OPENSOCKETDATA, get);
	SET(HEADERFUNCTION, on_header);
	SET(HEADERDATA, get);
	SET(WRITEFUNCTION, on_body);
	SET(WRITEDATA, get);
#undef SET
	return r;
}

static void
get_clear(struct get *get)
{
	if (get->easy != NULL) {
		(void)curl_multi_remove_handle(multi, get->easy);
		curl_easy_cleanup(get->easy);
		n_gets--;
	}
	curl_slist_free_all(get->addresses);
	get->easy = NULL;
	get->addresses = NULL;
}

static void
get_fail(struct get *get, enum net_fetch_state state, const char *reason)
{
	char text[WIRE_TEXT + 1];
	struct net_page page = { .state = state, .reason = text };
	struct buf out;

	buf_init(&out, text, sizeof text);
	buf_put_escaped(&out, span_of(reason), LIMIT_LOG_REMOTE, false);
	if (out.n == 0)
		buf_puts(&out, "failed");
	serve_page(get->id, &page);
	get_clear(get);
}

static void
get_begin(struct get *get, const struct wire_message *message)
{
	const struct net_fetch *fetch = &get->wire.fetch;

	memset(get, 0, offsetof(struct get, body));
	if (message->type != WIRE_GET || wire_get_parse(message->payload, &get->wire) != 0)
		serve_malformed();
	get->id = message->id;
	get->tls.host = fetch->host.name;
	if (fetch->n == 0) {
		get_fail(get, NET_FETCH_FAILED, "no address");
		return;
	}
	snprintf(get->url, sizeof get->url, "https://%s%s", fetch->host.name, fetch->path);
	get->addresses = addresses_of(fetch);
	get->easy = curl_easy_init();
	n_gets += get->easy != NULL;
	if (get->addresses == NULL || get->easy == NULL || options_set(get) != CURLE_OK ||
	    curl_multi_add_handle(multi, get->easy) != CURLM_OK)
		get_fail(get, NET_FETCH_FAILED, "libcurl refuses its options");
}

static void
get_fetched(struct get *get)
{
	struct net_page page = { .state = NET_FETCHED, .reason = "" };
	const char *media_type = NULL;

	(void)curl_easy_getinfo(get->easy, CURLINFO_CONTENT_TYPE, &media_type);
	page.status = (unsigned)status_of(get->easy);
	page.media_type = span_of(media_type == NULL ? "" : media_type);
	if (page.media_type.n > WIRE_TEXT)
		page.media_type.n = WIRE_TEXT;
	if (page.status == STATUS_OK)
		page.body = span_make(get->body, get->n_body);
	serve_page(get->id, &page);
	get_clear(get);
}

/* The certificate's fault, or any other's. */
static void
get_failed(struct get *get, CURLcode code)
{
	long verify = X509_V_OK;

	(void)curl_easy_getinfo(get->easy, CURLINFO_SSL_VERIFYRESULT, &verify);
	if (get->tls.is_revoked)
		get_fail(get, NET_BAD_CERTIFICATE, "certificate is revoked");
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		get_fail(
		    get, NET_BAD_CERTIFICATE, verify == X509_V_OK ? get->error : tls_words(verify));
	else if (get->refused != NULL)
		get_fail(get, NET_FETCH_FAILED, get->refused);
	else if (code == CURLE_COULDNT_CONNECT && get->refused_text[0] != '\0')
		get_fail(get, NET_FETCH_FAILED, get->refused_text);
	else if (((int)code == CODE_TOO_LARGE || code == CURLE_OUT_OF_MEMORY) && get->n_lines > 0 &&
		 get->n_body == 0)
		get_fail(get, NET_FETCH_FAILED, "header is too large"); /* a line of it */
	else if (code == CURLE_FILESIZE_EXCEEDED)
		get_fail(get, NET_FETCH_FAILED, "body is larger than 64 KiB");
	else if (code == CURLE_OPERATION_TIMEDOUT)
		get_fail(get, NET_FETCH_FAILED, "time-out");
	else
		get_fail(get, NET_FETCH_FAILED,
		    get->error[0] == '\0' ? curl_easy_strerror(code) : get->error);
}

static void
get_end(struct get *get, CURLcode code)
{
	long status = status_of(get->easy);
	bool is_over = status >= 200 && status != STATUS_OK; /* its body is not read */

	if (get->refused == NULL &&
	    (code == CURLE_OK ||
		(is_over && (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED))))
		get_fetched(get);
	else
		get_failed(get, code);
}

static void
gets_end(void)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(multi, &left)) != NULL) {
		char *get = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		CURLcode code = message->data.result;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &get);
		get_end((struct get *)(void *)get, code);
	}
}

static bool
gets_begin(void)
{
	struct wire_message message;

	while (n_gets < GETS_MAX) {
		struct get *get = gets;
		if (serve_next(&message) == 0)
			return true;
		while (get->easy != NULL)
			get++;
		get_begin(get, &message);
	}
	return false;
}

/* ---- start ---- */

static void
libcurl_start(void)
{
	if (curl_global_init(CURL_GLOBAL_SSL) != CURLE_OK)
		serve_fail(0, "libcurl does not start");
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
	if (info->ssl_version == NULL || strncmp(info->ssl_version, "OpenSSL/", 8) != 0)
		serve_fail(0, "libcurl is not built with OpenSSL: certificates cannot be checked");
	multi = curl_multi_init();
	if (multi == NULL)
		serve_fail(ENOMEM, "libcurl does not start");
}

/* "0f1e2d3c.0", as c_rehash(1) names certificates */
static bool
is_hash_name(const char *name)
{
	return strlen(name) >= 10 && strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
	       is_digit(name[9]);
}

/*
 * The CA directory, and what the certificates in it are links to.  Without a certificate every
 * host would look like one with a bad certificate: rather serve nothing.
 */
static void
ca_allow(struct sandbox *sandbox)
{
	char path[PATH_MAX];
	size_t n = 0;
	struct dirent *entry;
	DIR *directory = opendir(ca_directory);

	if (directory == NULL || sandbox_allow(sandbox, ca_directory) != 0)
		serve_fail(errno, ca_directory);
	while ((entry = readdir(directory)) != NULL) {
		if (!is_hash_name(entry->d_name))
			continue;
		int length = snprintf(path, sizeof path, "%s/%s", ca_directory, entry->d_name);
		if (length > 0 && (size_t)length < sizeof path && sandbox_allow(sandbox, path) == 0)
			n++;
	}
	closedir(directory);
	if (n == 0)
		serve_fail(0, "no certificate by its hash in the CA directory");
}

static void
shut_in(void)
{
	static const uint16_t ports[] = { HTTPS };
	char text[WIRE_TEXT + 1];
	struct sandbox sandbox;
	struct buf missing;

	buf_init(&missing, text, sizeof text);
	sandbox_init(&sandbox);
	sandbox.ports = ports;
	sandbox.n_ports = 1;
	ca_allow(&sandbox);
	if (sandbox_enter(&sandbox, &missing) != 0)
		serve_fail(errno, "sandbox");
	if (missing.n > 0)
		serve_note(missing.p);
}

int
main(int argc, char **argv)
{
	static const struct serve_program program = { "mtasts-fetch",
		"-c CA-DIRECTORY [-a PREFIX]...", "Fetches pages by HTTPS", "c:a:", option };

	serve_begin(&program, argc, argv);
	if (ca_directory == NULL)
		ca_directory = "/etc/ssl/certs";
	libcurl_start();
	shut_in();
	for (;;) {
		struct curl_waitfd input = { STDIN_FILENO, CURL_WAIT_POLLIN, 0 };
		int running;
		bool has_room = gets_begin();
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			serve_fail(0, "libcurl fails");
		gets_end();
		if (curl_multi_poll(multi, &input, has_room ? 1 : 0, IDLE_MS, NULL) != CURLM_OK)
			serve_fail(0, "libcurl fails");
		if (has_room && input.revents != 0)
			serve_read();
	}
}

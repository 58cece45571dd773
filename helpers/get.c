/* SPDX-License-Identifier: ISC
 *
 * The handle's options, what libcurl calls while it works, and what came of it in our words.
 */
#include "get.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/address.h"

enum {
	HEADERS_OCTETS = 65536, /* of all header lines of a response, interim ones included */
	HEADERS_LINES = 256,	/* of them */
	READ_OCTETS = 16384,	/* from a connection at once */
	HTTPS = 443,
	STATUS_OK = 200,
	CODE_TOO_LARGE = 100, /* of libcurl 8.6 and later; out of memory, said those before */
	ADDRESSES_TEXT = DOMAIN_MAX + 16 + LIMIT_ADDRESSES * (INET6_ADDRSTRLEN + 3),
};

/* ---- while it works ---- */

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
	if (address != NULL && port == HTTPS &&
	    address_is_allowed(address, octets, &get->rules->allow))
		return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	if (address != NULL)
		inet_ntop(to->family, address, text, sizeof text);
	snprintf(get->address_refused, sizeof get->address_refused,
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
	if (span_begins(line, "HTTP/"))
		get->has_length = false; /* a response begins, after interim ones perhaps */
	if (header_is(line, "Content-Length", &value) ||
	    header_is(line, "Transfer-Encoding", &value))
		get->has_length = true;
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
	if (n > LIMIT_POLICY - get->n_body) {
		get->refused = "body is larger than 64 KiB";
		return 0;
	}
	if (get->body == NULL)
		get->body = mem_zero(LIMIT_POLICY, 1);
	if (get->body == NULL) {
		get->refused = "out of memory";
		return 0;
	}
	memcpy(get->body + get->n_body, p, n);
	get->n_body += n;
	return n;
}

/* ---- made ready ---- */

/* "+host:443:192.0.2.1,[2001:db8::1]": all the addresses there are for that name, for a while. */
static struct curl_slist *
addresses_of(const struct net_fetch *fetch)
{
	char text[ADDRESSES_TEXT], address[INET6_ADDRSTRLEN];
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

/* The first option that libcurl refuses ends it. */
static CURLcode
options_set(struct get *get)
{
	CURL *e = get->easy;
	CURLcode r = CURLE_OK;
	long ms = get->wire.ms > INT32_MAX ? INT32_MAX : (long)get->wire.ms;

#define SET(option, value) r = r != CURLE_OK ? r : curl_easy_setopt(e, CURLOPT_##option, value)
	SET(PRIVATE, get);
	SET(URL, get->url);
	SET(RESOLVE, get->addresses);
	SET(TIMEOUT_MS, ms);
	SET(CONNECTTIMEOUT_MS, ms);
	SET(NOSIGNAL, 1L);
	SET(ERRORBUFFER, get->error);
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
	SET(BUFFERSIZE, (long)READ_OCTETS);
	SET(MAXFILESIZE, (long)LIMIT_POLICY);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, 2L);
	SET(SSL_SESSIONID_CACHE, 0L);
	SET(CAINFO, NULL);
	SET(CAPATH, get->rules->ca_directory);
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

struct get *
get_new(const struct get_rules *rules, const struct wire_get *wire)
{
	struct get *get = mem_zero(1, sizeof *get);

	if (get == NULL)
		return NULL;
	get->rules = rules;
	get->wire = *wire;
	get->wire.fetch.path = get->wire.path;
	get->tls.host = get->wire.fetch.host.name;
	snprintf(get->url, sizeof get->url, "https://%s%s", get->tls.host, get->wire.path);
	get->addresses = addresses_of(&get->wire.fetch);
	get->easy = curl_easy_init();
	if (get->addresses != NULL && get->easy != NULL && options_set(get) == CURLE_OK)
		return get;
	get_free(get);
	return NULL;
}

void
get_free(struct get *get)
{
	if (get == NULL)
		return;
	if (get->easy != NULL)
		curl_easy_cleanup(get->easy);
	curl_slist_free_all(get->addresses);
	free(get->body);
	free(get);
}

/* ---- what became of it ---- */

static void
page_fetched(struct get *get, struct net_page *page)
{
	const char *media_type = NULL;

	(void)curl_easy_getinfo(get->easy, CURLINFO_CONTENT_TYPE, &media_type);
	page->state = NET_FETCHED;
	page->status = (unsigned)status_of(get->easy);
	page->media_type = span_of(media_type == NULL ? "" : media_type);
	if (page->media_type.n > WIRE_TEXT)
		page->media_type.n = WIRE_TEXT;
	if (page->status == STATUS_OK)
		page->body = span_make(get->body, get->n_body);
}

/* A body as long as its connection, which somebody cut: libcurl takes it for whole. */
static bool
is_cut_off(const struct get *get)
{
	return status_of(get->easy) == STATUS_OK && !get->has_length && !get->tls.is_ended;
}

/* Why it failed; libcurl's words where there are none of ours. */
static const char *
why(const struct get *get, CURLcode code, long verify)
{
	bool is_header = get->n_lines > 0 && get->n_body == 0;

	if (get->tls.is_revoked)
		return "certificate is revoked";
	if (code == CURLE_OK && is_cut_off(get))
		return "connection ended within the body";
	if (code == CURLE_PEER_FAILED_VERIFICATION && verify != X509_V_OK)
		return tls_words(verify);
	if (get->refused != NULL)
		return get->refused;
	if (code == CURLE_COULDNT_CONNECT && get->address_refused[0] != '\0')
		return get->address_refused;
	if (is_header && ((int)code == CODE_TOO_LARGE || code == CURLE_OUT_OF_MEMORY))
		return "header is too large"; /* a line of it */
	if (code == CURLE_FILESIZE_EXCEEDED)
		return "body is larger than 64 KiB";
	if (code == CURLE_OPERATION_TIMEDOUT)
		return "time-out";
	return get->error[0] == '\0' ? curl_easy_strerror(code) : get->error;
}

void
get_page(struct get *get, CURLcode code, struct net_page *page, char *reason)
{
	long status = status_of(get->easy), verify = X509_V_OK;
	bool is_unread = status >= 200 && status != STATUS_OK &&
			 (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED);
	struct buf out;

	*page = (struct net_page){ .reason = reason };
	buf_init(&out, reason, WIRE_TEXT + 1);
	bool is_whole = code == CURLE_OK && !is_cut_off(get);
	if (get->refused == NULL && (is_whole || is_unread)) {
		page_fetched(get, page);
		return;
	}
	(void)curl_easy_getinfo(get->easy, CURLINFO_SSL_VERIFYRESULT, &verify);
	bool is_bad = get->tls.is_revoked || code == CURLE_PEER_FAILED_VERIFICATION;
	page->state = is_bad ? NET_BAD_CERTIFICATE : NET_FETCH_FAILED;
	buf_put_escaped(&out, span_of(why(get, code, verify)), LIMIT_LOG_REMOTE, false);
}

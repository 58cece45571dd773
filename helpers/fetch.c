/* SPDX-License-Identifier: ISC
 *
 * mtasts-fetch(8): HTTPS GETs (get.h), many at once, for a parent that speaks net/wire.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "get.h"
#include "sandbox/sandbox.h"
#include "serve.h"

enum {
	CONNECTIONS_MAX = 100, /* at once; each may open two sockets of the 256 there are */
	IDLE_MS = 60 * 1000,
};

static struct get_rules rules = { .ca_directory = "/etc/ssl/certs" };
static struct get *gets; /* under way */
static CURLM *multi;

static int
option(int name, const char *value)
{
	if (name == 'c') {
		rules.ca_directory = value;
		return value[0] == '/' ? 0 : -1;
	}
	if (rules.allow.n == CONF_PREFIXES_MAX ||
	    conf_prefix_parse(span_of(value), &rules.allow.prefixes[rules.allow.n]) != 0)
		return -1;
	rules.allow.n++;
	return 0;
}

/* ---- requests ---- */

static void
refuse(uint32_t id, const char *reason)
{
	struct net_page page = { .state = NET_FETCH_FAILED, .reason = reason };

	serve_page(id, &page);
}

static void
get_begin(const struct wire_message *message)
{
	struct wire_get wire;

	if (message->type != WIRE_GET || wire_get_parse(message->payload, &wire) != 0)
		serve_malformed();
	if (wire.fetch.n == 0) {
		refuse(message->id, "no address");
		return;
	}
	struct get *get = get_new(&rules, &wire);
	if (get == NULL || curl_multi_add_handle(multi, get->easy) != CURLM_OK) {
		refuse(message->id, "libcurl does not take the request");
		get_free(get);
		return;
	}
	get->id = message->id;
	get->deadline_ms = serve_now_ms() + wire.ms;
	get->next = gets;
	gets = get;
}

static void
get_end(struct get *get, CURLcode code)
{
	struct get **at = &gets;
	struct net_page page;
	char reason[WIRE_TEXT + 1];

	get_page(get, code, &page, reason);
	serve_page(get->id, &page);
	while (*at != get)
		at = &(*at)->next;
	*at = get->next;
	(void)curl_multi_remove_handle(multi, get->easy);
	get_free(get);
}

/* Those that libcurl is done with. */
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

/* Those whose time is over, whatever libcurl thinks; the milliseconds until the next. */
static int
gets_expire(void)
{
	int64_t now = serve_now_ms(), wait = IDLE_MS;
	struct get *next;

	for (struct get *get = gets; get != NULL; get = next) {
		next = get->next;
		int64_t left = get->deadline_ms - now;
		if (left <= 0)
			get_end(get, CURLE_OPERATION_TIMEDOUT);
		else if (left < wait)
			wait = left;
	}
	return (int)wait;
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
	if (multi == NULL || curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
				 (long)CONNECTIONS_MAX) != CURLM_OK)
		serve_fail(ENOMEM, "libcurl does not start");
}

/* Without a certificate every host would look like one with a bad one: rather serve nothing. */
static void
ca_allow(struct sandbox *sandbox)
{
	size_t n = 0;

	if (sandbox_allow_certificates(sandbox, rules.ca_directory, &n) != 0)
		serve_fail(errno, rules.ca_directory);
	if (n == 0)
		serve_fail(0, "no certificate by its hash in the CA directory");
}

static void
shut_in(void)
{
	static const uint16_t ports[] = { 443 };
	struct sandbox sandbox;

	sandbox_init(&sandbox);
	sandbox.ports = ports;
	sandbox.n_ports = 1;
	ca_allow(&sandbox);
	serve_shut_in(&sandbox);
}

int
main(int argc, char **argv)
{
	static const struct serve_program program = { "mtasts-fetch",
		"[-c CA-directory] [-a prefix]...", "Fetches policies by HTTPS", "c:a:", option };

	serve_begin(&program, argc, argv);
	libcurl_start();
	shut_in();
	for (;;) {
		struct curl_waitfd input = { STDIN_FILENO, CURL_WAIT_POLLIN, 0 };
		int running;
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			serve_fail(0, "libcurl fails");
		gets_end();
		if (curl_multi_poll(multi, &input, 1, gets_expire(), NULL) != CURLM_OK)
			serve_fail(0, "libcurl fails");
		if (input.revents != 0)
			serve_requests(get_begin);
	}
}

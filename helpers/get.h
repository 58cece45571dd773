/* SPDX-License-Identifier: ISC
 *
 * One HTTPS GET (RFC 8461 3.3) as a libcurl handle with every option there is a reason for: no
 * DNS, no redirect, no reuse, nothing sent that we were not told to, and no reading past the
 * limits.
 */
#ifndef HELPERS_GET_H
#define HELPERS_GET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "base/conf.h"
#include "net/wire.h"
#include "tls.h"

enum {
	GET_URL = sizeof "https://" + DOMAIN_MAX + WIRE_TEXT,
	GET_ERROR = CURL_ERROR_SIZE > WIRE_TEXT ? CURL_ERROR_SIZE : WIRE_TEXT + 1,
};

/* The same for every request. */
struct get_rules {
	const char *ca_directory;
	struct conf_prefixes allow;
};

struct get {
	struct get *next;
	uint32_t id;
	int64_t deadline_ms; /* monotonic */
	const struct get_rules *rules;
	CURL *easy; /* its CURLOPT_PRIVATE is this struct */
	struct wire_get wire;
	struct curl_slist *addresses;
	struct tls_check tls;
	char url[GET_URL];
	char error[GET_ERROR];		 /* libcurl's words */
	const char *refused;		 /* why we broke it off ourselves, NULL */
	char address_refused[WIRE_TEXT]; /* one that is not of the public internet, "" */
	size_t n_lines, n_header;
	bool has_length; /* the response says how long its body is, or where it ends */
	char *body;	 /* LIMIT_POLICY octets, once there are any */
	size_t n_body;
};

/* A request made ready: borrows rules.  NULL when there is no memory, or libcurl refuses. */
struct get *get_new(const struct get_rules *rules, const struct wire_get *wire);
/* Not while it is in a multi handle. */
void get_free(struct get *get);

/*
 * What became of it, once libcurl is done with it: valid until get_free(); reason is text of
 * WIRE_TEXT + 1 octets for page->reason.
 */
void get_page(struct get *get, CURLcode code, struct net_page *page, char *reason);

#endif

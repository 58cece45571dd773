/* SPDX-License-Identifier: ISC
 *
 * mtasts.conf(5): "key = value" lines, one table of keys.  A key is declared here and in the man
 * page and nowhere else.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/conf_list.h"
#include "base/span.h"
#include "mtasts.h"

/* What mtasts_config_load(NULL) reads. */
#define CONF_DEFAULT_PATH SYSCONFDIR "/mtasts.conf"

enum conf_on { CONF_DELIVER, CONF_DEFER };

enum {
	CONF_PATH_MAX = 1024,
	CONF_ERROR_MAX = 512,
	CONF_VALUE_MAX = CONF_DOMAINS_MAX + 1, /* of any value, NUL included */
};

struct mtasts_config {
	char state_directory[CONF_PATH_MAX];
	char group[64];			      /* the mail servers' users are its members */
	char user[64];			      /* owner of the state directory */
	char helper_user[64];		      /* what the helpers become when started by root */
	char helper_directory[CONF_PATH_MAX]; /* where mtasts-resolve and mtasts-fetch lie */
	char ca_directory[CONF_PATH_MAX];     /* certificates by hash (c_rehash) */
	char resolv_conf[CONF_PATH_MAX];
	char trust_anchor[CONF_PATH_MAX]; /* DNSSEC anchors (DS or DNSKEY lines); "" none */
	struct conf_prefixes allow_addresses;
	int64_t bounce_after;	  /* seconds */
	int64_t deadline;	  /* seconds, in the mail path */
	int64_t refresh_deadline; /* seconds */
	int64_t max_fetches;	  /* helpers that fetch at once on this host */
	enum conf_on on_unknown;  /* nothing cached and not found out */
	enum conf_on cache_fault; /* store unreadable: CONF_DEFER */
	bool reports;		  /* write TLSRPT records */
	enum mtasts_log log_level;
	/* OpenSMTPD's adapter */
	int64_t relay_port; /* where smtpd hands over the mail it sends by us */
	int64_t
	    relay_ports; /* 0: that one, on 127.x.y.z; else so many from there on, on 127.0.0.1 */
	struct conf_prefixes filter_clients; /* whose recipients are looked up without a log-in */
	struct conf_domains local_domains;   /* that the filter leaves alone */
	char error[CONF_ERROR_MAX];	     /* "file:line: why" of the last refusal */
};

void conf_defaults(struct mtasts_config *config);
/*
 * Lines of a file; name stands in errors.  Of a repeated key the last counts.  0, or
 * MTASTS_ECONFIG with config->error set; the lines before the refused one have been taken.
 */
int conf_parse(struct mtasts_config *config, const char *name, struct span text);
/* One key; a refused value leaves the old one, and "key: why" in config->error. */
int conf_set(struct mtasts_config *config, struct span key, struct span value);

/* i-th key of the table, NULL past the last; for `mtasts config` and the man page's test. */
const char *conf_key(size_t i);
/* The value of that key as conf_set() reads it; i below their number. */
void conf_value(const struct mtasts_config *config, size_t i, struct buf *out);

#endif

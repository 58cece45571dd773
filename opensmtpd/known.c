/* SPDX-License-Identifier: ISC
 *
 * Configuration and store of the table.  The library itself notices when the store is there again
 * or is another.
 */
#include "opensmtpd/known.h"

#include <stddef.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/buf.h"
#include "base/conf.h"
#include "maillog/maillog.h"

enum { AGAIN = 1000 /* ms, between two tries */ };

static void
close_all(struct known *known)
{
	mtasts_free(known->ctx);
	mtasts_config_free(known->config);
	known->ctx = NULL;
	known->config = NULL;
}

/* Told once a minute (maillog.h), however often it is tried. */
static bool
load(struct known *known)
{
	struct mtasts_config *config = NULL;
	int r = mtasts_config_load(known->path, &config);

	if (r == 0) {
		/* a line a question, of which there is one a recipient, says what the filter's does
		 */
		if (config->log_level == MTASTS_LOG_INFO)
			config->log_level = MTASTS_LOG_WARNING;
		known->config = config;
		return true;
	}
	maillog(MTASTS_LOG_ERROR, "table error=\"%s\"",
	    config != NULL ? mtasts_config_error(config) : mtasts_strerror(r));
	mtasts_config_free(config);
	return false;
}

/* A store that is missing or not readable is no failure here, but one of every look-up. */
static void
attach(struct known *known)
{
	int r = mtasts_new(known->config, maillog_line, NULL, &known->ctx);

	if (r != 0)
		maillog(MTASTS_LOG_ERROR, "table error=\"%s\"", mtasts_strerror(r));
}

static void
refresh(struct known *known)
{
	int64_t now = clock_mono_ms(&known->clock);

	if (known->ctx != NULL || now < known->again_ms)
		return;
	known->again_ms = now + AGAIN;
	if (known->config != NULL || load(known))
		attach(known);
}

void
known_init(struct known *known, const char *path)
{
	*known = (struct known){ .path = path, .clock = clock_system() };
	if (RAND_bytes(known->key.octets, sizeof known->key.octets) != 1)
		maillog(MTASTS_LOG_WARNING, "table reason=\"no random octets: strangers may choose "
					    "whose queue their domain's mail waits in\"");
	refresh(known);
}

void
known_clear(struct known *known)
{
	close_all(known);
}

bool
known_reload(struct known *known)
{
	close_all(known);
	known->again_ms = 0;
	refresh(known);
	return known->config != NULL;
}

bool
known_is_absent(struct known *known, struct span domain)
{
	char name[MTASTS_NAME_MAX + 2]; /* with a final dot */
	struct mtasts_policy *policy;

	if (domain.n >= sizeof name || span_find(domain, '\0') < domain.n)
		return false;
	buf_keep(name, sizeof name, domain);
	refresh(known);
	if (known->ctx == NULL ||
	    mtasts_lookup(known->ctx, name, MTASTS_CACHED_ONLY, 0, &policy) != 0)
		return false;
	bool is_absent = mtasts_policy_state(policy) == MTASTS_ABSENT;
	mtasts_policy_free(policy);
	return is_absent;
}

bool
known_place(struct known *known, struct span domain, struct place *place)
{
	refresh(known);
	if (known->config == NULL)
		return false;
	*place = place_of(&known->key, domain, (uint16_t)known->config->relay_port,
	    (unsigned)known->config->relay_ports);
	return true;
}

/* SPDX-License-Identifier: ISC
 *
 * mtasts.conf(5): the table of keys, and values read and written by their type.  Opens no file
 * (base/config.c does).
 */
#include "base/conf.h"

#include <stdio.h>
#include <string.h>

enum { SECOND = 1, MINUTE = 60, HOUR = 3600, DAY = 86400 };
enum { NUMBER_DIGITS = 12, SHOWN = 64 /* octets of a refused word in a message */ };

enum type {
	TYPE_PATH,	    /* absolute */
	TYPE_PATH_OR_EMPTY, /* the same, or nothing */
	TYPE_NAME,	    /* of a user or group */
	TYPE_DURATION,	    /* int64_t, seconds */
	TYPE_NUMBER,	    /* int64_t */
	TYPE_ON,	    /* enum conf_on */
	TYPE_BOOL,
	TYPE_LEVEL, /* enum mtasts_log */
	TYPE_PREFIXES,
	TYPE_DOMAINS
};

struct key {
	const char *name;
	enum type type;
	const char *preset; /* as the file would say it */
	int64_t min, max;   /* of numbers and durations */
	size_t field;	    /* offset in struct mtasts_config */
	size_t size;	    /* octets of the field */
};

#define FIELD(f) offsetof(struct mtasts_config, f), sizeof(((struct mtasts_config *)NULL)->f)

static const struct key keys[] = {
	{ "state_directory", TYPE_PATH, STATEDIR, 0, 0, FIELD(state_directory) },
	{ "group", TYPE_NAME, "mtasts", 0, 0, FIELD(group) },
	{ "user", TYPE_NAME, "mtasts", 0, 0, FIELD(user) },
	{ "helper_user", TYPE_NAME, HELPER_USER, 0, 0, FIELD(helper_user) },
	{ "helper_directory", TYPE_PATH, LIBEXECDIR, 0, 0, FIELD(helper_directory) },
	{ "ca_directory", TYPE_PATH, "/etc/ssl/certs", 0, 0, FIELD(ca_directory) },
	{ "resolv_conf", TYPE_PATH, "/etc/resolv.conf", 0, 0, FIELD(resolv_conf) },
	{ "trust_anchor", TYPE_PATH_OR_EMPTY, "", 0, 0, FIELD(trust_anchor) },
	{ "allow_addresses", TYPE_PREFIXES, "", 0, 0, FIELD(allow_addresses) },
	{ "bounce_after", TYPE_DURATION, "1d", 0, 30 * DAY, FIELD(bounce_after) },
	{ "deadline", TYPE_DURATION, "15s", 1, 5 * MINUTE, FIELD(deadline) },
	{ "refresh_deadline", TYPE_DURATION, "1m", 1, HOUR, FIELD(refresh_deadline) },
	{ "max_fetches", TYPE_NUMBER, "32", 1, 4096, FIELD(max_fetches) },
	{ "on_unknown", TYPE_ON, "deliver", 0, 0, FIELD(on_unknown) },
	{ "cache_fault", TYPE_ON, "defer", 0, 0, FIELD(cache_fault) },
	{ "reports", TYPE_BOOL, "yes", 0, 0, FIELD(reports) },
	{ "log_level", TYPE_LEVEL, "info", 0, 0, FIELD(log_level) },
	{ "relay_port", TYPE_NUMBER, "10027", 1, 65535, FIELD(relay_port) },
	{ "relay_ports", TYPE_NUMBER, "0", 0, 1024, FIELD(relay_ports) },
	{ "filter_clients", TYPE_PREFIXES, "127.0.0.0/8 ::1/128", 0, 0, FIELD(filter_clients) },
	{ "local_domains", TYPE_DOMAINS, "", 0, 0, FIELD(local_domains) },
};

enum { N_KEYS = sizeof keys / sizeof keys[0] };

static const char *const on_words[] = { "deliver", "defer" }; /* enum conf_on */
static const char *const bool_words[] = { "no", "yes" };
static const char *const level_words[] = { "error", "warning", "info", "debug" };

static const struct {
	char letter;
	int64_t factor;
} durations[] = { { 'd', DAY }, { 'h', HOUR }, { 'm', MINUTE }, { 's', SECOND } },
  sizes[] = { { 'm', 1024 * 1024 }, { 'k', 1024 } };

static void *
field_of(struct mtasts_config *config, const struct key *key)
{
	return (char *)config + key->field;
}

static const void *
field_in(const struct mtasts_config *config, const struct key *key)
{
	return (const char *)config + key->field;
}

/* One of n words; its place, or -1. */
static int
word_find(struct span word, const char *const *words, int n)
{
	for (int i = 0; i < n; i++) {
		if (span_is(word, words[i]))
			return i;
	}
	return -1;
}

/* The factor of a last letter, which is cut off s; 1 when there is none. */
static int64_t
unit_take(struct span *s, enum type type)
{
	char last = s->n == 0 ? '\0' : s->p[s->n - 1];
	int64_t factor = 0;

	for (size_t i = 0; type == TYPE_DURATION && i < sizeof durations / sizeof durations[0];
	     i++) {
		if (durations[i].letter == last)
			factor = durations[i].factor;
	}
	for (size_t i = 0; type == TYPE_NUMBER && i < sizeof sizes / sizeof sizes[0]; i++) {
		if (sizes[i].letter == last)
			factor = sizes[i].factor;
	}
	if (factor == 0)
		return 1;
	s->n--;
	return factor;
}

static const char *
number_set(const struct key *key, struct span value, int64_t *number)
{
	int64_t factor = unit_take(&value, key->type);
	uint64_t n;

	if (span_u64(value, NUMBER_DIGITS, (uint64_t)(INT64_MAX / factor), &n) != 0)
		return key->type == TYPE_DURATION ? "not a duration (30s, 5m, 2h, 1d)"
						  : "not a number";
	if ((int64_t)n * factor < key->min)
		return "too small";
	if ((int64_t)n * factor > key->max)
		return "too large";
	*number = (int64_t)n * factor;
	return NULL;
}

static const char *
path_set(const struct key *key, struct span value, char *path)
{
	bool is_empty = value.n == 0 && key->type == TYPE_PATH_OR_EMPTY;

	if (!is_empty && !span_begins(value, "/"))
		return "not an absolute path";
	if (value.n >= key->size)
		return "path is too long";
	if (value.n != 0)
		memcpy(path, value.p, value.n);
	path[value.n] = '\0';
	return NULL;
}

static const char *
name_set(const struct key *key, struct span value, char *name)
{
	if (value.n == 0)
		return "a name is needed";
	if (value.n >= key->size)
		return "name is too long";
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		if (!is_alnum(c) && c != '_' && c != '.' && (c != '-' || i == 0))
			return "not the name of a user or group";
	}
	memcpy(name, value.p, value.n);
	name[value.n] = '\0';
	return NULL;
}

/* NULL, or why the value is refused. */
static const char *
value_set(struct mtasts_config *config, const struct key *key, struct span value)
{
	void *field = field_of(config, key);
	int i;

	for (size_t at = 0; at < value.n; at++) {
		if (!is_print(value.p[at]) && value.p[at] != '\t' &&
		    (unsigned char)value.p[at] < 0x80)
			return "control character in the value";
	}
	switch (key->type) {
	case TYPE_PATH:
	case TYPE_PATH_OR_EMPTY:
		return path_set(key, value, field);
	case TYPE_NAME:
		return name_set(key, value, field);
	case TYPE_DURATION:
	case TYPE_NUMBER:
		return number_set(key, value, field);
	case TYPE_ON:
		i = word_find(value, on_words, 2);
		if (i < 0)
			return "neither 'deliver' nor 'defer'";
		*(enum conf_on *)field = (enum conf_on)i;
		return NULL;
	case TYPE_BOOL:
		i = word_find(value, bool_words, 2);
		if (i < 0)
			return "neither 'yes' nor 'no'";
		*(bool *)field = i == 1;
		return NULL;
	case TYPE_LEVEL:
		i = word_find(value, level_words, 4);
		if (i < 0)
			return "none of 'error', 'warning', 'info', 'debug'";
		*(enum mtasts_log *)field = (enum mtasts_log)i;
		return NULL;
	case TYPE_PREFIXES:
		return conf_prefixes_parse(value, field);
	case TYPE_DOMAINS:
		return conf_domains_parse(value, field);
	}
	return "unknown type";
}

/* NULL, or why. */
static const char *
key_set(struct mtasts_config *config, struct span name, struct span value)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		if (span_is(name, keys[i].name))
			return value_set(config, &keys[i], span_trim_wsp(value));
	}
	return "unknown key";
}

/* "where: key 'x': why" */
static int
refuse(struct mtasts_config *config, const char *where, struct span key, const char *why)
{
	struct buf b;

	buf_init(&b, config->error, sizeof config->error);
	if (where[0] != '\0')
		buf_printf(&b, "%s: ", where);
	if (key.n != 0) {
		buf_put_escaped(&b, key, SHOWN, false);
		buf_puts(&b, ": ");
	}
	buf_puts(&b, why);
	return MTASTS_ECONFIG;
}

void
conf_defaults(struct mtasts_config *config)
{
	memset(config, 0, sizeof *config);
	for (size_t i = 0; i < N_KEYS; i++)
		(void)value_set(config, &keys[i], span_of(keys[i].preset));
}

int
conf_set(struct mtasts_config *config, struct span key, struct span value)
{
	const char *why = key_set(config, key, value);

	return why == NULL ? 0 : refuse(config, "", key, why);
}

int
conf_parse(struct mtasts_config *config, const char *name, struct span text)
{
	char where[CONF_ERROR_MAX / 2];

	for (size_t number = 1; text.n != 0; number++) {
		struct span line = span_make(text.p, span_find(text, '\n'));
		text = span_from(text, line.n + 1);
		line = span_trim_wsp(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		struct span key = span_make(line.p, span_find(line, '='));
		const char *why = "no '=' in the line";
		if (key.n < line.n)
			why = key_set(config, span_trim_wsp(key), span_from(line, key.n + 1));
		if (why != NULL) {
			snprintf(where, sizeof where, "%s:%zu", name, number);
			return refuse(config, where, span_trim_wsp(key), why);
		}
	}
	return 0;
}

const char *
conf_key(size_t i)
{
	return i < N_KEYS ? keys[i].name : NULL;
}

static void
duration_put(struct buf *out, int64_t seconds)
{
	size_t i = 0;

	while (seconds == 0 ? durations[i].factor != SECOND : seconds % durations[i].factor != 0)
		i++;
	buf_printf(out, "%lld%c", (long long)(seconds / durations[i].factor), durations[i].letter);
}

void
conf_value(const struct mtasts_config *config, size_t i, struct buf *out)
{
	const struct key *key = &keys[i];
	const void *field = field_in(config, key);

	switch (key->type) {
	case TYPE_PATH:
	case TYPE_PATH_OR_EMPTY:
	case TYPE_NAME:
		buf_puts(out, field);
		return;
	case TYPE_DURATION:
		duration_put(out, *(const int64_t *)field);
		return;
	case TYPE_NUMBER:
		buf_printf(out, "%lld", (long long)*(const int64_t *)field);
		return;
	case TYPE_ON:
		buf_puts(out, on_words[*(const enum conf_on *)field]);
		return;
	case TYPE_BOOL:
		buf_puts(out, bool_words[*(const bool *)field ? 1 : 0]);
		return;
	case TYPE_LEVEL:
		buf_puts(out, level_words[*(const enum mtasts_log *)field]);
		return;
	case TYPE_PREFIXES:
		conf_prefixes_format(out, field);
		return;
	case TYPE_DOMAINS:
		conf_domains_format(out, field);
		return;
	}
}

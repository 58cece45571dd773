/* SPDX-License-Identifier: ISC
 *
 * mtasts cache: the policies in the store, listed, shown, and dropped by the administrator's own
 * word, which is the only thing beside expiry and a successor that ends one: it goes to syslog.
 */
#include "cli.h"

#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "cache/store.h"
#include "table.h"
#include "view.h"

struct session {
	struct cli *cli;
	struct log log;
	struct store *store;
	struct cache cache;
	int64_t now;
};

/* One entry, with its body parsed: NULL where the body is no policy (it once was). */
struct shown {
	const struct entry *entry;
	struct policyfile *file;
};

static struct shown
shown_init(const struct entry *entry)
{
	struct shown shown = { .entry = entry };
	struct parse_error error;

	if (policyfile_parse(entry->body, NULL, &shown.file, &error) != 0)
		shown.file = NULL;
	return shown;
}

static const char *
shown_mode(const struct shown *shown)
{
	return shown->file == NULL ? "?" : mode_name(shown->file->mode);
}

static const char *
shown_state(const struct session *session, const struct shown *shown)
{
	if (entry_is_from_future(shown->entry, session->now))
		return "future";
	return entry_is_expired(shown->entry, session->now) ? "expired" : "valid";
}

static json_t *
entry_json(const struct session *session, const struct shown *shown)
{
	const struct entry *entry = shown->entry;
	json_t *json = json_object();

	json_object_set_new(json, "domain", json_string(entry->domain.name));
	json_object_set_new(json, "state", json_string(shown_state(session, shown)));
	json_object_set_new(json, "mode", json_string(shown_mode(shown)));
	json_object_set_new(json, "id", cli_json_text(entry->id));
	json_object_set_new(
	    json, "mx", shown->file == NULL ? json_array() : view_patterns(shown->file));
	json_object_set_new(json, "max_age", json_integer(entry->max_age));
	json_object_set_new(json, "fetched", cli_json_time(entry->fetched_at));
	json_object_set_new(json, "expires", cli_json_time(entry_expires(entry)));
	json_object_set_new(json, "used", cli_json_time(entry->used_at));
	return json;
}

static int
unreadable(const struct session *session)
{
	cli_say("store in %s: unreadable", session->cli->config->state_directory);
	return EX_TEMPFAIL;
}

/* ---- list ---- */

struct list {
	const struct session *session;
	struct table table;
	json_t *json; /* NULL: the table */
};

static int
list_add(void *arg, const struct entry *entry)
{
	struct list *list = arg;
	struct shown shown = shown_init(entry);
	char fetched[CLI_TIME_SIZE], expires[CLI_TIME_SIZE], used[CLI_TIME_SIZE];

	if (list->json != NULL) {
		json_array_append_new(list->json, entry_json(list->session, &shown));
	} else {
		const char *const row[] = { entry->domain.name, shown_state(list->session, &shown),
			shown_mode(&shown), cli_dash(entry->id),
			cli_time(entry->fetched_at, fetched),
			cli_time(entry_expires(entry), expires), cli_time(entry->used_at, used) };
		table_add(&list->table, row);
	}
	policyfile_free(shown.file);
	return 0;
}

static int
cache_list(struct session *session, const struct domain *domain)
{
	static const char *const head[] = { "DOMAIN", "STATE", "MODE", "ID", "FETCHED", "EXPIRES",
		"USED" };
	struct list list = { .session = session };

	(void)domain;
	table_init(&list.table, sizeof head / sizeof head[0]);
	if (session->cli->json)
		list.json = json_array();
	else
		table_add(&list.table, head);
	enum cache_result r = session->cache.each(session->cache.self, list_add, &list);
	int status = r == CACHE_OK || r == CACHE_NOTHING ? EX_OK : unreadable(session);
	if (session->cli->json) {
		int printed = cli_json(list.json);
		return status != EX_OK ? status : printed;
	}
	table_print(&list.table, "");
	return status;
}

/* ---- show ---- */

static void
entry_print(const struct session *session, const struct shown *shown)
{
	const struct entry *entry = shown->entry;
	char text[CLI_TIME_SIZE];

	printf("domain: %s\n", entry->domain.name);
	printf("state: %s\n", shown_state(session, shown));
	printf("mode: %s\n", shown_mode(shown));
	printf("id: %s\n", cli_dash(entry->id));
	for (size_t i = 0; shown->file != NULL && i < shown->file->n_mx; i++)
		printf("mx: %s\n", shown->file->mx[i].name);
	printf("max_age: %lld\n", (long long)entry->max_age);
	printf("fetched: %s\n", cli_time(entry->fetched_at, text));
	printf("expires: %s\n", cli_time(entry_expires(entry), text));
	printf("used: %s\n", cli_time(entry->used_at, text));
}

/* The entry, or a status after saying why there is none. */
static int
find(struct session *session, const struct domain *domain, struct entry **entry)
{
	switch (session->cache.get(session->cache.self, domain, entry)) {
	case CACHE_OK:
		return EX_OK;
	case CACHE_NOTHING:
		cli_say("%s: nothing cached", domain->name);
		return EX_NOINPUT;
	case CACHE_REFUSED:
	case CACHE_UNREADABLE:
		break;
	}
	return unreadable(session);
}

static int
cache_show(struct session *session, const struct domain *domain)
{
	struct entry *entry;

	int status = find(session, domain, &entry);
	if (status != EX_OK)
		return status;
	struct shown shown = shown_init(entry);
	if (session->cli->json)
		status = cli_json(entry_json(session, &shown));
	else
		entry_print(session, &shown);
	policyfile_free(shown.file);
	entry_free(entry);
	return status;
}

/* ---- drop ---- */

static void
drop_log(const struct shown *shown)
{
	const struct passwd *user = getpwuid(getuid());
	char fetched[CLI_TIME_SIZE], expires[CLI_TIME_SIZE];
	const struct entry *entry = shown->entry;

	openlog("mtasts", LOG_PID, LOG_MAIL);
	syslog(LOG_NOTICE, "cache drop domain=%s mode=%s id=%s fetched=%s expires=%s by=%s",
	    entry->domain.name, shown_mode(shown), cli_dash(entry->id),
	    cli_time(entry->fetched_at, fetched), cli_time(entry_expires(entry), expires),
	    user == NULL ? "?" : user->pw_name);
	closelog();
}

static int
cache_drop(struct session *session, const struct domain *domain)
{
	struct entry *entry;

	int status = find(session, domain, &entry);
	if (status != EX_OK)
		return status;
	struct shown shown = shown_init(entry);
	if (session->cache.drop(session->cache.self, domain) == CACHE_OK) {
		drop_log(&shown);
		printf("%s: dropped (mode %s)\n", domain->name, shown_mode(&shown));
	} else {
		cli_say("%s: could not be dropped", domain->name);
		status = EX_TEMPFAIL;
	}
	policyfile_free(shown.file);
	entry_free(entry);
	return status;
}

/* ---- which ---- */

struct action {
	const char *name;
	bool has_domain;
	int (*run)(struct session *session, const struct domain *domain);
};

static const struct action actions[] = {
	{ "list", false, cache_list },
	{ "show", true, cache_show },
	{ "drop", true, cache_drop },
};

static const struct action *
action_of(const char *name)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
		if (strcmp(name, actions[i].name) == 0)
			return &actions[i];
	}
	return NULL;
}

static int
session_run(struct cli *cli, const struct action *action, const struct domain *domain)
{
	struct session session = { .cli = cli };
	struct clock clock = clock_system();
	char why[256] = "";

	session.log = (struct log){ cli_log, cli, cli->config->log_level };
	session.now = clock_real(&clock);
	int r =
	    store_open(cli->config->state_directory, &session.log, &session.store, why, sizeof why);
	int status;
	if (r == 0) {
		session.cache = store_cache(session.store);
		status = action->run(&session, domain);
	} else {
		cli_say("store in %s: %s", cli->config->state_directory,
		    why[0] != '\0' ? why : mtasts_strerror(r));
		status = EX_TEMPFAIL;
	}
	if (r == 0 || r == MTASTS_ECACHE)
		store_close(session.store);
	return status;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct domain domain;
	int at = cli_options(cli, argc, argv);
	const struct action *action = at < argc ? action_of(argv[at]) : NULL;

	if (action == NULL)
		cli_usage(cli, "list, show or drop?");
	if (argc - at - 1 != (action->has_domain ? 1 : 0))
		cli_usage(
		    cli, action->has_domain ? "one domain is needed" : "list takes no arguments");
	int status = action->has_domain ? cli_domain(argv[at + 1], &domain) : EX_OK;
	if (status == EX_OK)
		status = cli_configure(cli);
	if (status == EX_OK)
		status = cli_find_store(cli);
	return status == EX_OK ? session_run(cli, action, &domain) : status;
}

const struct cli_command command_cache = {
	.name = "cache",
	.usage = "list | show DOMAIN | drop DOMAIN",
	.summary = "List, show or drop cached policies",
	.has_json = true,
	.run = run,
};

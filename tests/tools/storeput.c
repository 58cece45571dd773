/* SPDX-License-Identifier: ISC
 *
 * Puts a policy into a store as a look-up would, for tests of what reads it.
 *
 *	storeput DIRECTORY DOMAIN ID FETCHED <BODY
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cache/store.h"
#include "parse/policyfile.h"

static struct entry *
entry_of(char **argv)
{
	static char body[LIMIT_POLICY];
	struct span text = span_make(body, fread(body, 1, sizeof body, stdin));
	struct parse_error error;
	struct policyfile *policy;
	struct domain domain;

	if (domain_parse(span_of(argv[2]), DOMAIN_STRICT, &domain) != 0 ||
	    policyfile_parse(text, NULL, &policy, &error) != 0)
		return NULL;
	int64_t max_age = policy->max_age;
	policyfile_free(policy);
	return entry_new(&domain, strtoll(argv[4], NULL, 10), max_age, span_of(argv[3]), text);
}

int
main(int argc, char **argv)
{
	struct store *store;
	char why[256] = "no such entry";

	if (argc != 5) {
		fprintf(stderr, "usage: storeput DIRECTORY DOMAIN ID FETCHED <BODY\n");
		return EXIT_FAILURE;
	}
	struct entry *entry = entry_of(argv);
	if (entry == NULL || store_open(argv[1], NULL, &store, why, sizeof why) != 0) {
		fprintf(stderr, "storeput: %s\n", why);
		return EXIT_FAILURE;
	}
	struct cache cache = store_cache(store);
	enum cache_result r = cache.put(cache.self, entry, (int64_t)time(NULL));
	store_close(store);
	entry_free(entry);
	return r == CACHE_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

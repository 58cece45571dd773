/* SPDX-License-Identifier: ISC
 *
 * The folder of authorities as openssl-rehash(1) makes it: links named by hash, which may lead
 * anywhere.
 */
#include "sandbox/sandbox.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/span.h"

enum { HASH_DIGITS = 8 };

/* "0f1e2d3c.0" */
static bool
is_hash_name(const char *name)
{
	return strspn(name, "0123456789abcdef") == HASH_DIGITS && name[HASH_DIGITS] == '.' &&
	       is_digit(name[HASH_DIGITS + 1]);
}

int
sandbox_allow_certificates(struct sandbox *sandbox, const char *directory, size_t *n)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *folder = opendir(directory);

	if (folder == NULL)
		return -1;
	if (sandbox_allow(sandbox, directory, SANDBOX_READ) != 0) {
		closedir(folder);
		return -1;
	}
	*n = 0;
	while ((entry = readdir(folder)) != NULL) {
		if (!is_hash_name(entry->d_name))
			continue;
		int length = snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		if (length > 0 && (size_t)length < sizeof path &&
		    sandbox_allow(sandbox, path, SANDBOX_READ) == 0)
			++*n;
	}
	closedir(folder);
	return 0;
}

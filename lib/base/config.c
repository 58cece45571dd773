/* SPDX-License-Identifier: ISC
 *
 * The public configuration calls of mtasts.h over conf.c, and the one place that reads the file.
 */
#include "mtasts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/mem.h"

enum { FILE_MAX = 64 * 1024 }; /* octets of a configuration file */

/* At most cap octets of the file; more is EFBIG.  Octets, or -1 with errno. */
static ssize_t
read_all(int fd, char *p, size_t cap)
{
	size_t n = 0;

	for (;;) {
		char extra;
		ssize_t got = n < cap ? read(fd, p + n, cap - n) : read(fd, &extra, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -1 : (ssize_t)n;
		if (n == cap) {
			errno = EFBIG;
			return -1;
		}
		n += (size_t)got;
	}
}

static int
fail(struct mtasts_config *config, const char *path, const char *why)
{
	snprintf(config->error, sizeof config->error, "%s: %s", path, why);
	return MTASTS_ECONFIG;
}

static int
load_file(struct mtasts_config *config, const char *path, bool is_required)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && errno == ENOENT && !is_required)
		return 0;
	if (fd < 0)
		return fail(config, path, strerror(errno));
	char *text = mem_zero(FILE_MAX, 1);
	if (text == NULL) {
		close(fd);
		return MTASTS_ENOMEM;
	}
	ssize_t n = read_all(fd, text, FILE_MAX);
	int r = n < 0 ? fail(config, path, strerror(errno))
		      : conf_parse(config, path, span_make(text, (size_t)n));
	close(fd);
	free(text);
	return r;
}

int
mtasts_config_load(const char *path, struct mtasts_config **config)
{
	if (config == NULL)
		return MTASTS_EINVAL;
	struct mtasts_config *made = mem_zero(1, sizeof *made);
	if (made == NULL)
		return MTASTS_ENOMEM;
	conf_defaults(made);
	int r = load_file(made, path != NULL ? path : CONF_DEFAULT_PATH, path != NULL);
	if (r == MTASTS_ENOMEM) {
		free(made);
		return r;
	}
	*config = made;
	return r;
}

int
mtasts_config_set(struct mtasts_config *config, const char *key, const char *value)
{
	if (config == NULL || key == NULL || value == NULL)
		return MTASTS_EINVAL;
	return conf_set(config, span_of(key), span_of(value));
}

const char *
mtasts_config_error(const struct mtasts_config *config)
{
	return config == NULL ? "" : config->error;
}

void
mtasts_config_free(struct mtasts_config *config)
{
	free(config);
}

/* SPDX-License-Identifier: ISC
 *
 * Stands in for libFuzzer: runs the target once over each file named, or found in the folders
 * named, and says how many there were.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static int
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		return -1;
	}
	size_t cap = 4 * 1024 * 1024;
	uint8_t *p = malloc(cap);
	size_t n = p == NULL ? 0 : fread(p, 1, cap, f);
	fclose(f);
	uint8_t *exact = malloc(n + 1); /* a sanitizer sees a read past n octets */
	if (p == NULL || exact == NULL)
		abort();
	exact = realloc(exact, n == 0 ? 1 : n);
	memcpy(exact, p, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	free(p);
	return 0;
}

static long
replay(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return replay_file(path) == 0 ? 1 : -1;
	DIR *dir = opendir(path);
	if (dir == NULL)
		return -1;
	long count = 0;
	struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) {
		char name[4096];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (replay_file(name) == 0)
			count++;
	}
	closedir(dir);
	return count;
}

int
main(int argc, char **argv)
{
	long total = 0;
	for (int i = 1; i < argc; i++) {
		long n = replay(argv[i]);
		if (n < 0)
			return EXIT_FAILURE;
		total += n;
	}
	printf("%ld inputs\n", total);
	return total > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

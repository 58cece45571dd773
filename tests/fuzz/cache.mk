# SPDX-License-Identifier: ISC
FUZZERS += row
check_PROGRAMS += tests/fuzz/fuzz_row
tests_fuzz_fuzz_row_SOURCES = tests/fuzz/fuzz_row.c $(FUZZ_MAIN)
tests_fuzz_fuzz_row_LDADD = $(LAYER_CACHE)
tests_fuzz_fuzz_row_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-row

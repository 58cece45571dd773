# SPDX-License-Identifier: ISC
FUZZERS += verdict
check_PROGRAMS += tests/fuzz/fuzz_verdict
tests_fuzz_fuzz_verdict_SOURCES = tests/fuzz/fuzz_verdict.c $(FUZZ_MAIN)
tests_fuzz_fuzz_verdict_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_verdict_LDADD = socketmap/libsocketmap.la $(LAYER_BASE)
tests_fuzz_fuzz_verdict_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-verdict

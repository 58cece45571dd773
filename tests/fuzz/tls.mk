# SPDX-License-Identifier: ISC
FUZZERS += chain
check_PROGRAMS += tests/fuzz/fuzz_chain
tests_fuzz_fuzz_chain_SOURCES = tests/fuzz/fuzz_chain.c $(FUZZ_MAIN)
tests_fuzz_fuzz_chain_LDADD = $(LAYER_TLS)
tests_fuzz_fuzz_chain_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-chain

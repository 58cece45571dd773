# SPDX-License-Identifier: ISC
check_PROGRAMS += tests/unit/check_chain
TESTS += tests/unit/check_chain
tests_unit_check_chain_SOURCES = tests/unit/check_chain.c tests/unit/pki.c tests/unit/pki.h $(UNIT)
tests_unit_check_chain_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_chain_LDADD = $(LAYER_TLS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_chain_memory
TESTS += tests/unit/check_chain_memory
tests_unit_check_chain_memory_SOURCES = tests/unit/check_chain_memory.c tests/unit/pki.c \
	tests/unit/pki.h $(UNIT)
tests_unit_check_chain_memory_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_chain_memory_LDADD = $(LAYER_TLS) $(CHECK_LIBS)

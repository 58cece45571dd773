# SPDX-License-Identifier: ISC
FUZZERS += netstring
check_PROGRAMS += tests/fuzz/fuzz_netstring
tests_fuzz_fuzz_netstring_SOURCES = tests/fuzz/fuzz_netstring.c $(FUZZ_MAIN)
tests_fuzz_fuzz_netstring_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_netstring_LDADD = socketmap/libsocketmap.la $(LAYER_BASE) $(IDN2_LIBS)
tests_fuzz_fuzz_netstring_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-netstring tests/fuzz/netstring.dict

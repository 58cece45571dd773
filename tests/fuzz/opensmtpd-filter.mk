# SPDX-License-Identifier: ISC
FUZZERS += channel supervisor
check_PROGRAMS += tests/fuzz/fuzz_channel tests/fuzz/fuzz_supervisor
tests_fuzz_fuzz_channel_SOURCES = tests/fuzz/fuzz_channel.c $(FUZZ_MAIN)
tests_fuzz_fuzz_channel_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_channel_LDADD = opensmtpd/proto/libproto.la $(LAYER_BASE)
tests_fuzz_fuzz_channel_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_supervisor_SOURCES = tests/fuzz/fuzz_supervisor.c $(FUZZ_MAIN)
tests_fuzz_fuzz_supervisor_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_supervisor_LDADD = opensmtpd/libsupervisor.la $(LAYER_BASE) lib/libmtasts.la
tests_fuzz_fuzz_supervisor_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-channel tests/fuzz/corpus-supervisor

# SPDX-License-Identifier: ISC
FUZZERS += event tabletext tableimsg
check_PROGRAMS += tests/fuzz/fuzz_event tests/fuzz/fuzz_tabletext tests/fuzz/fuzz_tableimsg
tests_fuzz_fuzz_event_SOURCES = tests/fuzz/fuzz_event.c $(FUZZ_MAIN)
tests_fuzz_fuzz_event_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_event_LDADD = opensmtpd/proto/libproto.la $(LAYER_BASE)
tests_fuzz_fuzz_event_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_tabletext_SOURCES = tests/fuzz/fuzz_tabletext.c $(FUZZ_MAIN)
tests_fuzz_fuzz_tabletext_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_tabletext_LDADD = opensmtpd/proto/libproto.la $(LAYER_BASE)
tests_fuzz_fuzz_tabletext_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_tableimsg_SOURCES = tests/fuzz/fuzz_tableimsg.c $(FUZZ_MAIN)
tests_fuzz_fuzz_tableimsg_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_tableimsg_LDADD = opensmtpd/proto/libproto.la $(LAYER_BASE)
tests_fuzz_fuzz_tableimsg_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-event tests/fuzz/corpus-tabletext tests/fuzz/corpus-tableimsg

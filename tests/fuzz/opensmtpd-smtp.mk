# SPDX-License-Identifier: ISC
FUZZERS += smtp_reply smtp
check_PROGRAMS += tests/fuzz/fuzz_smtp_reply tests/fuzz/fuzz_smtp
tests_fuzz_fuzz_smtp_reply_SOURCES = tests/fuzz/fuzz_smtp_reply.c $(FUZZ_MAIN)
tests_fuzz_fuzz_smtp_reply_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_smtp_reply_LDADD = opensmtpd/proto/libproto.la $(LAYER_PARSE)
tests_fuzz_fuzz_smtp_reply_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_smtp_SOURCES = tests/fuzz/fuzz_smtp.c $(FUZZ_MAIN)
tests_fuzz_fuzz_smtp_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_smtp_LDADD = opensmtpd/proto/libproto.la $(LAYER_PARSE)
tests_fuzz_fuzz_smtp_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-smtp_reply tests/fuzz/corpus-smtp tests/fuzz/smtp.dict

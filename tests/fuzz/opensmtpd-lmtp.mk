# SPDX-License-Identifier: ISC
FUZZERS += lmtp
check_PROGRAMS += tests/fuzz/fuzz_lmtp
tests_fuzz_fuzz_lmtp_SOURCES = tests/fuzz/fuzz_lmtp.c $(FUZZ_MAIN)
tests_fuzz_fuzz_lmtp_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_lmtp_LDADD = opensmtpd/proto/libproto.la $(LAYER_PARSE) $(IDN2_LIBS)
tests_fuzz_fuzz_lmtp_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-lmtp tests/fuzz/lmtp.dict
FUZZERS += body
check_PROGRAMS += tests/fuzz/fuzz_body
tests_fuzz_fuzz_body_SOURCES = tests/fuzz/fuzz_body.c $(FUZZ_MAIN)
tests_fuzz_fuzz_body_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_body_LDADD = opensmtpd/proto/libproto.la $(LAYER_PARSE) $(IDN2_LIBS)
tests_fuzz_fuzz_body_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-body tests/fuzz/body.dict
FUZZERS += received
check_PROGRAMS += tests/fuzz/fuzz_received
tests_fuzz_fuzz_received_SOURCES = tests/fuzz/fuzz_received.c $(FUZZ_MAIN)
tests_fuzz_fuzz_received_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_received_LDADD = opensmtpd/proto/libproto.la $(LAYER_PARSE) $(IDN2_LIBS)
tests_fuzz_fuzz_received_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-received tests/fuzz/received.dict
# a whole dialogue, with transactions of the unit tests
FUZZERS += dialogue
check_PROGRAMS += tests/fuzz/fuzz_dialogue
tests_fuzz_fuzz_dialogue_SOURCES = tests/fuzz/fuzz_dialogue.c tests/unit/transaction_fake.c \
	tests/unit/transaction_fake.h $(FUZZ_MAIN)
tests_fuzz_fuzz_dialogue_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -I$(top_srcdir)/tests/unit
tests_fuzz_fuzz_dialogue_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
tests_fuzz_fuzz_dialogue_LDADD = opensmtpd/relay/librelay.la loop/libloop.la opensmtpd/proto/libproto.la \
	$(LAYER_ENGINE) $(IDN2_LIBS)
tests_fuzz_fuzz_dialogue_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-dialogue tests/fuzz/dialogue.dict

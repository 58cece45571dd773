# SPDX-License-Identifier: ISC
# What smtpd says to the relay: commands, messages, their age.
check_PROGRAMS += tests/unit/check_lmtp tests/unit/check_body tests/unit/check_received
TESTS += tests/unit/check_lmtp tests/unit/check_body tests/unit/check_received
LMTP_UNIT = opensmtpd/proto/libproto.la $(LAYER_PARSE) $(CHECK_LIBS) $(IDN2_LIBS)
tests_unit_check_lmtp_SOURCES = tests/unit/check_lmtp.c $(UNIT)
tests_unit_check_lmtp_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_lmtp_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_lmtp_LDADD = $(LMTP_UNIT)
tests_unit_check_body_SOURCES = tests/unit/check_body.c $(UNIT)
tests_unit_check_body_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_body_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_body_LDADD = $(LMTP_UNIT)
tests_unit_check_received_SOURCES = tests/unit/check_received.c $(UNIT)
tests_unit_check_received_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_received_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_received_LDADD = $(LMTP_UNIT)

# Sessions over real sockets, with transactions of the tests
check_PROGRAMS += tests/unit/check_session
TESTS += tests/unit/check_session
SESSION_FAKE = tests/unit/transaction_fake.c tests/unit/transaction_fake.h tests/unit/lmtp_server.c \
	tests/unit/lmtp_server.h
SESSION_UNIT = opensmtpd/relay/librelay.la loop/libloop.la opensmtpd/proto/libproto.la $(LAYER_ENGINE) \
	$(CHECK_LIBS) $(IDN2_LIBS)
tests_unit_check_session_SOURCES = tests/unit/check_session.c $(SESSION_FAKE) $(UNIT)
tests_unit_check_session_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_session_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SSL_CFLAGS)
tests_unit_check_session_LDADD = $(SESSION_UNIT)
# once as it is built, once as where the kernel cannot be asked
check_PROGRAMS += tests/unit/check_pace tests/unit/check_pace_blind
TESTS += tests/unit/check_pace tests/unit/check_pace_blind
tests_unit_check_pace_SOURCES = tests/unit/check_pace.c $(SESSION_FAKE) $(UNIT)
tests_unit_check_pace_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_pace_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SSL_CFLAGS)
tests_unit_check_pace_LDADD = $(SESSION_UNIT)
tests_unit_check_pace_blind_SOURCES = tests/unit/check_pace.c opensmtpd/relay/peer.c $(SESSION_FAKE) $(UNIT)
tests_unit_check_pace_blind_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -DPACE_IS_BLIND
tests_unit_check_pace_blind_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SSL_CFLAGS)
tests_unit_check_pace_blind_LDADD = $(SESSION_UNIT)
check_PROGRAMS += tests/unit/check_finals
TESTS += tests/unit/check_finals
tests_unit_check_finals_SOURCES = tests/unit/check_finals.c opensmtpd/relay/finals.c $(UNIT) $(NOMEM)
tests_unit_check_finals_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_finals_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_finals_LDADD = $(LMTP_UNIT)
tests_unit_check_finals_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

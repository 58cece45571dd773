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

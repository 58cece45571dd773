# SPDX-License-Identifier: ISC
# The relay's SMTP: replies, the client's side of a session, and a session over real sockets.
check_PROGRAMS += tests/unit/check_smtp_reply
TESTS += tests/unit/check_smtp_reply
tests_unit_check_smtp_reply_SOURCES = tests/unit/check_smtp_reply.c $(UNIT)
tests_unit_check_smtp_reply_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_smtp_reply_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_smtp_reply_LDADD = opensmtpd/proto/libproto.la $(LAYER_PARSE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_smtp
TESTS += tests/unit/check_smtp
tests_unit_check_smtp_SOURCES = tests/unit/check_smtp.c $(UNIT) $(NOMEM)
tests_unit_check_smtp_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_smtp_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_smtp_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)
tests_unit_check_smtp_LDADD = opensmtpd/proto/libproto.la $(LAYER_PARSE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_upstream
TESTS += tests/unit/check_upstream
tests_unit_check_upstream_SOURCES = tests/unit/check_upstream.c tests/unit/mailhost.c tests/unit/mailhost.h \
	tests/unit/pki.c tests/unit/pki.h $(UNIT) $(NOMEM)
tests_unit_check_upstream_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_upstream_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SSL_CFLAGS)
tests_unit_check_upstream_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)
tests_unit_check_upstream_LDADD = opensmtpd/relay/librelay.la $(LAYER_TLS) $(CHECK_LIBS) $(SSL_LIBS)

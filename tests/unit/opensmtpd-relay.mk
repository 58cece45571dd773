# SPDX-License-Identifier: ISC
# The relay's decisions: hosts, addresses, late answers, and whole transactions over fake worlds.
RELAY_PURE = opensmtpd/proto/libproto.la $(LAYER_PARSE) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_mxorder tests/unit/check_hostaddress tests/unit/check_late
TESTS += tests/unit/check_mxorder tests/unit/check_hostaddress tests/unit/check_late
tests_unit_check_mxorder_SOURCES = tests/unit/check_mxorder.c $(UNIT)
tests_unit_check_mxorder_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_mxorder_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_mxorder_LDADD = $(RELAY_PURE)
tests_unit_check_hostaddress_SOURCES = tests/unit/check_hostaddress.c $(UNIT)
tests_unit_check_hostaddress_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_hostaddress_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_hostaddress_LDADD = $(RELAY_PURE)
tests_unit_check_late_SOURCES = tests/unit/check_late.c opensmtpd/relay/late.c $(UNIT) $(NOMEM)
tests_unit_check_late_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_late_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_late_LDADD = $(RELAY_PURE)
tests_unit_check_late_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

RELAY_WORLD = tests/unit/relay_fake.c tests/unit/relay_fake.h tests/unit/relay_worlds.c tests/unit/relay_worlds.h \
	tests/unit/smtpd_fake.c tests/unit/smtpd_fake.h \
	opensmtpd/relay/account.c opensmtpd/relay/answers.c opensmtpd/relay/delivery.c \
	opensmtpd/relay/delivery_answer.c opensmtpd/relay/delivery_session.c opensmtpd/relay/late.c \
	opensmtpd/relay/recipients.c opensmtpd/relay/round.c opensmtpd/relay/route.c \
	opensmtpd/relay/transaction.c
check_PROGRAMS += tests/unit/check_transaction
TESTS += tests/unit/check_transaction
tests_unit_check_transaction_SOURCES = tests/unit/check_transaction.c $(RELAY_WORLD) $(UNIT)
tests_unit_check_transaction_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_transaction_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SSL_CFLAGS)
tests_unit_check_transaction_LDADD = opensmtpd/proto/libproto.la $(LAYER_ENGINE) $(CHECK_LIBS) $(CRYPTO_LIBS)

check_PROGRAMS += tests/unit/check_transaction_random
TESTS += tests/unit/check_transaction_random
tests_unit_check_transaction_random_SOURCES = tests/unit/check_transaction_random.c $(RELAY_WORLD) $(UNIT) $(NOMEM)
tests_unit_check_transaction_random_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_transaction_random_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SSL_CFLAGS)
tests_unit_check_transaction_random_LDADD = opensmtpd/proto/libproto.la $(LAYER_ENGINE) $(CHECK_LIBS) $(CRYPTO_LIBS)
tests_unit_check_transaction_random_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

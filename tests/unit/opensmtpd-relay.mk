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

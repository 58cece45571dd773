# SPDX-License-Identifier: ISC
# What is spoken around smtpd.
PROTO_TESTS = tests/unit/check_event tests/unit/check_tabletext tests/unit/check_tableimsg tests/unit/check_place
check_PROGRAMS += $(PROTO_TESTS)
TESTS += $(PROTO_TESTS)
PROTO_UNIT = opensmtpd/proto/libproto.la $(LAYER_BASE) $(CHECK_LIBS)
tests_unit_check_event_SOURCES = tests/unit/check_event.c $(UNIT)
tests_unit_check_event_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_event_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_event_LDADD = $(PROTO_UNIT)
tests_unit_check_tabletext_SOURCES = tests/unit/check_tabletext.c $(UNIT)
tests_unit_check_tabletext_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_tabletext_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_tabletext_LDADD = $(PROTO_UNIT)
tests_unit_check_tableimsg_SOURCES = tests/unit/check_tableimsg.c $(UNIT)
tests_unit_check_tableimsg_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_tableimsg_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_tableimsg_LDADD = $(PROTO_UNIT)
tests_unit_check_place_SOURCES = tests/unit/check_place.c $(UNIT)
tests_unit_check_place_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_place_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_place_LDADD = $(PROTO_UNIT)

# The table as a process, asked as smtpd asks.
check_PROGRAMS += tests/unit/check_table
TESTS += tests/unit/check_table
ASKER = tests/unit/asker.c tests/unit/asker.h
tests_unit_check_table_SOURCES = tests/unit/check_table.c $(ASKER) $(STATE) $(UNIT)
tests_unit_check_table_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_check_table_LDADD = $(LAYER_CACHE) $(CHECK_LIBS) $(SQLITE_LIBS)
TESTS += tests/unit/opensmtpd.sh
EXTRA_DIST += tests/unit/opensmtpd.sh

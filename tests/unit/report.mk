# SPDX-License-Identifier: ISC
check_PROGRAMS += tests/unit/check_record tests/unit/check_journal
TESTS += tests/unit/check_record tests/unit/check_journal
tests_unit_check_record_SOURCES = tests/unit/check_record.c $(UNIT)
tests_unit_check_record_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_record_LDADD = $(LAYER_REPORT) $(CHECK_LIBS)
tests_unit_check_journal_SOURCES = tests/unit/check_journal.c $(UNIT)
tests_unit_check_journal_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_journal_LDADD = $(LAYER_REPORT) $(CHECK_LIBS)

# SPDX-License-Identifier: ISC
check_PROGRAMS += tests/unit/check_span
TESTS += tests/unit/check_span
tests_unit_check_span_SOURCES = tests/unit/check_span.c $(UNIT)
tests_unit_check_span_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_span_LDADD = $(LAYER_BASE) $(CHECK_LIBS)

# SPDX-License-Identifier: ISC
check_PROGRAMS += tests/unit/check_judge tests/unit/check_decide
TESTS += tests/unit/check_judge tests/unit/check_decide
tests_unit_check_judge_SOURCES = tests/unit/check_judge.c tests/unit/sample.h $(UNIT)
tests_unit_check_judge_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_judge_LDADD = $(LAYER_ENGINE) $(CHECK_LIBS)
tests_unit_check_decide_SOURCES = tests/unit/check_decide.c tests/unit/sample.h $(UNIT)
tests_unit_check_decide_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_decide_LDADD = $(LAYER_ENGINE) $(CHECK_LIBS)

# SPDX-License-Identifier: ISC
check_PROGRAMS += tests/unit/check_judge tests/unit/check_decide
TESTS += tests/unit/check_judge tests/unit/check_decide
tests_unit_check_judge_SOURCES = tests/unit/check_judge.c tests/unit/sample.h $(UNIT)
tests_unit_check_judge_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_judge_LDADD = $(LAYER_ENGINE) $(CHECK_LIBS)
tests_unit_check_decide_SOURCES = tests/unit/check_decide.c tests/unit/sample.h $(UNIT)
tests_unit_check_decide_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_decide_LDADD = $(LAYER_ENGINE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_plan
TESTS += tests/unit/check_plan
tests_unit_check_plan_SOURCES = tests/unit/check_plan.c $(UNIT)
tests_unit_check_plan_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_plan_LDADD = $(LAYER_ENGINE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_mxset
TESTS += tests/unit/check_mxset
tests_unit_check_mxset_SOURCES = tests/unit/check_mxset.c $(UNIT)
tests_unit_check_mxset_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_mxset_LDADD = $(LAYER_ENGINE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_memo
TESTS += tests/unit/check_memo
tests_unit_check_memo_SOURCES = tests/unit/check_memo.c $(UNIT)
tests_unit_check_memo_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_memo_LDADD = $(LAYER_ENGINE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_evidence
TESTS += tests/unit/check_evidence
tests_unit_check_evidence_SOURCES = tests/unit/check_evidence.c $(UNIT)
tests_unit_check_evidence_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_evidence_LDADD = $(LAYER_ENGINE) $(CHECK_LIBS)

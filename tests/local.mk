# SPDX-License-Identifier: ISC
include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/scenario/local.mk
include tests/integration/local.mk
include tests/tools/local.mk

EXTRA_DIST += tests/run tests/deps tests/install-deps

# The tests of what is pure once more under valgrind; processes and disks are the sanitizers' affair.
VALGRIND_TESTS = tests/unit/check_answer tests/unit/check_buf tests/unit/check_conf tests/unit/check_decide \
	tests/unit/check_domain tests/unit/check_entry tests/unit/check_judge \
	tests/unit/check_mediatype tests/unit/check_mxmatch tests/unit/check_mxset \
	tests/unit/check_netstring tests/unit/check_reply tests/unit/check_request \
	tests/unit/check_plan tests/unit/check_policyfile tests/unit/check_record \
	tests/unit/check_rpttxt tests/unit/check_smtp tests/unit/check_smtp_reply tests/unit/check_ststxt tests/unit/check_utf8 tests/unit/check_wire
check-valgrind: $(check_PROGRAMS)
	$(MAKE) $(AM_MAKEFLAGS) check VALGRIND=1 TESTS='$(VALGRIND_TESTS)' \
	    TESTS_ENVIRONMENT='CK_TIMEOUT_MULTIPLIER=10 ' \
	    LOG_COMPILER='$(LIBTOOL) --mode=execute valgrind -q --error-exitcode=9 --leak-check=full'
.PHONY: check-valgrind

# SPDX-License-Identifier: ISC
include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/scenario/local.mk
include tests/integration/local.mk
include tests/tools/local.mk

EXTRA_DIST += tests/run tests/deps tests/install-deps

# The unit tests once more under valgrind; VALGRIND in the environment lets a test shorten its loops.
check-valgrind: $(check_PROGRAMS)
	$(MAKE) $(AM_MAKEFLAGS) check VALGRIND=1 \
	    TESTS="`echo $(check_PROGRAMS) | tr ' ' '\n' | grep '^tests/unit/check_' | tr '\n' ' '`" \
	    LOG_COMPILER='$(LIBTOOL) --mode=execute valgrind -q --error-exitcode=9 --leak-check=full'
.PHONY: check-valgrind

TESTS += tests/man.sh tests/unit/cli.sh
EXTRA_DIST += tests/man.sh tests/unit/cli.sh tests/integration/lib/tap.sh

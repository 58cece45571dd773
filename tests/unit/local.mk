# SPDX-License-Identifier: ISC
# Unit tests: check_<module>.c tests lib/<layer>/<module>.c and links that layer and those below.
# A layer's tests are listed in <layer>.mk beside this file.
UNIT = tests/unit/unit.c tests/unit/unit.h tests/unit/guard.c tests/unit/guard.h
# memory that runs out at the n-th allocation (nomem.h)
NOMEM = tests/unit/nomem.c tests/unit/nomem.h
NOMEM_WRAP = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc
EXTRA_DIST += tests/unit/symbols.sh tests/unit/layers.sh tests/unit/hardening.sh tests/unit/units.sh
if HAVE_CHECK
include tests/unit/base.mk
include tests/unit/parse.mk
include tests/unit/cache.mk
include tests/unit/net.mk
include tests/unit/tls.mk
include tests/unit/engine.mk
include tests/unit/report.mk
include tests/unit/api.mk
include tests/unit/exim.mk
include tests/unit/verdict.mk
include tests/unit/socketmap.mk
if WITH_OPENSMTPD
include tests/unit/opensmtpd-relay.mk
include tests/unit/opensmtpd-proto.mk
include tests/unit/opensmtpd-lmtp.mk
include tests/unit/opensmtpd-smtp.mk
endif
include tests/unit/loop.mk
include tests/unit/opensmtpd-filter.mk
endif
TESTS += tests/unit/symbols.sh tests/unit/layers.sh tests/unit/hardening.sh tests/unit/units.sh
AM_TESTS_ENVIRONMENT += HARDENING='$(HARDENING)'; export HARDENING;

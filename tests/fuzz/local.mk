# SPDX-License-Identifier: ISC
# fuzz_<parser>.c: one LLVMFuzzerTestOneInput each.  Always built; without --enable-fuzzing they are
# linked with replay.c and `make check` runs their corpus (tests/fuzz/corpus-<parser>/).
# To add one: FUZZERS += name, and the three lines below for it in <layer>.mk.
FUZZERS =
if FUZZING
FUZZ_MAIN =
else
FUZZ_MAIN = tests/fuzz/replay.c
TESTS += tests/fuzz/replay.sh
endif
include tests/fuzz/parse.mk
include tests/fuzz/cache.mk
include tests/fuzz/net.mk
include tests/fuzz/tls.mk
include tests/fuzz/report.mk
include tests/fuzz/exim.mk
include tests/fuzz/socketmap.mk
include tests/fuzz/verdict.mk
if WITH_OPENSMTPD
include tests/fuzz/opensmtpd-proto.mk
include tests/fuzz/opensmtpd-filter.mk
include tests/fuzz/opensmtpd-lmtp.mk
include tests/fuzz/opensmtpd-smtp.mk
endif
EXTRA_DIST += tests/fuzz/replay.sh tests/fuzz/replay.c tests/fuzz/fuzz.h
FUZZERS_LIST = $(FUZZERS)
AM_TESTS_ENVIRONMENT += FUZZERS='$(FUZZERS_LIST)'; export FUZZERS;

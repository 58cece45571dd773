# SPDX-License-Identifier: ISC

FUZZERS += conf
check_PROGRAMS += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c $(FUZZ_MAIN)
tests_fuzz_fuzz_conf_LDADD = $(LAYER_BASE)
tests_fuzz_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-conf tests/fuzz/conf.dict

FUZZERS += domain
check_PROGRAMS += tests/fuzz/fuzz_domain
tests_fuzz_fuzz_domain_SOURCES = tests/fuzz/fuzz_domain.c $(FUZZ_MAIN)
tests_fuzz_fuzz_domain_LDADD = $(LAYER_BASE)
tests_fuzz_fuzz_domain_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-domain tests/fuzz/domain.dict

FUZZERS += mediatype
check_PROGRAMS += tests/fuzz/fuzz_mediatype
tests_fuzz_fuzz_mediatype_SOURCES = tests/fuzz/fuzz_mediatype.c $(FUZZ_MAIN)
tests_fuzz_fuzz_mediatype_LDADD = $(LAYER_PARSE)
tests_fuzz_fuzz_mediatype_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-mediatype tests/fuzz/mediatype.dict

FUZZERS += mxmatch
check_PROGRAMS += tests/fuzz/fuzz_mxmatch
tests_fuzz_fuzz_mxmatch_SOURCES = tests/fuzz/fuzz_mxmatch.c $(FUZZ_MAIN)
tests_fuzz_fuzz_mxmatch_LDADD = $(LAYER_PARSE)
tests_fuzz_fuzz_mxmatch_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-mxmatch tests/fuzz/mxmatch.dict

FUZZERS += policyfile
check_PROGRAMS += tests/fuzz/fuzz_policyfile
tests_fuzz_fuzz_policyfile_SOURCES = tests/fuzz/fuzz_policyfile.c $(FUZZ_MAIN)
tests_fuzz_fuzz_policyfile_LDADD = $(LAYER_PARSE)
tests_fuzz_fuzz_policyfile_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-policyfile tests/fuzz/policyfile.dict

FUZZERS += rpttxt
check_PROGRAMS += tests/fuzz/fuzz_rpttxt
tests_fuzz_fuzz_rpttxt_SOURCES = tests/fuzz/fuzz_rpttxt.c $(FUZZ_MAIN)
tests_fuzz_fuzz_rpttxt_LDADD = $(LAYER_PARSE)
tests_fuzz_fuzz_rpttxt_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-rpttxt tests/fuzz/rpttxt.dict

FUZZERS += ststxt
check_PROGRAMS += tests/fuzz/fuzz_ststxt
tests_fuzz_fuzz_ststxt_SOURCES = tests/fuzz/fuzz_ststxt.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ststxt_LDADD = $(LAYER_PARSE)
tests_fuzz_fuzz_ststxt_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-ststxt tests/fuzz/ststxt.dict

# SPDX-License-Identifier: ISC
EXTRA_DIST += tests/vectors/policies.txt
VECTORS = tests/unit/vectors.c tests/unit/vectors.h

check_PROGRAMS += tests/unit/check_mediatype
TESTS += tests/unit/check_mediatype
tests_unit_check_mediatype_SOURCES = tests/unit/check_mediatype.c $(UNIT)
tests_unit_check_mediatype_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_mediatype_LDADD = $(LAYER_PARSE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_mxmatch
TESTS += tests/unit/check_mxmatch
tests_unit_check_mxmatch_SOURCES = tests/unit/check_mxmatch.c $(UNIT)
tests_unit_check_mxmatch_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_mxmatch_LDADD = $(LAYER_PARSE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_policyfile
TESTS += tests/unit/check_policyfile
tests_unit_check_policyfile_SOURCES = tests/unit/check_policyfile.c $(UNIT) $(NOMEM)
tests_unit_check_policyfile_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_policyfile_LDADD = $(LAYER_PARSE) $(CHECK_LIBS)
tests_unit_check_policyfile_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

check_PROGRAMS += tests/unit/check_rpttxt
TESTS += tests/unit/check_rpttxt
tests_unit_check_rpttxt_SOURCES = tests/unit/check_rpttxt.c $(UNIT)
tests_unit_check_rpttxt_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_rpttxt_LDADD = $(LAYER_PARSE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_ststxt
TESTS += tests/unit/check_ststxt
tests_unit_check_ststxt_SOURCES = tests/unit/check_ststxt.c $(UNIT)
tests_unit_check_ststxt_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_ststxt_LDADD = $(LAYER_PARSE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_utf8
TESTS += tests/unit/check_utf8
tests_unit_check_utf8_SOURCES = tests/unit/check_utf8.c $(UNIT)
tests_unit_check_utf8_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_utf8_LDADD = $(LAYER_PARSE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_vectors
TESTS += tests/unit/check_vectors
tests_unit_check_vectors_SOURCES = tests/unit/check_vectors.c $(UNIT) $(VECTORS)
tests_unit_check_vectors_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vectors_LDADD = $(LAYER_PARSE) $(CHECK_LIBS)

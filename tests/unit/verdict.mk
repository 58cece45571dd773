# SPDX-License-Identifier: ISC
# The judge of a packaged sendmail, over an engine of the tests.
check_PROGRAMS += tests/unit/check_verdict
TESTS += tests/unit/check_verdict
tests_unit_check_verdict_SOURCES = tests/unit/check_verdict.c tests/unit/sample.h $(EXIM_FAKE) $(UNIT) $(NOMEM)
tests_unit_check_verdict_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_verdict_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_verdict_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)
tests_unit_check_verdict_LDADD = socketmap/libsocketmap.la $(LAYER_ENGINE) $(CHECK_LIBS)

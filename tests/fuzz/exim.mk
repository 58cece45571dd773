# SPDX-License-Identifier: ISC
FUZZERS += exim_vars exim_reply exim_session exim_event
check_PROGRAMS += tests/fuzz/fuzz_exim_vars tests/fuzz/fuzz_exim_reply tests/fuzz/fuzz_exim_session \
	tests/fuzz/fuzz_exim_event
EXIM_FUZZ = exim/libplugin.la $(LAYER_ENGINE) $(CRYPTO_LIBS)
tests_fuzz_fuzz_exim_vars_SOURCES = tests/fuzz/fuzz_exim_vars.c $(FUZZ_MAIN) tests/unit/engine_fake.c
tests_fuzz_fuzz_exim_vars_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_exim_vars_LDADD = $(EXIM_FUZZ)
tests_fuzz_fuzz_exim_vars_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_exim_reply_SOURCES = tests/fuzz/fuzz_exim_reply.c $(FUZZ_MAIN) tests/unit/engine_fake.c
tests_fuzz_fuzz_exim_reply_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_exim_reply_LDADD = $(EXIM_FUZZ)
tests_fuzz_fuzz_exim_reply_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_exim_session_SOURCES = tests/fuzz/fuzz_exim_session.c $(FUZZ_MAIN) tests/unit/engine_fake.c
tests_fuzz_fuzz_exim_session_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_exim_session_LDADD = $(EXIM_FUZZ)
tests_fuzz_fuzz_exim_session_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_exim_event_SOURCES = tests/fuzz/fuzz_exim_event.c $(FUZZ_MAIN) tests/unit/engine_fake.c
tests_fuzz_fuzz_exim_event_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_exim_event_LDADD = $(EXIM_FUZZ)
tests_fuzz_fuzz_exim_event_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus-exim_vars tests/fuzz/corpus-exim_reply tests/fuzz/corpus-exim_session \
	tests/fuzz/corpus-exim_event

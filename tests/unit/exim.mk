# SPDX-License-Identifier: ISC
# The Exim plugin's objects, without Exim: words alone, then all of it over an engine of the tests.
check_PROGRAMS += tests/unit/check_exim_words tests/unit/check_exim_plugin
TESTS += tests/unit/check_exim_words tests/unit/check_exim_plugin
EXIM_FAKE = tests/unit/engine_fake.c tests/unit/engine_fake.h
tests_unit_check_exim_words_SOURCES = tests/unit/check_exim_words.c $(EXIM_FAKE) $(UNIT)
tests_unit_check_exim_words_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_exim_words_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_exim_words_LDADD = exim/libplugin.la $(LAYER_ENGINE) $(CHECK_LIBS) $(CRYPTO_LIBS)
tests_unit_check_exim_plugin_SOURCES = tests/unit/check_exim_plugin.c $(EXIM_FAKE) $(UNIT)
tests_unit_check_exim_plugin_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_exim_plugin_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_exim_plugin_LDADD = exim/libplugin.la $(LAYER_ENGINE) $(CHECK_LIBS) $(CRYPTO_LIBS)

# SPDX-License-Identifier: ISC
# The Exim plugin's objects, without Exim: words alone, then all of it over an engine of the tests.
check_PROGRAMS += tests/unit/check_exim_words tests/unit/check_exim_plugin
TESTS += tests/unit/check_exim_words tests/unit/check_exim_plugin
EXIM_FAKE = tests/unit/engine_fake.c tests/unit/engine_fake.h
tests_unit_check_exim_words_SOURCES = tests/unit/check_exim_words.c $(EXIM_FAKE) $(UNIT)
tests_unit_check_exim_words_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_exim_words_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_exim_words_LDADD = exim/libplugin.la $(LAYER_ENGINE) $(CHECK_LIBS) $(CRYPTO_LIBS)
tests_unit_check_exim_plugin_SOURCES = tests/unit/check_exim_plugin.c $(EXIM_FAKE) $(UNIT) $(NOMEM)
tests_unit_check_exim_plugin_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)
tests_unit_check_exim_plugin_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_exim_plugin_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_exim_plugin_LDADD = exim/libplugin.la $(LAYER_ENGINE) $(CHECK_LIBS) $(CRYPTO_LIBS)

# The plugin as a loaded module over the real library, with helpers that know a small world.
if WITH_EXIM
check_LTLIBRARIES += tests/unit/exim_hosted.la
tests_unit_exim_hosted_la_SOURCES = tests/unit/exim_hosted.c $(EXIM_BASE)
tests_unit_exim_hosted_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_exim_hosted_la_LIBADD = $(EXIM_LIBADD)
tests_unit_exim_hosted_la_LDFLAGS = $(AM_LDFLAGS) $(MT_SOLDFLAGS) -module -avoid-version -shared \
	-rpath $(abs_builddir) -export-symbols-regex '^(mtasts_(route|ignore|require|event)|hosted_config)$$'
check_PROGRAMS += tests/unit/exim_world
tests_unit_exim_world_SOURCES = tests/unit/exim_world.c
tests_unit_exim_world_LDADD = $(LAYER_NET)
check_PROGRAMS += tests/unit/check_exim_host
TESTS += tests/unit/check_exim_host tests/unit/exim_symbols.sh
tests_unit_check_exim_host_SOURCES = tests/unit/check_exim_host.c tests/unit/pki.c tests/unit/pki.h $(STATE) $(UNIT)
tests_unit_check_exim_host_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_exim_host_LDADD = $(LAYER_CACHE) $(LAYER_REPORT) $(CHECK_LIBS) $(CRYPTO_LIBS) -ldl
endif
EXTRA_DIST += tests/unit/exim_symbols.sh

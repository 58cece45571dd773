# SPDX-License-Identifier: ISC
eximdir = $(pkgdatadir)/exim
exim_includes = %D%/main.inc %D%/router.inc %D%/transport.inc
nodist_exim_DATA = $(exim_includes)
EXTRA_DIST += %D%/README $(exim_includes:=.in)
CLEANFILES += $(exim_includes)

$(exim_includes): $(exim_includes:=.in) %D%/local.mk
	$(AM_V_GEN)$(MKDIR_P) %D% && sed -e 's|@pkglibdir[@]|$(pkglibdir)|g' -e 's|@pkgdatadir[@]|$(pkgdatadir)|g' \
	    $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@

# The plugin: the objects apart, so that the tests can have them with an engine of their own.
noinst_LTLIBRARIES += exim/libplugin.la
exim_libplugin_la_SOURCES = \
	exim/ask.c exim/ask.h \
	exim/context.c exim/context.h \
	exim/event.c exim/event.h \
	exim/ignore.c exim/ignore.h \
	exim/maillog.c exim/maillog.h \
	exim/memory.c exim/memory.h \
	exim/plugin.c exim/plugin.h \
	exim/reply.c exim/reply.h \
	exim/route.c exim/route.h \
	exim/session.c exim/session.h \
	exim/vars.c exim/vars.h
exim_libplugin_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
exim_libplugin_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)

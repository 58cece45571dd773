# SPDX-License-Identifier: ISC
eximdir = $(pkgdatadir)/exim
exim_includes = %D%/main.inc %D%/router.inc %D%/transport.inc
if WITH_EXIM
nodist_exim_DATA = $(exim_includes)
dist_exim_DATA = %D%/README
endif
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
	maillog/maillog.c maillog/maillog.h \
	exim/memory.c exim/memory.h \
	exim/plugin.c exim/plugin.h \
	exim/reply.c exim/reply.h \
	exim/route.c exim/route.h \
	exim/session.c exim/session.h \
	exim/vars.c exim/vars.h
exim_libplugin_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
exim_libplugin_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
# Of lib/base only what handles text, and no second copy of anything mtasts.h declares.
EXIM_BASE = lib/base/buf.c lib/base/clock.c lib/base/span.c
EXIM_LIBADD = exim/libplugin.la lib/libmtasts.la $(CRYPTO_LIBS)
if WITH_EXIM
pkglib_LTLIBRARIES += exim/exim.la
exim_exim_la_SOURCES = $(EXIM_BASE)
exim_exim_la_CFLAGS = $(AM_CFLAGS)
exim_exim_la_LIBADD = $(EXIM_LIBADD)
exim_exim_la_LDFLAGS = $(AM_LDFLAGS) $(MT_SOLDFLAGS) -module -avoid-version -shared \
	-export-symbols-regex '^mtasts_(route|ignore|require|event)$$'
endif

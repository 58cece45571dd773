# SPDX-License-Identifier: ISC
lib_LTLIBRARIES += lib/libmtasts.la
include_HEADERS += lib/mtasts.h
pkgconfig_DATA += lib/mtasts.pc
EXTRA_DIST += lib/mtasts.map
lib_libmtasts_la_SOURCES = lib/api.c lib/api.h lib/mtasts.h
lib_libmtasts_la_LIBADD = lib/report/libreport.la lib/engine/libengine.la lib/tls/libtls.la \
	lib/net/libnet.la lib/cache/libcache.la lib/parse/libparse.la lib/base/libbase.la \
	$(SQLITE_LIBS) $(CRYPTO_LIBS)
lib_libmtasts_la_LDFLAGS = $(AM_LDFLAGS) $(MT_SOLDFLAGS) -version-info $(MT_VERSION_INFO)
if VERSION_SCRIPT
lib_libmtasts_la_LDFLAGS += -Wl,--version-script=$(srcdir)/lib/mtasts.map
endif
EXTRA_lib_libmtasts_la_DEPENDENCIES = lib/mtasts.map

# SPDX-License-Identifier: ISC
# Layer cache.  LAYER_CACHE is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libcache.la
LAYER_CACHE = lib/cache/libcache.la $(LAYER_PARSE) $(SQLITE_LIBS)
%C%_libcache_la_SOURCES = lib/cache/entry.c lib/cache/hash.c lib/cache/row.c lib/cache/db.c \
	lib/cache/sql.c lib/cache/files.c lib/cache/policy.c lib/cache/hint.c lib/cache/sweep.c \
	lib/cache/lease.c lib/cache/make.c lib/cache/store.c
lib_cache_libcache_la_SOURCES += lib/cache/cache.h lib/cache/entry.h lib/cache/store.h \
	lib/cache/hash.h lib/cache/row.h lib/cache/db.h lib/cache/sql.h lib/cache/files.h \
	lib/cache/policy.h lib/cache/hint.h lib/cache/sweep.h lib/cache/lease.h
%C%_libcache_la_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)

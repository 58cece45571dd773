# SPDX-License-Identifier: ISC
# Layer cache.  LAYER_CACHE is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libcache.la
LAYER_CACHE = lib/cache/libcache.la $(LAYER_PARSE)
%C%_libcache_la_SOURCES = lib/cache/cache.c
lib_cache_libcache_la_SOURCES += lib/cache/cache.h lib/cache/entry.h lib/cache/store.h

# SPDX-License-Identifier: ISC
# make bench: ratios measured in one run.  Nothing here is ever part of make check.
EXTRA_PROGRAMS = bench/bench_lookup
# of the layers, not the library: the network is one of its own
bench_bench_lookup_SOURCES = bench/bench_lookup.c bench/stats.c bench/stats.h lib/api.c lib/api.h
bench_bench_lookup_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
bench_bench_lookup_LDADD = lib/report/libreport.la lib/engine/libengine.la lib/tls/libtls.la \
	lib/net/libnet.la lib/cache/libcache.la lib/parse/libparse.la lib/base/libbase.la \
	$(SQLITE_LIBS) $(CRYPTO_LIBS)
CLEANFILES += $(EXTRA_PROGRAMS)
EXTRA_DIST += bench/run
bench: $(EXTRA_PROGRAMS)
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' bash $(srcdir)/bench/run
.PHONY: bench
EXTRA_DIST += bench/roundtrips bench/roundtrips.py bench/exim bench/pairs.py
EXTRA_PROGRAMS += bench/bench_socketmap bench/raw_socketmap
bench_bench_socketmap_SOURCES = bench/bench_socketmap.c bench/stats.c bench/stats.h
bench_raw_socketmap_SOURCES = bench/raw_socketmap.c
EXTRA_DIST += bench/socketmap bench/socketmap.py
EXTRA_DIST += bench/delivery.sh bench/sendmail
if WITH_OPENSMTPD
EXTRA_PROGRAMS += bench/bench_table
bench_bench_table_SOURCES = bench/bench_table.c bench/stats.c bench/stats.h tests/unit/asker.c tests/unit/asker.h
bench_bench_table_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
bench_bench_table_LDADD = $(LAYER_CACHE) $(SQLITE_LIBS)
endif
EXTRA_PROGRAMS += bench/sink
bench_sink_SOURCES = bench/sink.c
bench_sink_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
bench_sink_LDADD = $(SSL_LIBS) $(CRYPTO_LIBS) -lpthread
EXTRA_DIST += bench/opensmtpd bench/opensmtpd.py

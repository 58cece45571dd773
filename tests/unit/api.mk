# SPDX-License-Identifier: ISC
# api.c over every layer, the world of the scenarios in place of what is outside
check_PROGRAMS += tests/unit/check_api
TESTS += tests/unit/check_api
tests_unit_check_api_SOURCES = tests/unit/check_api.c tests/unit/sample.h lib/api.c lib/api.h \
	tests/scenario/world.c tests/scenario/world.h $(UNIT) $(NOMEM)
tests_unit_check_api_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_api_LDADD = lib/report/libreport.la lib/engine/libengine.la lib/tls/libtls.la \
	lib/net/libnet.la $(LAYER_CACHE) $(CRYPTO_LIBS) $(CHECK_LIBS)
tests_unit_check_api_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

check_PROGRAMS += tests/unit/check_asks
TESTS += tests/unit/check_asks
tests_unit_check_asks_SOURCES = tests/unit/check_asks.c lib/api.c lib/api.h \
	tests/scenario/world.c tests/scenario/world.h $(UNIT) $(NOMEM)
tests_unit_check_asks_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_asks_LDADD = lib/report/libreport.la lib/engine/libengine.la lib/tls/libtls.la \
	lib/net/libnet.la $(LAYER_CACHE) $(CRYPTO_LIBS) $(CHECK_LIBS)
tests_unit_check_asks_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

# SPDX-License-Identifier: ISC
# The programs that speak with the network.  They link the layers net and base, and a library or two
# that no other program of ours loads.
pkglibexec_PROGRAMS += helpers/mtasts-resolve helpers/mtasts-fetch
SERVE = helpers/serve.c helpers/serve.h
CPP_OF_HELPERS = $(AM_CPPFLAGS) -I$(top_srcdir)
C_OF_HELPERS = $(AM_CFLAGS) $(MT_PROGCFLAGS)
LD_OF_HELPERS = $(AM_LDFLAGS) $(MT_PROGLDFLAGS)
helpers_mtasts_resolve_SOURCES = helpers/resolve.c $(SERVE)
helpers_mtasts_resolve_CPPFLAGS = $(CPP_OF_HELPERS)
helpers_mtasts_resolve_CFLAGS = $(C_OF_HELPERS)
helpers_mtasts_resolve_LDFLAGS = $(LD_OF_HELPERS)
helpers_mtasts_resolve_LDADD = $(SANDBOX) $(LAYER_NET) $(UNBOUND_LIBS)
helpers_mtasts_fetch_SOURCES = helpers/fetch.c helpers/get.c helpers/get.h helpers/tls.c helpers/tls.h $(SERVE)
helpers_mtasts_fetch_CPPFLAGS = $(CPP_OF_HELPERS)
helpers_mtasts_fetch_CFLAGS = $(C_OF_HELPERS) $(CURL_CFLAGS) $(CRYPTO_CFLAGS)
helpers_mtasts_fetch_LDFLAGS = $(LD_OF_HELPERS)
helpers_mtasts_fetch_LDADD = $(SANDBOX) $(LAYER_NET) $(CURL_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS)

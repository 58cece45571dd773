# SPDX-License-Identifier: ISC
# The programs that speak with the network.  They link the layers net and base, and a library or two
# that no other program of ours loads.
pkglibexec_PROGRAMS += helpers/mtasts-resolve helpers/mtasts-fetch
SANDBOX_AND_SERVE = helpers/sandbox.c helpers/sandbox.h helpers/serve.c helpers/serve.h
C_OF_HELPERS = $(AM_CFLAGS) $(MT_PROGCFLAGS) $(SECCOMP_CFLAGS)
LD_OF_HELPERS = $(AM_LDFLAGS) $(MT_PROGLDFLAGS)
helpers_mtasts_resolve_SOURCES = helpers/resolve.c $(SANDBOX_AND_SERVE)
helpers_mtasts_resolve_CFLAGS = $(C_OF_HELPERS)
helpers_mtasts_resolve_LDFLAGS = $(LD_OF_HELPERS)
helpers_mtasts_resolve_LDADD = $(LAYER_NET) $(UNBOUND_LIBS) $(SECCOMP_LIBS)
helpers_mtasts_fetch_SOURCES = helpers/fetch.c helpers/get.c helpers/get.h helpers/tls.c helpers/tls.h $(SANDBOX_AND_SERVE)
helpers_mtasts_fetch_CFLAGS = $(C_OF_HELPERS) $(CURL_CFLAGS) $(CRYPTO_CFLAGS)
helpers_mtasts_fetch_LDFLAGS = $(LD_OF_HELPERS)
helpers_mtasts_fetch_LDADD = $(LAYER_NET) $(CURL_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS) $(SECCOMP_LIBS)

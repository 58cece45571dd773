# SPDX-License-Identifier: ISC
# Layer tls.  LAYER_TLS is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libtls.la
LAYER_TLS = lib/tls/libtls.la $(LAYER_PARSE) $(CRYPTO_LIBS)
%C%_libtls_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
%C%_libtls_la_SOURCES = \
	lib/tls/chain.c lib/tls/chain.h \
	lib/tls/errors.c lib/tls/errors.h

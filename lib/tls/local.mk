# SPDX-License-Identifier: ISC
# Layer tls.  LAYER_TLS is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libtls.la
LAYER_TLS = lib/tls/libtls.la $(LAYER_PARSE)
%C%_libtls_la_SOURCES = lib/tls/tls.c
lib_tls_libtls_la_SOURCES += lib/tls/chain.h

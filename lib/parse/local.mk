# SPDX-License-Identifier: ISC
# Layer parse.  LAYER_PARSE is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libparse.la
LAYER_PARSE = lib/parse/libparse.la $(LAYER_BASE)
%C%_libparse_la_SOURCES = lib/parse/parse.c

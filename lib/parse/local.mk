# SPDX-License-Identifier: ISC
# Layer parse.  LAYER_PARSE is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libparse.la
LAYER_PARSE = lib/parse/libparse.la $(LAYER_BASE)
%C%_libparse_la_SOURCES = \
	lib/parse/mediatype.c lib/parse/mediatype.h \
	lib/parse/mxmatch.c lib/parse/mxmatch.h \
	lib/parse/policyfile.c lib/parse/policyfile.h \
	lib/parse/reason.c lib/parse/reason.h \
	lib/parse/rpttxt.c lib/parse/rpttxt.h \
	lib/parse/ststxt.c lib/parse/ststxt.h \
	lib/parse/taglist.c lib/parse/taglist.h \
	lib/parse/txtset.c lib/parse/txtset.h \
	lib/parse/utf8.c lib/parse/utf8.h

# SPDX-License-Identifier: ISC
# Layer net.  LAYER_NET is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libnet.la
LAYER_NET = lib/net/libnet.la $(LAYER_PARSE)
%C%_libnet_la_SOURCES = \
	lib/net/address.c lib/net/address.h \
	lib/net/helper.c lib/net/helper.h \
	lib/net/net.h \
	lib/net/process.c lib/net/process.h \
	lib/net/wire.c lib/net/wire.h \
	lib/net/worker.c lib/net/worker.h

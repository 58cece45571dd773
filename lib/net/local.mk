# SPDX-License-Identifier: ISC
# Layer net.  LAYER_NET is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libnet.la
LAYER_NET = lib/net/libnet.la $(LAYER_PARSE)
%C%_libnet_la_SOURCES = lib/net/net.c
lib_net_libnet_la_SOURCES += lib/net/net.h lib/net/helper.h

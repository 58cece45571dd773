# SPDX-License-Identifier: ISC
# Layer base.  LAYER_BASE is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libbase.la
LAYER_BASE = lib/base/libbase.la
%C%_libbase_la_SOURCES = \
	lib/base/attr.h \
	lib/base/buf.c lib/base/buf.h \
	lib/base/clock.c lib/base/clock.h \
	lib/base/conf.c lib/base/config.c lib/base/conf.h \
	lib/base/conf_list.c lib/base/conf_list.h \
	lib/base/domain.c lib/base/domain.h \
	lib/base/err.c lib/base/err.h \
	lib/base/limits.h \
	lib/base/log.c lib/base/log.h \
	lib/base/mem.c lib/base/mem.h \
	lib/base/owner.c lib/base/owner.h \
	lib/base/span.c lib/base/span.h

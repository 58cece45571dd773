# SPDX-License-Identifier: ISC
# Layer base.  LAYER_BASE is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libbase.la
LAYER_BASE = lib/base/libbase.la
%C%_libbase_la_SOURCES = lib/base/span.c lib/base/span.h lib/base/buf.h lib/base/domain.h lib/base/attr.h \
	lib/base/limits.h lib/base/clock.h lib/base/mem.h lib/base/log.h lib/base/err.h \
	lib/base/owner.h lib/base/conf.h

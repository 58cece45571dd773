# SPDX-License-Identifier: ISC
# Layer engine.  LAYER_ENGINE is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libengine.la
LAYER_ENGINE = lib/engine/libengine.la $(LAYER_CACHE)
%C%_libengine_la_SOURCES = \
	%D%/policy.c %D%/policy.h \
	%D%/judge.c %D%/judge.h \
	%D%/decide.c %D%/decide.h \
	%D%/memo.c %D%/memo.h \
	%D%/evidence.c %D%/evidence.h \
	%D%/plan.c %D%/plan.h \
	%D%/reply.c %D%/reply.h \
	%D%/mxset.c %D%/mxset.h \
	%D%/asks.c %D%/asks.h \
	%D%/engine.c %D%/engine.h \
	%D%/mxask.c %D%/mxask.h \
	%D%/addresses.c %D%/addresses.h \
	%D%/origin.c %D%/origin.h \
	%D%/strikes.c %D%/strikes.h \
	%D%/round.c %D%/round.h

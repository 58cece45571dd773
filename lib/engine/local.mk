# SPDX-License-Identifier: ISC
# Layer engine.  LAYER_ENGINE is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libengine.la
LAYER_ENGINE = lib/engine/libengine.la $(LAYER_PARSE)
%C%_libengine_la_SOURCES = lib/engine/engine.c
lib_engine_libengine_la_SOURCES += lib/engine/policy.h
lib_engine_libengine_la_SOURCES += lib/engine/judge.h
lib_engine_libengine_la_SOURCES += lib/engine/decide.h
lib_engine_libengine_la_SOURCES += lib/engine/plan.h

# SPDX-License-Identifier: ISC
# Layer report.  LAYER_REPORT is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libreport.la
LAYER_REPORT = lib/report/libreport.la $(LAYER_PARSE)
%C%_libreport_la_SOURCES = \
	lib/report/journal.c lib/report/journal.h \
	lib/report/record.c lib/report/record.h

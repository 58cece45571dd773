# SPDX-License-Identifier: ISC
# Layer report.  LAYER_REPORT is what a program that uses it links: it, and the layers below.
noinst_LTLIBRARIES += %D%/libreport.la
LAYER_REPORT = lib/report/libreport.la $(LAYER_PARSE)
%C%_libreport_la_SOURCES = lib/report/report.c
lib_report_libreport_la_SOURCES += lib/report/record.h
lib_report_libreport_la_SOURCES += lib/report/journal.h

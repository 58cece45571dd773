# SPDX-License-Identifier: ISC
# What is compiled into sendmail, and how: for the administrator's own build, so nothing of it is built here.
sendmaildir = $(pkgdatadir)/sendmail
dist_sendmail_DATA = %D%/README %D%/conf.c.patch %D%/mtasts.m4 %D%/mtastsd.m4 %D%/mtasts_map.c %D%/site.config.m4
dist_sendmail_SCRIPTS = %D%/build %D%/debian-package %D%/fetch-source %D%/site-lines

# SPDX-License-Identifier: ISC
# The OpenSMTPD adapter: filter, table and relay, one program.
include opensmtpd/proto/local.mk
noinst_LTLIBRARIES += opensmtpd/libconfine.la
opensmtpd_libconfine_la_SOURCES = opensmtpd/confine.c opensmtpd/confine.h
opensmtpd_libconfine_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
opensmtpd_libconfine_la_CFLAGS = $(AM_CFLAGS) $(MT_PROGCFLAGS) $(CRYPTO_CFLAGS)
opensmtpd_libconfine_la_LIBADD = $(SANDBOX) $(CRYPTO_LIBS)
include opensmtpd/relay/local.mk

# smtpd starts filter-NAME by the line of smtpd.conf, table-NAME for `table x NAME:...`.
opensmtpdlibexec_PROGRAMS = opensmtpd/filter-mtasts
opensmtpd_filter_mtasts_SOURCES = \
	maillog/maillog.c maillog/maillog.h \
	opensmtpd/check.c opensmtpd/check.h \
	opensmtpd/filter.h opensmtpd/nofilter.c \
	opensmtpd/known.c opensmtpd/known.h \
	opensmtpd/main.c \
	opensmtpd/table.c opensmtpd/table.h
opensmtpd_filter_mtasts_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
opensmtpd_filter_mtasts_CFLAGS = $(AM_CFLAGS) $(MT_PROGCFLAGS) $(SSL_CFLAGS)
opensmtpd_filter_mtasts_LDFLAGS = $(AM_LDFLAGS) $(MT_PROGLDFLAGS)
opensmtpd_filter_mtasts_LDADD = opensmtpd/relay/librelay.la opensmtpd/proto/libproto.la loop/libloop.la \
	$(LAYER_NET) lib/libmtasts.la $(SSL_LIBS) $(CRYPTO_LIBS)

install-exec-hook: install-table-mtasts
install-table-mtasts: install-opensmtpdlibexecPROGRAMS
	cd '$(DESTDIR)$(opensmtpdlibexecdir)' && rm -f table-mtasts && $(LN_S) filter-mtasts table-mtasts
uninstall-hook: uninstall-table-mtasts
uninstall-table-mtasts:
	rm -f '$(DESTDIR)$(opensmtpdlibexecdir)/table-mtasts'

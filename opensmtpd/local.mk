# SPDX-License-Identifier: ISC
# The OpenSMTPD adapter: filter, table and relay, one program.
include opensmtpd/proto/local.mk
noinst_LTLIBRARIES += opensmtpd/libconfine.la
opensmtpd_libconfine_la_SOURCES = opensmtpd/confine.c opensmtpd/confine.h
opensmtpd_libconfine_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
opensmtpd_libconfine_la_CFLAGS = $(AM_CFLAGS) $(MT_PROGCFLAGS) $(CRYPTO_CFLAGS)
opensmtpd_libconfine_la_LIBADD = $(SANDBOX) $(CRYPTO_LIBS)
include opensmtpd/relay/local.mk

# The supervisor's side, which knows neither TLS nor the store.
noinst_LTLIBRARIES += opensmtpd/libsupervisor.la
opensmtpd_libsupervisor_la_SOURCES = \
	opensmtpd/duct.c opensmtpd/duct.h \
	opensmtpd/errlog.c opensmtpd/errlog.h \
	opensmtpd/idmap.c opensmtpd/idmap.h \
	opensmtpd/keeper.c opensmtpd/keeper.h \
	opensmtpd/lines.c opensmtpd/lines.h \
	opensmtpd/listeners.c opensmtpd/listeners.h \
	opensmtpd/outbox.c opensmtpd/outbox.h \
	opensmtpd/own.c opensmtpd/own.h \
	opensmtpd/supervisor.c opensmtpd/supervisor.h
opensmtpd_libsupervisor_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
opensmtpd_libsupervisor_la_CFLAGS = $(AM_CFLAGS) $(MT_PROGCFLAGS)
opensmtpd_libsupervisor_la_LIBADD = opensmtpd/proto/libproto.la loop/libloop.la

# The filter's role: both processes.
noinst_LTLIBRARIES += opensmtpd/libfilter.la
opensmtpd_libfilter_la_SOURCES = \
	opensmtpd/door.c opensmtpd/door.h \
	opensmtpd/filter.c opensmtpd/filter.h \
	opensmtpd/rcpt.c opensmtpd/rcpt.h \
	opensmtpd/worker.c opensmtpd/worker.h
opensmtpd_libfilter_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
opensmtpd_libfilter_la_CFLAGS = $(AM_CFLAGS) $(MT_PROGCFLAGS) $(SSL_CFLAGS)
opensmtpd_libfilter_la_LIBADD = opensmtpd/libsupervisor.la opensmtpd/libconfine.la opensmtpd/relay/librelay.la

opensmtpddatadir = $(pkgdatadir)/opensmtpd
dist_opensmtpddata_DATA = opensmtpd/README
# for who wants smtpd to be started again
opensmtpddropindir = $(opensmtpddatadir)/opensmtpd.service.d
dist_opensmtpddropin_DATA = dist/opensmtpd.service.d/mtasts.conf

# smtpd starts filter-NAME by the line of smtpd.conf, table-NAME for `table x NAME:...`.
opensmtpdlibexec_PROGRAMS = opensmtpd/filter-mtasts
opensmtpd_filter_mtasts_SOURCES = \
	maillog/maillog.c maillog/maillog.h \
	opensmtpd/check.c opensmtpd/check.h \
	opensmtpd/filter.h \
	opensmtpd/known.c opensmtpd/known.h \
	opensmtpd/main.c \
	opensmtpd/table.c opensmtpd/table.h
opensmtpd_filter_mtasts_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
opensmtpd_filter_mtasts_CFLAGS = $(AM_CFLAGS) $(MT_PROGCFLAGS) $(SSL_CFLAGS)
opensmtpd_filter_mtasts_LDFLAGS = $(AM_LDFLAGS) $(MT_PROGLDFLAGS)
opensmtpd_filter_mtasts_LDADD = opensmtpd/libfilter.la \
	$(LAYER_NET) lib/libmtasts.la $(SSL_LIBS) $(CRYPTO_LIBS)

install-exec-hook: install-table-mtasts
install-table-mtasts: install-opensmtpdlibexecPROGRAMS
	cd '$(DESTDIR)$(opensmtpdlibexecdir)' && rm -f table-mtasts && $(LN_S) filter-mtasts table-mtasts
uninstall-hook: uninstall-table-mtasts
uninstall-table-mtasts:
	rm -f '$(DESTDIR)$(opensmtpdlibexecdir)/table-mtasts'

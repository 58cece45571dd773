# SPDX-License-Identifier: ISC
# The command.  It speaks to the library as any mail server does; lint, cache and init need more of
# it than mtasts.h shows, and link those layers statically.
bin_PROGRAMS += cli/mtasts
cli_mtasts_SOURCES = \
	cli/account.c cli/account.h \
	cli/cache.c \
	cli/cli.h \
	cli/config.c \
	cli/explain.c cli/explain.h cli/explain_view.c \
	cli/init.c \
	cli/lint.c \
	cli/lookup.c \
	cli/main.c \
	cli/option.c \
	cli/say.c \
	cli/socketmap.c \
	cli/table.c cli/table.h \
	cli/value.c \
	cli/view.c cli/view.h
cli_mtasts_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
cli_mtasts_CFLAGS = $(AM_CFLAGS) $(MT_PROGCFLAGS) $(JANSSON_CFLAGS) $(IDN2_CFLAGS)
cli_mtasts_LDFLAGS = $(AM_LDFLAGS) $(MT_PROGLDFLAGS)
cli_mtasts_LDADD = socketmap/libsocketmap.la $(LAYER_ENGINE) $(LAYER_CACHE) lib/libmtasts.la $(JANSSON_LIBS) $(IDN2_LIBS)

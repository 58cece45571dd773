# SPDX-License-Identifier: ISC
# The socket map server.  Speaks to the library as any mail server does; of lib/ it has what handles
# text and names.
noinst_LTLIBRARIES += socketmap/libsocketmap.la
socketmap_libsocketmap_la_SOURCES = \
	socketmap/netstring.c socketmap/netstring.h \
	socketmap/request.c socketmap/request.h \
	socketmap/reply.c socketmap/reply.h \
	socketmap/question.c socketmap/question.h \
	socketmap/known.c socketmap/known.h \
	socketmap/answer.c socketmap/answer.h \
	socketmap/client.c socketmap/client.h \
	socketmap/listen.c socketmap/listen.h \
	socketmap/notify.c socketmap/notify.h \
	socketmap/server.c socketmap/server.h \
	socketmap/told.c socketmap/told.h \
	socketmap/verdict.c socketmap/verdict.h socketmap/verdict_key.c
socketmap_libsocketmap_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
socketmap_libsocketmap_la_CFLAGS = $(AM_CFLAGS) $(MT_PROGCFLAGS) $(IDN2_CFLAGS)
socketmap_libsocketmap_la_LIBADD = loop/libloop.la

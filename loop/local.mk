# SPDX-License-Identifier: ISC
# The event loop of the programs that serve many at once.
noinst_LTLIBRARIES += loop/libloop.la
loop_libloop_la_SOURCES = \
	loop/accept.c loop/accept.h \
	loop/watch.c loop/watch.h \
	loop/guests.c loop/guests.h \
	loop/timers.c loop/timers.h \
	loop/loop.c loop/loop.h
loop_libloop_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
loop_libloop_la_CFLAGS = $(AM_CFLAGS) $(MT_PROGCFLAGS)

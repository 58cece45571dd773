# SPDX-License-Identifier: ISC
# Landlock and seccomp for processes that speak with strangers: SANDBOX is what they link.
noinst_LTLIBRARIES += sandbox/libsandbox.la
SANDBOX = sandbox/libsandbox.la
sandbox_libsandbox_la_SOURCES = \
	sandbox/certificates.c \
	sandbox/filter.c \
	sandbox/landlock.c \
	sandbox/sandbox.c sandbox/sandbox.h \
	sandbox/walls.h
sandbox_libsandbox_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
sandbox_libsandbox_la_CFLAGS = $(AM_CFLAGS) $(MT_PROGCFLAGS) $(SECCOMP_CFLAGS)
sandbox_libsandbox_la_LIBADD = $(LAYER_BASE) $(SECCOMP_LIBS)

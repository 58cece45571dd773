# SPDX-License-Identifier: ISC
# The event loop, once as it is built, once with poll(2) for epoll(7).
check_PROGRAMS += tests/unit/check_loop tests/unit/check_loop_poll
TESTS += tests/unit/check_loop tests/unit/check_loop_poll
LOOP_UNIT = loop/libloop.la $(LAYER_BASE) $(CHECK_LIBS)
tests_unit_check_loop_SOURCES = tests/unit/check_loop.c $(UNIT) $(NOMEM)
tests_unit_check_loop_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_loop_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_loop_LDADD = $(LOOP_UNIT)
tests_unit_check_loop_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)
tests_unit_check_loop_poll_SOURCES = tests/unit/check_loop.c $(UNIT) $(NOMEM) loop/watch.c loop/watch.h
tests_unit_check_loop_poll_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -DWATCH_BY_POLL
tests_unit_check_loop_poll_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_loop_poll_LDADD = $(LOOP_UNIT)
tests_unit_check_loop_poll_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

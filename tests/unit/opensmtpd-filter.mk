# SPDX-License-Identifier: ISC
# The filter: announcements, the channel, supervisor and worker.
check_PROGRAMS += tests/unit/check_announced
TESTS += tests/unit/check_announced
tests_unit_check_announced_SOURCES = tests/unit/check_announced.c opensmtpd/relay/announced.c $(UNIT) $(NOMEM)
tests_unit_check_announced_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_announced_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_announced_LDADD = $(LAYER_BASE) $(CHECK_LIBS)
tests_unit_check_announced_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)
check_PROGRAMS += tests/unit/check_channel tests/unit/check_supervisor
TESTS += tests/unit/check_channel tests/unit/check_supervisor
tests_unit_check_channel_SOURCES = tests/unit/check_channel.c $(UNIT)
tests_unit_check_channel_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_channel_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_channel_LDADD = opensmtpd/proto/libproto.la $(LAYER_BASE) $(CHECK_LIBS)
SUPERVISOR_UNIT = opensmtpd/libsupervisor.la $(LAYER_BASE) lib/libmtasts.la $(CHECK_LIBS)
tests_unit_check_supervisor_SOURCES = tests/unit/check_supervisor.c $(UNIT) $(NOMEM)
tests_unit_check_supervisor_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_supervisor_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
# the library's part in the loop is the test's: a wrapped allocator and a shared library do not go together
tests_unit_check_supervisor_LDADD = opensmtpd/libsupervisor.la $(LAYER_BASE) $(CHECK_LIBS)
tests_unit_check_supervisor_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)
check_PROGRAMS += tests/unit/check_filter
TESTS += tests/unit/check_filter
tests_unit_check_filter_SOURCES = tests/unit/check_filter.c opensmtpd/filter.c $(UNIT)
tests_unit_check_filter_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_filter_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_filter_LDADD = $(SUPERVISOR_UNIT)
check_PROGRAMS += tests/unit/check_rcpt
TESTS += tests/unit/check_rcpt
tests_unit_check_rcpt_SOURCES = tests/unit/check_rcpt.c opensmtpd/rcpt.c $(UNIT) $(NOMEM)
tests_unit_check_rcpt_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_rcpt_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_rcpt_LDADD = loop/libloop.la $(LAYER_BASE) $(CHECK_LIBS)
tests_unit_check_rcpt_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

# SPDX-License-Identifier: ISC
# The socket map server: its pure parts, requests to answers over a library of the tests, and the
# server over real sockets.
check_PROGRAMS += tests/unit/check_netstring tests/unit/check_request tests/unit/check_reply
TESTS += tests/unit/check_netstring tests/unit/check_request tests/unit/check_reply
SOCKETMAP_UNIT = socketmap/libsocketmap.la $(LAYER_ENGINE) $(CHECK_LIBS) $(IDN2_LIBS)
tests_unit_check_netstring_SOURCES = tests/unit/check_netstring.c $(UNIT)
tests_unit_check_netstring_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_netstring_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_netstring_LDADD = $(SOCKETMAP_UNIT)
tests_unit_check_request_SOURCES = tests/unit/check_request.c $(UNIT)
tests_unit_check_request_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_request_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_request_LDADD = $(SOCKETMAP_UNIT)
tests_unit_check_reply_SOURCES = tests/unit/check_reply.c tests/unit/sample.h $(UNIT)
tests_unit_check_reply_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_reply_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_reply_LDADD = $(SOCKETMAP_UNIT)

check_PROGRAMS += tests/unit/check_answer
TESTS += tests/unit/check_answer
SOCKETMAP_FAKE = tests/unit/socketmap_fake.c tests/unit/socketmap_fake.h
tests_unit_check_answer_SOURCES = tests/unit/check_answer.c $(SOCKETMAP_FAKE) $(UNIT) $(NOMEM)
tests_unit_check_answer_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_answer_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_answer_LDADD = $(SOCKETMAP_UNIT)
tests_unit_check_answer_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

# once as it is built, once with poll(2) for epoll(7)
check_PROGRAMS += tests/unit/check_socketmap tests/unit/check_socketmap_poll
TESTS += tests/unit/check_socketmap tests/unit/check_socketmap_poll
tests_unit_check_socketmap_SOURCES = tests/unit/check_socketmap.c $(SOCKETMAP_FAKE) $(UNIT)
tests_unit_check_socketmap_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_check_socketmap_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_socketmap_LDADD = $(SOCKETMAP_UNIT)
tests_unit_check_socketmap_poll_SOURCES = tests/unit/check_socketmap.c $(SOCKETMAP_FAKE) $(UNIT) \
	loop/watch.c loop/watch.h
tests_unit_check_socketmap_poll_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -DWATCH_BY_POLL
tests_unit_check_socketmap_poll_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_socketmap_poll_LDADD = $(SOCKETMAP_UNIT)

# SPDX-License-Identifier: ISC
# What is spoken around smtpd: parsers and writers of bytes, all of them pure.
noinst_LTLIBRARIES += opensmtpd/proto/libproto.la
opensmtpd_proto_libproto_la_SOURCES = \
	opensmtpd/proto/body.c opensmtpd/proto/body.h \
	opensmtpd/proto/channel.c opensmtpd/proto/channel.h \
	opensmtpd/proto/command.c opensmtpd/proto/command.h \
	opensmtpd/proto/date.c opensmtpd/proto/date.h \
	opensmtpd/proto/event.c opensmtpd/proto/event.h \
	opensmtpd/proto/extensions.c opensmtpd/proto/extensions.h \
	opensmtpd/proto/hostaddress.c opensmtpd/proto/hostaddress.h \
	opensmtpd/proto/lmtp.c opensmtpd/proto/lmtp.h \
	opensmtpd/proto/mxorder.c opensmtpd/proto/mxorder.h \
	opensmtpd/proto/path.c opensmtpd/proto/path.h \
	opensmtpd/proto/place.c opensmtpd/proto/place.h \
	opensmtpd/proto/received.c opensmtpd/proto/received.h \
	opensmtpd/proto/reply.c opensmtpd/proto/reply.h \
	opensmtpd/proto/smtp.c opensmtpd/proto/smtp.h \
	opensmtpd/proto/smtp_queue.c opensmtpd/proto/smtp_queue.h \
	opensmtpd/proto/table.h \
	opensmtpd/proto/tableimsg.c opensmtpd/proto/tableimsg.h \
	opensmtpd/proto/tabletext.c opensmtpd/proto/tabletext.h
opensmtpd_proto_libproto_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
opensmtpd_proto_libproto_la_CFLAGS = $(AM_CFLAGS) $(MT_PROGCFLAGS) $(CRYPTO_CFLAGS)
opensmtpd_proto_libproto_la_LIBADD = $(CRYPTO_LIBS)

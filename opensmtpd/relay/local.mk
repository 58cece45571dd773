# SPDX-License-Identifier: ISC
# The relay: LMTP from smtpd, SMTP to MX hosts.
noinst_LTLIBRARIES += opensmtpd/relay/librelay.la
opensmtpd_relay_librelay_la_SOURCES = \
	opensmtpd/relay/account.c opensmtpd/relay/account.h \
	opensmtpd/relay/announced.c opensmtpd/relay/announced.h \
	opensmtpd/relay/connection.c opensmtpd/relay/connection.h \
	opensmtpd/relay/answers.c opensmtpd/relay/answers.h \
	opensmtpd/relay/delivery.c opensmtpd/relay/delivery.h opensmtpd/relay/delivery_inside.h \
	opensmtpd/relay/delivery_answer.c opensmtpd/relay/delivery_session.c \
	opensmtpd/relay/dialogue.c opensmtpd/relay/dialogue.h \
	opensmtpd/relay/late.c opensmtpd/relay/late.h \
	opensmtpd/relay/outcome.c opensmtpd/relay/outcome.h \
	opensmtpd/relay/pace.c opensmtpd/relay/pace.h \
	opensmtpd/relay/peer.c opensmtpd/relay/peer.h \
	opensmtpd/relay/finals.c opensmtpd/relay/finals.h \
	opensmtpd/relay/recipients.c opensmtpd/relay/recipients.h \
	opensmtpd/relay/relay.h \
	opensmtpd/relay/round.c opensmtpd/relay/round.h \
	opensmtpd/relay/route.c opensmtpd/relay/route.h \
	opensmtpd/relay/session.c opensmtpd/relay/session.h \
	opensmtpd/relay/session_turn.c opensmtpd/relay/session_turn.h \
	opensmtpd/relay/staple.c opensmtpd/relay/staple.h \
	opensmtpd/relay/tls.c opensmtpd/relay/tls.h \
	opensmtpd/relay/transaction.c opensmtpd/relay/transaction.h \
	opensmtpd/relay/upstream.c opensmtpd/relay/upstream.h \
	opensmtpd/relay/upstream_turn.c opensmtpd/relay/upstream_turn.h
opensmtpd_relay_librelay_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
opensmtpd_relay_librelay_la_CFLAGS = $(AM_CFLAGS) $(MT_PROGCFLAGS) $(SSL_CFLAGS)
opensmtpd_relay_librelay_la_LIBADD = opensmtpd/proto/libproto.la loop/libloop.la $(SSL_LIBS) $(CRYPTO_LIBS)

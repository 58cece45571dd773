dnl SPDX-License-Identifier: ISC
dnl MTA-STS: for devtools/Site/site.config.m4, with mtasts_map.c in sendmail/ and `mtasts.m4' in cf/feature/.
dnl sendmail/build puts the flags of pkg-config in place of @...@.
APPENDDEF(`conf_sendmail_SRCADD', `mtasts_map.c')dnl
APPENDDEF(`conf_sendmail_ENVDEF', `-DSSL_connect=mtasts_SSL_connect @MTASTS_CFLAGS@')dnl
APPENDDEF(`conf_sendmail_LIBS', `@MTASTS_LIBS@')dnl

# SPDX-License-Identifier: ISC
# The OpenSMTPD adapter: filter, table and relay, one program.
include opensmtpd/proto/local.mk
include opensmtpd/relay/local.mk

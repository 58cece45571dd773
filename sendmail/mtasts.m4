divert(-1)
# SPDX-License-Identifier: ISC
#
# The comments here must not name macros: m4 would expand them.
#
# Rules are put before the local ones of the site, which may follow as usual after the mailers.
#
ifdef(`_LOCAL_TLS_RCPT_', `define(`_MTASTS_LATE_', `1')')
ifdef(`_LOCAL_TLS_SERVER_', `define(`_MTASTS_LATE_', `1')')
ifdef(`_MTASTS_LATE_', `errprint(`*** ERROR: FEATURE(`mtasts') must be before LOCAL_TLS_RCPT and LOCAL_TLS_SERVER
')m4exit(`1')')
ifdef(`_MTA_STS_', `errprint(`*** ERROR: FEATURE(`mtasts') takes the place of FEATURE(`sts')
')m4exit(`1')')
define(`_LOCAL_TLS_RCPT_', `')
define(`_LOCAL_TLS_SERVER_', `')
divert(0)
VERSIONID(`mtasts: MTA-STS (RFC 8461) and records for TLSRPT (RFC 8460)')
LOCAL_CONFIG
Kmtasts mtasts ifelse(defn(`_ARG_'), `', `', `_ARG_')
divert(9)
# MTA-STS: a recipient domain must not be replaced by what a forged CNAME says it is.
# Here and not among the options, to have the last word.
O DontExpandCnames=True

# What a rule cannot expand ends its ruleset and no more, so the answer is looked at by others:
# whatever is not "none" is a refusal.
Smtasts_rcpt
R$*			$: $(mtasts rcpt $: E:451:4.3.0:"MTA-STS map is missing" $)

SLocal_tls_rcpt
R$*			$: $1 $| $>mtasts_rcpt asked
R$* $| none		$: < $1 >
R$* $| E : $- : 5 $+ : $+	$#error $@ unavailable $: $2 " 5" $3 " " $4
R$* $| E : $- : $+ : $+	$#error $@ $3 $: $2 " " $3 " " $4
R$* $| $*		$#error $@ 4.3.0 $: "451 4.3.0 MTA-STS is out of order on this host"
R< $* >			$: $1

SLocal_tls_server
R$*			$: $1 $| $(mtasts server $@ $1 $: E:451:4.3.0:"MTA-STS map is missing" $)
R$* $| E : $- : 5 $+ : $+	$#error $@ unavailable $: $2 " 5" $3 " " $4
R$* $| E : $- : $+ : $+	$#error $@ $3 $: $2 " " $3 " " $4
R$* $| $*		$: $1
divert(0)

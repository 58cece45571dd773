divert(-1)
# SPDX-License-Identifier: ISC
#
# MTA-STS for a sendmail as it is packaged: its rulesets ask "mtasts socketmap".
# The comments here must not name macros: m4 would expand them.
#
# Rules are put before the local ones of the site, which may follow as usual after the mailers.
#
ifdef(`_LOCAL_TLS_RCPT_', `define(`_MTASTSD_LATE_', `1')')
ifdef(`_LOCAL_TLS_SERVER_', `define(`_MTASTSD_LATE_', `1')')
ifdef(`_MTASTSD_LATE_', `errprint(`*** ERROR: FEATURE(`mtastsd') must be before LOCAL_TLS_RCPT and LOCAL_TLS_SERVER
')m4exit(`1')')
ifdef(`_MTA_STS_', `errprint(`*** ERROR: FEATURE(`mtastsd') and FEATURE(`sts') exclude each other
')m4exit(`1')')
define(`_LOCAL_TLS_RCPT_', `')
define(`_LOCAL_TLS_SERVER_', `')
divert(0)
VERSIONID(`mtastsd: MTA-STS (RFC 8461) and records for TLSRPT (RFC 8460), of a server')
LOCAL_CONFIG
# MTA-STS.  Case and quotes are kept; and a key is not cut at 256 octets, as it is without -f.
Kmtastsd socket -f -q -d10s ifelse(defn(`_ARG_'), `', `inet:8461@127.0.0.1', `_ARG_')
Kmtastsd_set macro
Kmtastsd_sum arith
C{mtastsd_broken} SOFTWARE PROTOCOL DANE_FAIL DANE_TEMP DANE_NOTLS
divert(9)
######################################################################
###  MTA-STS: every verdict is in tls_rcpt
######################################################################
# Here, where nothing that is defined elsewhere comes later:
# the names in the certificate are those of the last handshake only, so every session needs its own
O SetCertAltnames=true
O ConnectionCacheSize=0
# a recipient domain must not be replaced by what a forged CNAME says it is
O DontExpandCnames=True

# The next hop of a recipient, kept in a macro.  That of the session is the one of its first
# recipient; another one may be there because its domain has the same hosts.
Smtastsd_hop
R$*			$: $(mtastsd_set {mtastsd_hop} $) $>canonify $1
R$* < @ $&h > $*	$: $(mtastsd_set {mtastsd_hop} $@ $&h $)
R$* < @ $&h . > $*	$: $(mtastsd_set {mtastsd_hop} $@ $&h $)
R$+			$: x $| $>parse $1
# mailer, then "$@ host $: user", which become argument and default of the map
Rx $| $# $- $*		$: $(mtastsd_set {mtastsd_hop} $2 $)
R$*			$: < $&{mtastsd_hop} >
R< >			$: $(mtastsd_set {mtastsd_hop} $@ $&h $)

# Is this host name among the names of the certificate?  A wildcard is one whole label, the first of
# at least three (RFC 6125 6.4.3).
Smtastsd_san
R$+ .			$: $1
R$={cert_altnames}	$@ SAN
R$- . $- . $+		$: * . $2 . $3
R$={cert_altnames}	$@ SAN
R$*			$@ NOSAN

# What a rule cannot expand ends its ruleset and no more, so the answer is looked at by others.
# Over a pipe the address is the name of the mailer, over a local socket "[UNIX: path]": no network.
Smtastsd_rcpt
R< $* >			$: < $&{server_addr} > $1
R< 0 > $*		$: < > $1
R< $- > $*		$@ ok
R< [ UNIX $* > $*	$@ ok
R< $* > $*		$: $>mtastsd_hop $2
R$*			$: $>mtastsd_san $&{server_name}
R$-			$: $(mtastsd rcpt/$&p/$&{mtastsd_session}/$&i/$&{verify}/$1/$&{tls_version}/$&{server_addr}/$&{server_name}/$&{mtastsd_hop}/end $)

SLocal_tls_rcpt
R$*			$: $1 $| $>mtastsd_rcpt < $1 >
R$* $| ok		$: < $1 >
R$* $| E : $- : $+ : $+	$#error $@ $3 $: $2 " " $3 " " $4
R$* $| $*		$#error $@ 4.3.0 $: "451 4.3.0 MTA-STS is out of order on this host"
R< $* >			$: $1

Smtastsd_server
R$*			$: $1 $| $(mtastsd_sum + $@ $&{mtastsd_session} $@ 1 $)
R$* $| $*		$: $1 $(mtastsd_set {mtastsd_session} $@ $2 $)
R$={mtastsd_broken}	$: $(mtastsd server/$&p/$&{mtastsd_session}/$&i/$1/-/$&{tls_version}/$&{server_addr}/$&{server_name}/$&h/end $)

# A handshake that failed is recorded.  Nobody is refused here: that would be all recipients.
SLocal_tls_server
R$*			$: $1 $| $>mtastsd_server $1
R$* $| $*		$: $1

# SNI on every session, beside what the site says in its access map
Stls_clt_features
R$*			$: $1 $| $>mtastsd_features $1
R$* $| $* $| $* $| $*	$@ servername=hostname
R$* $| $#$*		$#$2
R$* $| $* $| ""		$@ servername=hostname
R$* $| $* $| $+		$@ $3 ; servername=hostname
R$*			$@ servername=hostname

Smtastsd_features
divert(0)dnl
define(`Stls_clt_features', `Smtastsd_features')dnl

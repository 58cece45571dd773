#!/bin/bash
# SPDX-License-Identifier: ISC
# Debian's own configurations, changed by the very commands of exim/README: mail under a policy is delivered or
# deferred, other mail is not touched.
# shellcheck source-path=SCRIPTDIR source=lib/exim.sh
. "$(dirname "$0")/lib/exim.sh"

# commands WORD: those of the README's paragraph that begins "Debian, WORD"
commands() {
	awk -v word="$1" '
	    /^   [^ ]/ { ours = n == 0 && ours || $0 ~ "^   Debian, " word " " }
	    ours && /^    [^ ]/ { n++; print }' "$top/exim/README" | sed "s|/usr/share/mtasts/exim|$includes|g"
}

for exim in $EXIMS; do
	[ "$exim" != openssl ] || continue # built from the source, without Debian's configuration
	for kind in split single; do
		use "$exim"
		rm -rf "$root/etc/exim4"
		cp -a "$pristine/etc/exim4" "$root/etc/exim4"
		rm -f "$root/etc/exim4/exim4.conf"
		mkdir -p "$root/etc/ssl/certs"
		cp "$LAB_DIR/pki/ca.pem" "$root/etc/ssl/certs/ca-certificates.crt"
		cat >"$root/etc/exim4/update-exim4.conf.conf" <<-END
		dc_eximconfig_configtype='internet'
		dc_other_hostnames='sender.example'
		dc_local_interfaces='198.19.0.1'
		dc_use_split_config='$([ $kind = split ] && echo true || echo false)'
		CFILEMODE='644'
		dc_localdelivery='mail_spool'
		END
		list=$(commands $kind)
		is "$exim $kind: the README has commands" "$(grep -c -e transport.inc -e '^ *update-exim4.conf$' <<<"$list")" 2
		run sh -ec "$list" >"$got/output" 2>&1
		is "$exim $kind: they do" "$? $(cat "$got/output")" '0 '
		run exim4 -bV >"$got/output" 2>&1
		is "$exim $kind: Exim accepts the configuration" $? 0
		send u@good.example
		is "$exim $kind: good policy and host" "$(outcome) $(accepted)" 'delivered u@good.example mx1.good.example TLSv1.3'
		[ -s "$got/panic" ] && fail "$exim $kind: panic log" "$(story)"
		like "$exim $kind: by our router" "$(cat "$got/mainlog")" ' => .* R=mtasts_dnslookup T=remote_smtp '
		send u@selfsigned.example
		is "$exim $kind: certificate of nobody" "$(outcome) $(accepted)" 'deferred '
		send u@badmx.example
		like "$exim $kind: MX outside the policy" "$(cat "$got/mainlog")" ' == .* R=mtasts defer .* 451 4\.4\.8 '
		send u@nopol.example
		like "$exim $kind: no policy" "$(cat "$got/mainlog")" ' => .* R=dnslookup T=remote_smtp '
	done
done
tap_done

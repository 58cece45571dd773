#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The helpers against the lab's internet: every row of DNS (t40 to t51) and HTTPS (f17 to f37) that is decided below the engine, and
# what a helper is and may while it works.  The rows that speak of policies and caches are the engine's tests.
#
#	stage	what "make install" made, with a prefix below it: the helpers
#	build	the build tree: netprobe and inject
# shellcheck source-path=SCRIPTDIR source=lib/lab.sh
. "$(dirname "$0")/lib/lab.sh"
well_known=/.well-known/mta-sts.txt
lab_prefixes="198.18.0.0/15 fd18::/16"

: "${build:?the build tree}"
helpers=$(dirname "$(find "$stage" -name mtasts-fetch -type f | head -n 1)")
probe=$build/tests/tools/netprobe inject=$build/tests/tools/inject
for program in "$helpers/mtasts-resolve" "$probe" "$inject"; do
	[ -x "$program" ] || bail "not built: $program"
done
sanitized=$(nm "$probe" 2>/dev/null | grep -m 1 __asan_init) # needs more memory than a helper may have

# The build may lie where the helpers' user cannot go
mkdir "$work/helpers" && cp "$helpers"/mtasts-* "$work/helpers" && chmod 755 "$work/helpers"/*

cp "$probe" "$work/netprobe"
world=("$top/lab/run") # what netprobe is run by
export MTASTS_TREE=$work:$LAB_DIR

# probe WORD...: netprobe in the sender's namespace
probe() {
	"${world[@]}" "$work/netprobe" -o helper_user=nobody -o "helper_directory=$work/helpers" -o "ca_directory=$LAB_DIR/pki/certs" \
		-o "resolv_conf=$LAB_DIR/resolv.conf" -o "allow_addresses=$lab_prefixes" "$@" 2>&1
}

seconds() { awk -F'us=' '{split($2, a, " "); print a[1] / 1000000}' <<<"$1"; }

# resolves NAME TYPE OWNER REGEX [OPTION...]
resolves() {
	local name=$1 type=$2 owner=$3 regex=$4
	shift 4
	like "$name" "$(probe "$@" resolve "$type" "$owner")" "$regex"
}

# ---- DNS ----

dns() {
	resolves "t40: a record by CNAME, and where it led" TXT _mta-sts.t40.example \
		'state=answered .* canonical=_mta-sts.provider.example n=1 .*rdata=.x0Ev.x3DSTSv1;.x20id.x3D1;$'
	resolves "t41: a chain of CNAMEs" TXT _mta-sts.t41.example 'state=answered .* canonical=_mta-sts.provider.example n=1 '
	resolves "t42: a loop of CNAMEs is no answer" TXT _mta-sts.t42.example 'state=unknown .*reason="SERVFAIL"'
	resolves "t43: NXDOMAIN, with the time to believe it" TXT _mta-sts.nopol.example 'state=no-name secure=0 ttl=[1-9][0-9]* .*reason=""'
	resolves "t43: no data, with the time to believe it" TXT _mta-sts.t43.example 'state=no-data secure=0 ttl=[1-9][0-9]* .*reason=""'
	resolves "t45: SERVFAIL" TXT _mta-sts.t45servfail.example 'state=unknown .*reason="SERVFAIL"'
	resolves "t45: REFUSED, as the resolver tells it" TXT _mta-sts.t45refused.example 'state=unknown .*reason="SERVFAIL"'
	local out
	out=$(probe -d 2000 resolve TXT _mta-sts.t45timeout.example TXT _mta-sts.good.example)
	like "t45: time-out, within the deadline" "$out" 'i=0 state=unknown .*us=1[89][0-9]{5} reason="time-out"'
	like "t45: and another answer does not wait for it" "$out" 'i=1 state=answered .*us=[0-9]{1,6} '
	resolves "t47: bogus, as a validating resolver tells it" TXT _mta-sts.t47.example 'state=unknown .*reason="SERVFAIL"'
	resolves "t47: a bogus domain" TXT _mta-sts.t47all.example 'state=unknown .*reason="SERVFAIL"'
	resolves "t48: truncated at the authority" TXT _mta-sts.t48.example 'state=answered .* n=1 '
	resolves "t48: truncated at the resolver, the rest by TCP" TXT _mta-sts.t48long.example 'state=answered .* n=1 '
	resolves "t49: a TAB is an octet" TXT _mta-sts.t49tab.example 'rdata=.x10v.x3DSTSv1;.x09id.x3Dt49;$'
	resolves "t49: UTF-8 is octets" TXT _mta-sts.t49utf8.example '.x20n.x3D.xC3.xA9;$'
	resolves "t49: 0xff is an octet" TXT _mta-sts.t49high.example 'id.x3D.xFF;$'
	resolves "t51: one name, whatever its case and final dot" TXT _MTA-STS.Good.Example. 'state=answered .*canonical=_mta-sts.good.example '
	resolves "two records are two" TXT _mta-sts.two.example ' n=2 .*rdata=.*rdata='
	resolves "a set over 4 KiB is not handed on" TXT _mta-sts.txtbig.example 'state=unknown .*reason="record set is malformed or too large"'
	resolves "MX" MX mixed.example ' n=2 .*x03mx[12].x05mixed.x07example.x00 rdata=.*x03mx[12].x05mixed'
	resolves "null MX" MX nullmx.example ' n=1 .*rdata=.x00.x00.x00$'
	resolves "A" A mta-sts.good.example ' n=1 .*rdata=.xC6.x12.x01.x01$'
	resolves "AAAA" AAAA mta-sts.good.example ' n=1 .*rdata=.xFD.x18.x00.x01(.x00){11}.x01$'
}

# With our own trust anchor: what is secure, what is proved not to be there, what is bogus and why
dnssec() {
	local anchor=(-o "trust_anchor=$LAB_DIR/trust-anchor") direct=(-o "resolv_conf=$work/nodnssec")
	resolves "secure" TXT _mta-sts.dane.example 'state=answered secure=1' "${anchor[@]}"
	resolves "secure: an MX set" MX secure.example 'state=answered secure=1' "${anchor[@]}"
	resolves "unsigned is answered, not secure" TXT _mta-sts.good.example 'state=answered secure=0' "${anchor[@]}"
	resolves "secure: proved not to be there" TXT nothing.dane.example 'state=no-name secure=1 ttl=[1-9]' "${anchor[@]}"
	resolves "secure: proved to have no such type" AAAA dane.example 'state=no-data secure=1 ttl=[1-9]' "${anchor[@]}"
	resolves "without an anchor nothing is secure" TXT _mta-sts.dane.example 'state=answered secure=0'
	echo "nameserver 198.18.0.53" >"$work/nodnssec"
	resolves "t47: what we validate ourselves, and cannot" TXT _mta-sts.t47all.example \
		'state=unknown .*reason="DNSSEC bogus: validation failure' "${anchor[@]}" "${direct[@]}"
	echo "nameserver 198.18.0.54" >"$work/refuses"
	resolves "t45: REFUSED, told to us" TXT _mta-sts.t45refused.example 'state=unknown .*reason="SERVFAIL"' -o "resolv_conf=$work/refuses"
	echo "nameserver 198.18.254.1" >"$work/silent"
	local out
	out=$(probe -d 1500 -o "resolv_conf=$work/silent" resolve TXT _mta-sts.good.example)
	like "t45: no resolver answers" "$out" 'state=unknown .*us=1[345][0-9]{5} reason="time-out"'
	printf 'nameserver 198.18.254.1\nnameserver 127.0.0.1\n' >"$work/half"
	resolves "one of two resolvers is silent" TXT _mta-sts.good.example 'state=answered' -o "resolv_conf=$work/half"
	echo "nameserver 198.18.253.1" >"$work/closed"
	resolves "t45: nobody is there to be asked" TXT _mta-sts.good.example 'state=unknown' -o "resolv_conf=$work/closed" -d 3000
	resolves "no resolv.conf: a fault, and said so" TXT _mta-sts.good.example \
		'state=fault .*reason="mtasts-resolve: .*/missing: No such file or directory"' -o "resolv_conf=$work/missing"
	resolves "no trust anchor: a fault, and said so" TXT _mta-sts.good.example \
		'state=fault .*reason="mtasts-resolve: .*/missing: No such file or directory"' -o "trust_anchor=$work/missing"
	local mark
	mark=$("$top/lab/log" --mark)
	probe resolve TXT _mta-sts.tgood.example A mta-sts.tgood.example AAAA mta-sts.tgood.example >/dev/null
	is "three questions are three datagrams, none twice" \
		"$("$top/lab/log" --since "$mark" dns | awk '{print $3, $4}' | sort | tr '\n' ' ')" \
		"name=_mta-sts.tgood.example type=TXT name=mta-sts.tgood.example type=A name=mta-sts.tgood.example type=AAAA "
}

# ---- HTTPS ----

# domain, deadline in ms, what the page's line must match, what it is
pages() {
	sed -E 's/^\t*//; /^$/d' <<-'END'
	good|15000|state=fetched status=200 .*type=text/plain octets=[1-9]|a page
	f17expired|15000|state=bad-certificate .*reason="certificate has expired"|f17: expired
	f17notyet|15000|state=bad-certificate .*reason="certificate is not yet valid"|f17: not yet valid
	f18self|15000|state=bad-certificate .*reason="self.signed certificate"|f18: self-signed
	f18ca|15000|state=bad-certificate .*reason="unable to get local issuer certificate"|f18: unknown CA
	f19|15000|state=bad-certificate .*reason="hostname mismatch"|f19: another host's
	f20|15000|state=bad-certificate .*reason="hostname mismatch"|f20: common name only
	f21|15000|state=fetched status=200|f21: wildcard
	f22|15000|state=bad-certificate .*reason="hostname mismatch"|f22: wildcard inside a label
	f22tld|15000|state=bad-certificate .*reason="hostname mismatch"|f22: wildcard of two labels
	f23|15000|state=fetched status=200|f23: the certificate by SNI
	f24|15000|state=failed status=0 |f24: TLS 1.1 only
	f25|15000|state=failed .*reason="no address"|f25: no address
	f26|15000|state=fetched status=200|f26: IPv6 silent, IPv4 good
	f26closed|15000|state=fetched status=200|f26: IPv6 closed, IPv4 good
	f26noroute|15000|state=fetched status=200|f26: IPv6 without a route, IPv4 good
	silent|1500|state=failed .*reason="time-out"|packets vanish
	closed|15000|state=failed .*reason="Failed to connect|connection refused
	hang|1500|state=failed .*reason="time-out"|accepts, says nothing
	hangtls|1500|state=failed .*reason="time-out"|TLS, then nothing
	close|15000|state=failed |closes
	slow|15000|state=fetched status=200|answers after a second
	tarpit|1500|state=failed .*reason="time-out"|answers after the deadline
	f27|2500|state=failed .*reason="time-out"|f27: an octet at a time
	f28|15000|state=failed .*reason="body is larger than 64 KiB"|f28: too long, and says so
	f28max|15000|state=fetched status=200 .*octets=65536 |f28: as long as may be
	f28over|15000|state=failed .*reason="body is larger than 64 KiB"|f28: an octet longer
	f28endless|15000|state=failed .*reason="body is larger than 64 KiB"|f28: without end
	f29|15000|state=failed .*reason="content coding that was not asked for"|f29: gzip
	f29bomb|15000|state=failed .*reason="content coding that was not asked for"|f29: a gzip bomb
	f30|15000|state=fetched status=200|f30: cacheable
	f30not|15000|state=fetched status=304 |f30: 304
	f31a|15000|state=fetched status=301 |f31: 301
	f31b|15000|state=fetched status=302 |f31: 302
	f31c|15000|state=fetched status=303 |f31: 303
	f31d|15000|state=fetched status=307 |f31: 307
	f31e|15000|state=fetched status=308 |f31: 308
	f31other|15000|state=fetched status=301 |f31: to another host
	f32old|15000|state=failed |f32: HTTP/0.9
	f32garbage|15000|state=failed |f32: no status line
	f32header|15000|state=failed .*reason="header is too large"|f32: a header of 1 MiB
	f32headers|15000|state=failed .*reason="header is too large"|f32: 1000 headers
	s203|15000|state=fetched status=203 |status 203
	s204|15000|state=fetched status=204 |status 204
	s404|15000|state=fetched status=404 .*octets=0 |status 404
	s500|15000|state=fetched status=500 |status 500
	closebody|15000|state=failed |closes in a chunk
	short|15000|state=failed |shorter than its length
	html|15000|state=fetched status=200 .*type=text/html |text/html
	notype|15000|state=fetched status=200 .*type= octets|no type
	charset|15000|state=fetched status=200 .*type=text/plain;.x20charset.x3Dutf-8 |type with a parameter
	f33public|15000|state=fetched status=200|f33: a public address
	f33public6|15000|state=fetched status=200|f33: a public IPv6 address
	f33mixed|15000|state=fetched status=200|f33: one address is good
	END
}

https() {
	local domain deadline regex name out line mark
	mark=$("$top/lab/log" --mark)
	while IFS='|' read -r domain deadline regex name; do
		out=$(probe -d "$deadline" page "mta-sts.$domain.example" "$well_known")
		line=$(grep '^page' <<<"$out")
		like "$name" "$out" "^page $regex"
		[ "$(awk -v s="$(seconds "$line")" -v d="$deadline" 'BEGIN { print (s <= d / 1000 + 0.2) }')" = 1 ] ||
			fail "$name: within its deadline" "$line"
	done < <(pages)
	like "f23: SNI is the policy host" "$("$top/lab/log" --since "$mark" get host=mta-sts.f23.example)" ' sni=mta-sts.f23.example '
	local log
	log=$("$top/lab/log" --since "$mark" get)
	is "f31: no redirection is followed" "$(grep -cE 'host=mta-sts.(f31[a-e]|f31other).example' <<<"$log")" 6
	is "f30: no conditional request" "$(grep -E 'if_(none_match|modified_since)=[^ -]' <<<"$log")" ""
	is "no cookie" "$(grep -E 'cookie=[^ -]' <<<"$log")" ""
	is "f29: no coding is asked for" "$(grep -E ' encoding=[^ -]' <<<"$log")" ""
	unlike "the request is HTTP/1.1, a GET" "$(grep 'to=198.18.1.1' <<<"$log" | grep -vE 'http=HTTP/1.1|http=1.1')" .
	like "who asks" "$(grep host=mta-sts.good.example <<<"$log")" 'agent=mtasts/[0-9]'
	out=$(https_proxy=http://198.18.1.1:8080 HTTPS_PROXY=http://198.18.1.1:8080 ALL_PROXY=socks5://198.18.1.1 \
		probe page mta-sts.good.example "$well_known")
	like "f37: no proxy out of the environment" "$out" 'state=fetched status=200'
	like "f25: SERVFAIL for the addresses" "$(probe resolve A mta-sts.f25servfail.example)" 'state=unknown .*SERVFAIL'
	like "f25: NXDOMAIN for the addresses" "$(probe resolve A mta-sts.f25.example)" 'state=no-'
	like "no CA directory: a fault, and said so" \
		"$(probe -o "ca_directory=$work/missing" fetch mta-sts.good.example "$well_known" 198.18.1.1)" \
		'state=fault .*reason="mtasts-fetch: .*/missing: No such file or directory"'
	mkdir -p "$work/empty"
	like "an empty CA directory: a fault, not a bad certificate" \
		"$(probe -o "ca_directory=$work/empty" fetch mta-sts.good.example "$well_known" 198.18.1.1)" \
		'state=fault .*reason="mtasts-fetch: no certificate by its hash'
}

# A certificate of the lab's CA for mta-sts.good.example, in $work/leaf.{key,pem}
leaf() {
	openssl req -new -newkey rsa:2048 -nodes -keyout "$work/leaf.key" -subj / -out "$work/leaf.csr" 2>/dev/null
	openssl x509 -req -in "$work/leaf.csr" -CA "$LAB_DIR/pki/ca.pem" -CAkey "$LAB_DIR/pki/ca.key" -set_serial 0x4711 -days 2 \
		-out "$work/leaf.pem" -extfile <(echo "subjectAltName=DNS:mta-sts.good.example") 2>/dev/null
}

# says NAME REGEX [SECONDS]: a policy host that says, whatever it is asked, what is on standard input; its connections end
# without TLS's own end after so many seconds
says() {
	local name=$1 regex=$2 life=${3:-} server out
	"$top/lab/run" --world openssl s_server -quiet -accept 198.18.253.1:443 -cert "$work/leaf.pem" -key "$work/leaf.key" \
		-naccept 1 >/dev/null 2>&1 <&0 &
	server=$!
	children+=("$server")
	sleep 0.3
	[ -z "$life" ] || { disown "$server"; (sleep "$life"; kill -KILL "$server") & }
	out=$(probe -d 5000 fetch mta-sts.good.example / 198.18.253.1)
	kill "$server" 2>/dev/null
	like "$name" "$out" "$regex"
}

answers() {
	local ok=$'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n' hints=$'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'
	leaf
	says "interim responses are passed over" 'state=fetched status=200 .*octets=5 body=hello$' \
		< <(printf "%s%s%s" "$hints" "$hints" "$ok"$'Content-Length: 5\r\n\r\nhello'; sleep 1)
	says "but not for ever" 'state=failed .*reason="header is too large"' \
		< <(for ((i = 0; i < 2000; i++)); do printf '%s' "$hints"; done; sleep 1)
	says "a transfer coding that was not asked for" 'state=failed .*reason="(transfer coding that was not asked for|Unsolicited Transfer-Encoding.*)"' \
		< <(printf '%sTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n' "$ok"; sleep 1)
	says "a length that is none" 'state=failed ' < <(printf '%sContent-Length: -5\r\n\r\nhello' "$ok"; sleep 1)
	says "a length over 64 bits" 'state=failed ' < <(printf '%sContent-Length: 99999999999999999999\r\n\r\nhello' "$ok"; sleep 1)
	says "NUL in a header" 'state=failed ' < <(printf '%sX: a\0b\r\nContent-Length: 5\r\n\r\nhello' "$ok"; sleep 1)
	says "a coding that changes nothing" 'state=fetched status=200 .*body=hello$' \
		< <(printf '%sContent-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello' "$ok"; sleep 1)
	says "a page of another status, longer than 64 KiB" 'state=fetched status=404 .*octets=0 ' \
		< <(printf 'HTTP/1.1 404 No\r\nContent-Length: 100000\r\n\r\n'; head -c 100000 /dev/zero; sleep 1)
	says "a body that ends with TLS" 'state=fetched status=200 .*body=hello$' < <(printf '%s\r\nhello' "$ok"; sleep 1)
	says "a body that somebody cuts off" 'state=failed ' 1 < <(printf '%s\r\nhel' "$ok"; sleep 4)
	says "no final status" 'state=failed ' < <(printf '%s' "$hints")
}

# A policy host that staples an OCSP response: what it says counts if its issuer says it (RFC 8461 4.2 leaves that to us)
staples() {
	local pki=$LAB_DIR/pki host=mta-sts.good.example at=198.18.253.1 leaf=$work/leaf serial word staple out server signer key
	leaf
	serial=4711
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/other.key" -subj "/CN=other" -days 2 -out "$work/other.pem" 2>/dev/null
	for word in none good revoked stranger; do
		staple=()
		case $word in
		good) printf 'V\t491231235959Z\t\t%s\tunknown\t/\n' $serial >"$work/index" ;;
		*) printf 'R\t491231235959Z\t250101000000Z\t%s\tunknown\t/\n' $serial >"$work/index" ;;
		esac
		signer=$pki/ca.pem key=$pki/ca.key
		[ $word = stranger ] && signer=$work/other.pem key=$work/other.key
		openssl ocsp -index "$work/index" -CA "$pki/ca.pem" -rsigner "$signer" -rkey "$key" -issuer "$pki/ca.pem" \
			-cert "$leaf.pem" -ndays 1 -noverify -respout "$work/$word.der" >/dev/null 2>&1
		[ $word = none ] || staple=(-status_file "$work/$word.der")
		"$top/lab/run" --world openssl s_server -quiet -accept $at:443 -cert "$leaf.pem" -key "$leaf.key" -www "${staple[@]}" \
			>/dev/null 2>&1 </dev/null &
		server=$!
		children+=("$server")
		sleep 0.5
		out=$(probe fetch $host / $at)
		kill "$server"
		case $word in
		revoked) like "R4.2.2: a stapled response: $word" "$out" 'state=bad-certificate .*reason="certificate is revoked"' ;;
		*) like "R4.2.2: a stapled response: $word" "$out" 'state=fetched status=200' ;;
		esac
	done
}

# f33: every address that is not of the public internet, with the lab's own prefixes open, and without
addresses() {
	local domain out mark
	mark=$("$top/lab/log" --mark)
	for domain in loop loop2 zero ten p172 p192 link cgnat doc ietf multi e all six1 six0 mapped nat64 six4 ula fe80 sixmul sixdoc; do
		out=$(probe -d 5000 page "mta-sts.f33$domain.example" "$well_known")
		like "f33: $domain" "$out" '^page state=failed .*reason="address [0-9a-f.:]+ is not of the public internet"'
	done
	out=$(probe -d 5000 -o "allow_addresses=fd18::/16" page mta-sts.f33own.example "$well_known")
	like "f33: own" "$out" '^page state=failed .*reason="address 198.19.0.1 is not of the public internet"'
	out=$(probe -d 5000 -o "allow_addresses=fd18::/16" fetch mta-sts.good.example "$well_known" 198.18.1.1)
	like "f33: the lab itself, its prefix not open" "$out" '^page state=failed .*not of the public internet'
	is "f33: nobody saw a request" "$("$top/lab/log" --since "$mark" --count get)" 0
	out=$(probe -o "allow_addresses=127.0.0.1" fetch mta-sts.f33loop.example "$well_known" 127.0.0.1)
	like "f33: allow_addresses opens an address" "$out" '^page state=fetched status=200'
}

# ---- what a helper is while it works ----

# at_work PROGRAM WORD...: netprobe busy with that, its helper's number in $pid
at_work() {
	local program=$1 i
	shift
	probe -d 20000 "$@" >"$work/out" &
	children+=($!)
	pid=
	for ((i = 0; i < 100 && ${#pid} == 0; i++)); do
		sleep 0.05
		pid=$(for p in /proc/[0-9]*; do
			[ "$p/exe" -ef "$work/helpers/$program" ] && echo "${p#/proc/}"
		done | head -n 1)
	done
	sleep 0.3 # past its own start
	[ -n "$pid" ] || bail "no $program at work"
}

# opened: what the helper has open of the file system, /dev/null apart
opened() {
	local fd
	for fd in /proc/"$pid"/fd/*; do
		[ "$fd" -ef /dev/null ] || readlink "$fd" | grep '^/'
	done
}

# The same for both: uid, groups, privileges, environment, limits
shape() {
	local program=$1 status limits
	status=$(<"/proc/$pid/status") limits=$(<"/proc/$pid/limits")
	like "$program: user" "$status" "^Uid:	$(id -u nobody)	$(id -u nobody)	$(id -u nobody)	$(id -u nobody)$"
	like "$program: group" "$status" "^Gid:	$(id -g nobody)	$(id -g nobody)	$(id -g nobody)	$(id -g nobody)$"
	like "$program: no other groups" "$status" '^Groups:[[:space:]]*$'
	like "$program: no new privileges" "$status" '^NoNewPrivs:	1$'
	like "$program: system calls are filtered" "$status" '^Seccomp:	2$'
	like "$program: no capabilities" "$status" '^CapEff:	0+$'
	is "$program: environment" "$(wc -c <"/proc/$pid/environ")" 0
	is "$program: folder" "$([ "/proc/$pid/cwd" -ef / ] && echo /)" /
	like "$program: processor time" "$limits" '^Max cpu time +120 +120 '
	[ -n "$sanitized" ] || like "$program: memory" "$limits" '^Max address space +268435456 +268435456 '
	like "$program: descriptors" "$limits" '^Max open files +256 +256 '
	like "$program: files it may write" "$limits" '^Max file size +0 +0 '
	like "$program: core" "$limits" '^Max core file size +0 +0 '
	unlike "$program: nothing of its parent's is open" "$(opened)" .
}

# tries NAME WANTED WORD...: what the kernel says to that system call, made by the helper itself
tries() {
	local name=$1 wanted=$2
	shift 2
	like "$name" "$("$inject" "$pid" "$@" 2>&1)" "$wanted"
}

# EACCES of Landlock, ENOSYS of seccomp.  The files are open to everybody, so that nothing but the walls stands in the way.
walls() {
	local program=$1 file
	mkdir -p "$work/state" "$work/spool" && chmod 777 "$work/state" "$work/spool"
	for file in state/mtasts.db spool/1-H; do
		echo secret >"$work/$file" && chmod 666 "$work/$file"
		tries "$program: cannot read ${file%/*}" '^errno=13$' open "$work/$file"
		tries "$program: cannot write ${file%/*}" '^errno=(13|38)$' write "$work/$file"
	done
	tries "$program: cannot read /etc/passwd" '^errno=13$' open /etc/passwd
	tries "$program: cannot speak with local servers" '^errno=38$' socket 1 1
	tries "$program: has no other families of sockets" '^errno=38$' socket 16 3
	tries "$program: connects to no mail server" '^errno=13$' connect 198.18.25.1 25
	tries "$program: sends no signal" '^errno=38$' kill "$$"
	tries "$program: cannot become root" '^errno=38$' setuid
	tries "$program: makes no code" '^errno=38$' executable
}

state() {
	at_work mtasts-fetch page mta-sts.tarpit.example "$well_known"
	shape mtasts-fetch
	like "mtasts-fetch: has no children" "$(<"/proc/$pid/limits")" '^Max processes +0 +0 '
	walls mtasts-fetch
	tries "mtasts-fetch: cannot ask the DNS" '^errno=38$' socket 2 2
	tries "mtasts-fetch: connects to HTTPS servers" '^ok$' connect 198.18.1.1 443
	tries "mtasts-fetch: reads its certificates" '^ok$' open "$(find "$LAB_DIR/pki/certs" -name '*.0' | head -n 1)"
	tries "mtasts-fetch: goes on as if nothing had been" '^ok$' socket 2 1
	tries "mtasts-fetch: dies of execve" '^killed signal=31$' exec
	wait "${children[-1]}"
	like "mtasts-fetch: and that is a fault" "$(<"$work/out")" '^page state=fault '

	at_work mtasts-resolve resolve TXT _mta-sts.t45timeout.example
	shape mtasts-resolve
	walls mtasts-resolve
	tries "mtasts-resolve: connects to no HTTPS server" '^errno=13$' connect 198.18.1.1 443
	tries "mtasts-resolve: asks the DNS" '^ok$' socket 2 2
	tries "mtasts-resolve: by TCP too" '^ok$' connect 198.18.0.53 53
	tries "mtasts-resolve: dies of fork" '^killed signal=31$' fork
	wait "${children[-1]}"
	like "mtasts-resolve: and that is a fault" "$(<"$work/out")" 'state=fault '
}

# ---- by hand ----

# by_hand PROGRAM STATUS REGEX OPTION...: as nobody, with nothing on standard input
by_hand() {
	local program=$1 status=$2 regex=$3 out got
	shift 3
	out=$(setpriv --reuid=nobody --regid=nogroup --clear-groups "$work/helpers/$program" "$@" 2>&1 </dev/null)
	got=$?
	is "$program $*: status" "$got" "$status"
	like "$program $*: says" "$out" "$regex"
}

manners() {
	local program
	for program in mtasts-resolve mtasts-fetch; do
		by_hand $program 0 "^$program [0-9]+\\.[0-9]+" --version
		by_hand $program 0 "^usage: $program " --help
		by_hand $program 64 "^usage: $program " --no-such-option
		by_hand $program 64 "^usage: $program " word
		by_hand $program 64 "^usage: $program "
		like "$program: not by root" "$("$work/helpers/$program" 2>&1 </dev/null)" 'not to be run by root'
		out=$(echo "GET / HTTP/1.1" | setpriv --reuid=nobody --regid=nogroup --clear-groups "$work/helpers/$program" 2>&1)
		is "$program: status of a stranger's message" "$?" 65
		like "$program: a stranger's message" "$out" 'malformed message'
	done
	by_hand mtasts-fetch 64 '^usage: mtasts-fetch ' -a 300.0.0.0/8
	by_hand mtasts-fetch 64 '^usage: mtasts-fetch ' -c certs
}

# Ten thousand policies are one process: here a hundred pages and questions
stream() {
	local out mark
	mark=$("$top/lab/log" --mark)
	out=$(probe -n 100 fetch mta-sts.good.example "$well_known" 198.18.1.1)
	is "a hundred pages of one helper" "$(grep -c 'state=fetched status=200' <<<"$out")" 100
	is "each its own request" "$("$top/lab/log" --since "$mark" --count get host=mta-sts.good.example)" 100
	out=$(probe -n 100 resolve TXT _mta-sts.good.example A mta-sts.good.example)
	is "two hundred answers of one helper" "$(grep -c 'state=answered' <<<"$out")" 200
}

# count WORD TEXT: lines with it
count() { grep -c -- "$1" <<<"$2"; }

# More at once than there are descriptors: each gets its answer, and those whose time runs out get that one
crowd() {
	local out
	out=$(probe -p 1000 resolve TXT good.example)
	is "a thousand questions at once" "$(count 'state=no-name' "$out")" 999
	out=$(probe -p 300 fetch mta-sts.good.example "$well_known" 198.18.1.1)
	is "three hundred pages at once" "$(count 'state=fetched status=200' "$out")" 300
	out=$(probe -p 300 -d 3000 fetch mta-sts.good.example "$well_known" 198.18.254.1)
	is "three hundred silent hosts at once" "$(count 'state=failed .*reason="time-out"' "$out")" 300
	out=$(probe -p 300 -d 3000 resolve TXT t45timeout.example)
	is "three hundred silent zones at once" "$(count 'state=unknown .*reason="time-out"' "$out")" "$(($(count ^answer "$out") - $(count 'state=no-' "$out")))"
	is "and a helper that served them is no fault" "$(count 'state=fault' "$out")" 0
}

# A kernel that knows no walls: everything works, and one line of log for each helper says what is missing
old_kernel() {
	local out
	world=("$top/lab/run" "$build/tests/tools/oldkernel")
	out=$(probe -n 3 page mta-sts.good.example "$well_known")
	is "an old kernel: pages" "$(grep -c '^page state=fetched status=200' <<<"$out")" 3
	for program in mtasts-resolve mtasts-fetch; do
		is "an old kernel: one line of log for $program" "$(grep "program=$program" <<<"$out")" \
			"log level=1 helper program=$program note=\"no Landlock in this kernel; no seccomp in this kernel\""
	done
	world=("$top/lab/run")
}

# The same helpers with the libraries of Debian 13
trixie() {
	world=("$top/tests/servers/run" exim-trixie)
	dns
	dnssec
	https
	answers
	staples
	addresses
	stream
	crowd
	world=("$top/lab/run")
}

parts=${*:-dns dnssec https answers staples addresses state manners stream crowd old_kernel trixie}
for part in $parts; do $part; done
tap_done

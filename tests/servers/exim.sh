# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# The Exims: Debian's own packages, and one built here with OpenSSL.  Sourced by make.
# shellcheck source-path=SCRIPTDIR source=common.sh

exim_uid=995

furnish_exim() {
	local root=$1
	furnish "$root" "Debian-exim:$exim_uid:/var/spool/exim4"
	install -d "$root/etc/exim4" "$root/var/lib/exim4"
	install -d -o "$exim_uid" -g "$exim_uid" -m 750 "$root/var/spool/exim4" "$root/var/log/exim4"
	# The package says nothing of the mode: its postinst does.
	[ ! -f "$root/usr/sbin/exim4" ] || chmod 4755 "$root/usr/sbin/exim4"
}

# packaged SUITE ROOT
packaged() {
	# shellcheck disable=SC2086 # the lists are lists
	unpack "$1" "$2" exim4-daemon-heavy $tools $libraries ${renamed[$1]}
	furnish_exim "$2"
}

# from_source ROOT: Exim built with OpenSSL, of Debian's source, against the libraries in ROOT
from_source() {
	local root=$1 src=$cache/build-openssl
	# shellcheck disable=SC2086
	unpack bookworm "$root" $tools $libraries ${renamed[bookworm]} netbase \
		libdb-dev libpcre2-dev libssl-dev
	source_of bookworm exim4 "$src"
	mkdir -p "$src/tree/Local"
	cat >"$src/tree/Local/Makefile" <<-END
	CC = gcc --sysroot=$root
	CFLAGS = -O1 -g -D_LARGEFILE_SOURCE -D_FILE_OFFSET_BITS=64
	BIN_DIRECTORY = /usr/sbin
	CONFIGURE_FILE = /etc/exim4/exim4.conf
	EXIM_USER = $exim_uid
	EXIM_GROUP = $exim_uid
	SPOOL_DIRECTORY = /var/spool/exim4
	LOG_FILE_PATH = /var/log/exim4/%slog
	USE_DB = yes
	DBMLIB = -ldb
	PCRE2_CONFIG = no
	PCRE_LIBS = -lpcre2-8
	USE_OPENSSL = yes
	TLS_LIBS = -lssl -lcrypto
	SUPPORT_DANE = yes
	HAVE_IPV6 = yes
	EXPAND_DLFUNC = yes
	EXTRALIBS = -ldl -rdynamic
	FIXED_NEVER_USERS = root
	MAX_NAMED_LIST = 16
	HEADERS_CHARSET = "UTF-8"
	ROUTER_ACCEPT = yes
	ROUTER_DNSLOOKUP = yes
	ROUTER_MANUALROUTE = yes
	ROUTER_REDIRECT = yes
	TRANSPORT_APPENDFILE = yes
	TRANSPORT_AUTOREPLY = yes
	TRANSPORT_PIPE = yes
	TRANSPORT_SMTP = yes
	LOOKUP_DBM = yes
	LOOKUP_LSEARCH = yes
	LOOKUP_DNSDB = yes
	SYSLOG_LOG_PID = yes
	END
	say "openssl: building Exim"
	make -C "$src/tree" -j2 FULLECHO='' >"$src/log" 2>&1 || {
		tail -n 30 "$src/log" >&2
		die "Exim does not build: the whole log is $src/log"
	}
	install -m 4755 "$src/tree"/build-*/exim "$root/usr/sbin/exim4"
	furnish_exim "$root"
	rm -rf "$src/tree"
}

family_inputs() {
	:
}

family_make() {
	case $1 in
	bookworm | trixie) packaged "$1" "$2" ;;
	openssl) from_source "$2" ;;
	esac
}

family_about() {
	local root=$2 about
	[ -x "$root/usr/sbin/exim4" ] || die "no exim4 in $root"
	echo 'keep_environment =' >"$root/etc/exim4/exim4.conf"
	about=$(chroot "$root" /usr/sbin/exim4 -bV) || die "Exim does not start"
	grep -q '^Support for:.*Expand_dlfunc' <<<"$about" || die "this Exim has no dlfunc"
	grep -q '^Support for:.*Event' <<<"$about" || die "this Exim has no events"
	grep -q '^Support for:.*DANE' <<<"$about" || die "this Exim has no DANE"
	sed -n '1s/ #.*//p' <<<"$about"
}

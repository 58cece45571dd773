# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# The sendmails.  Each root has /usr/sbin/sendmail, and /usr/share/sendmail/cf to make configurations of.  Sourced by make.
# shellcheck source-path=SCRIPTDIR source=common.sh

furnish_sendmail() {
	local root=$1
	furnish "$root" smmta:994:/var/lib/sendmail smmsp:993:/var/lib/sendmail
	echo '198.19.0.1 mail.sender.example mail' >>"$root/etc/hosts"
	install -d -m 700 "$root/var/spool/mqueue"
	install -d "$root/etc/mail"
	: >"$root/etc/mail/aliases"
}

# debian ROOT [DEB...]: the packages as they are, or the DEBs in the place of those of their names
debian() {
	local root=$1 deb
	shift
	# shellcheck disable=SC2086 # the lists are lists
	unpack bookworm "$root" sendmail-bin sendmail-base sendmail-cf $tools $libraries ${renamed[bookworm]}
	for deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink || die "cannot unpack $deb"
	done
	# What update-alternatives would have made
	ln -s ../libexec/sendmail/sendmail "$root/usr/sbin/sendmail-mta"
	ln -s sendmail-mta "$root/usr/sbin/sendmail"
	furnish_sendmail "$root"
}

# pkg_config: our library is found
pkg_config() {
	[ -n "${stage:-}" ] || die "stage is not set: where make install put libmtasts"
	PKG_CONFIG_PATH=$(dirname "$(find "$stage" -name mtasts.pc | head -n 1)")
	export PKG_CONFIG_PATH
}

# rebuilt ROOT: Debian's own packages, built here with our hook by sendmail/debian-package
rebuilt() {
	local root=$1 dir=$cache/build-sendmail-rebuilt
	pkg_config
	rm -rf "$dir"
	mkdir -p "$dir"
	say "bookworm: building Debian's packages of sendmail"
	"$top/sendmail/debian-package" "$dir/built" >"$dir/log" 2>&1 || {
		tail -n 30 "$dir/log" >&2
		die "Debian's packages do not build: see $dir"
	}
	debian "$root" "$dir"/built/sendmail-{bin,base,cf}_*.deb
	rm -rf "$dir/built"
}

# built ROOT SUITES [OPTION...]: the source of the first of the suites that has it, with our hook, by sendmail/build with
# the options
built() {
	local root=$1 suites=$2 dir=$cache/build-${1##*/new-} suite
	shift 2
	pkg_config
	# shellcheck disable=SC2086 # the lists are lists
	unpack bookworm "$root" $tools $libraries ${renamed[bookworm]} netbase libdb5.3
	rm -rf "$dir"
	mkdir -p "$dir"
	for suite in $suites; do
		say "$suite: fetching and building sendmail"
		"$top/sendmail/fetch-source" -s "$suite" "$dir/tree" >"$dir/log" 2>&1 && break
	done
	[ -d "$dir/tree" ] || { cat "$dir/log" >&2; die "no source of sendmail in $suites"; }
	MAKEFLAGS=-j2 "$top/sendmail/build" -d "$dir/tree" "$@" "$dir/built" >"$dir/log" 2>&1 || {
		tail -n 30 "$dir/log" >&2
		die "sendmail does not build: see $dir"
	}
	install "$dir"/built/obj.*/sendmail/sendmail "$dir"/built/obj.*/makemap/makemap "$root/usr/sbin"
	mkdir -p "$root/usr/share/sendmail"
	cp -a "$dir/built/cf" "$root/usr/share/sendmail/cf"
	rm -rf "$dir/tree" "$dir/built"
	furnish_sendmail "$root"
}

# With all of sendmail's own that meets ours: DANE, and MTA-STS as sendmail has it
full() {
	cat >"$cache/sendmail-full.m4" <<-'END'
	APPENDDEF(`conf_sendmail_ENVDEF', `-DDANE -D_FFR_MTA_STS -D_FFR_TLS_ALTNAMES')dnl
	END
	built "$1" bookworm -p -m "$cache/sendmail-full.m4"
}

family_inputs() {
	local from=$top/sendmail
	local hook="$from/mtasts_map.c $from/site.config.m4 $from/site-lines $top/lib/mtasts.h"
	case $1 in
	hook | new) echo "$hook $from/build" ;;
	full) echo "$hook $from/build $from/conf.c.patch" ;;
	rebuilt) echo "$hook $from/debian-package" ;;
	esac
}

family_make() {
	case $1 in
	debian) debian "$2" ;;
	hook) built "$2" bookworm ;;
	new) built "$2" "trixie sid" ;;
	full) full "$2" ;;
	rebuilt) rebuilt "$2" ;;
	esac
}

family_about() {
	local kind=$1 root=$2 about class
	[ -f "$root/usr/share/sendmail/cf/m4/cf.m4" ] || die "no cf.m4 in $root"
	# libmtasts comes with whoever runs the server; what is setgid would not take it from here.
	[ "$kind" = debian ] || cp -L "$(find "$stage" -name libmtasts.so.0)" "$root/tmp"
	install -m 755 "$(realpath "$root/usr/sbin/sendmail")" "$root/tmp/sendmail"
	tried() {
		chroot "$root" /usr/bin/env LD_LIBRARY_PATH=/tmp /tmp/sendmail "$@" -bt </dev/null 2>&1 || :
	}
	about=$(tried -d0.13 -C/dev/null)
	grep -q ' STARTTLS' <<<"$about" || die "this sendmail has no STARTTLS: $about"
	[ "$kind" != full ] || grep -q ' DANE' <<<"$about" || die "this sendmail has no DANE: $about"
	echo 'Kmtasts mtasts' >"$root/tmp/cf"
	class=$(tried -C/tmp/cf)
	if grep -q 'class mtasts not available' <<<"$class"; then class=; else class=', with class mtasts'; fi
	case $kind,$class in
	debian, | hook,?* | new,?* | full,?* | rebuilt,?*) ;;
	*) die "class mtasts is where it must not be, or is not where it must" ;;
	esac
	rm -f "$root"/tmp/*
	echo "$(sed -n '1s/Version/Sendmail/p' <<<"$about")$class"
}

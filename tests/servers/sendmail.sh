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

# debian ROOT: the packages as they are
debian() {
	local root=$1
	# shellcheck disable=SC2086 # the lists are lists
	unpack bookworm "$root" sendmail-bin sendmail-base sendmail-cf $tools $libraries ${renamed[bookworm]}
	# What update-alternatives would have made
	ln -s ../libexec/sendmail/sendmail "$root/usr/sbin/sendmail-mta"
	ln -s sendmail-mta "$root/usr/sbin/sendmail"
	furnish_sendmail "$root"
}

family_inputs() {
	:
}

family_make() {
	case $1 in
	debian) debian "$2" ;;
	esac
}

family_about() {
	local kind=$1 root=$2 about
	[ -f "$root/usr/share/sendmail/cf/m4/cf.m4" ] || die "no cf.m4 in $root"
	about=$(chroot "$root" /usr/sbin/sendmail -d0.13 -C/dev/null -bt </dev/null) || :
	grep -q ' STARTTLS' <<<"$about" || die "this sendmail has no STARTTLS: $about"
	sed -n '1s/Version/Sendmail/p' <<<"$about"
}

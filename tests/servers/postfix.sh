# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# Debian's postfix, whose smtp_tls_policy_maps ask our socket map.  Sourced by make.
# shellcheck source-path=SCRIPTDIR source=common.sh

family_inputs() {
	:
}

family_make() {
	local suite=bookworm root=$2
	[ "$1" = postfix ] || suite=$1
	# shellcheck disable=SC2086 # the lists are lists
	unpack "$suite" "$root" postfix perl-base $tools $libraries ${renamed[$suite]}
	furnish "$root" postfix:994:/var/spool/postfix
	echo 'postdrop:x:993:' >>"$root/etc/group"
	chroot "$root" /bin/sh -ec '
		cp /usr/share/postfix/main.cf.dist /etc/postfix/main.cf
		cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
		install -d -m 700 -o postfix /var/lib/postfix
		chgrp postdrop /usr/sbin/postdrop /usr/sbin/postqueue
		chmod 2555 /usr/sbin/postdrop /usr/sbin/postqueue'
}

family_about() {
	local root=$2
	chroot "$root" /usr/sbin/postconf -d mail_version || die "postfix does not start"
}

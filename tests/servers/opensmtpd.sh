# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# Debian's OpenSMTPDs.  Sourced by make.
# shellcheck source-path=SCRIPTDIR source=common.sh

family_inputs() {
	:
}

family_make() {
	local suite=$1 root=$2
	# shellcheck disable=SC2086 # the lists are lists
	unpack "$suite" "$root" opensmtpd $tools $libraries ${renamed[$suite]}
	furnish "$root" opensmtpd:990:/var/lib/opensmtpd/empty opensmtpq:989:/var/lib/opensmtpd/empty
	chroot "$root" /bin/sh -ec '
		chgrp opensmtpq /usr/sbin/smtpctl
		chmod 2755 /usr/sbin/smtpctl
		install -d /etc/ssl/certs /var/mail'
	# smtpd looks for tables and filters here alone: an instance has its own
	ln -s /etc/mtasts/filter-mtasts /etc/mtasts/table-mtasts "$root/usr/libexec/opensmtpd/"
}

family_about() {
	local about
	about=$(chroot "$2" /usr/sbin/smtpd -h 2>&1) || : # it takes this for a wrong command line
	sed -n 's/^version: //p' <<<"$about" | grep . || die "smtpd does not start"
}

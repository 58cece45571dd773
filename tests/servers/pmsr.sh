# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# Debian 12's postfix-mta-sts-resolver with its in-memory cache, the socket map that ours is measured against; and the
# event loop that the package recommends, which makes it faster.  Sourced by make.
# shellcheck source-path=SCRIPTDIR source=common.sh

family_inputs() {
	:
}

family_make() {
	local root=$2
	# shellcheck disable=SC2086 # a list
	unpack bookworm "$root" postfix-mta-sts-resolver python3-uvloop $tools
	furnish "$root"
	cat >"$root/etc/mta-sts-daemon.yml" <<-END
	host: 127.0.0.1
	port: 8461
	# seconds in which a cached policy is not asked for again
	cache_grace: 3600
	cache:
	  type: internal
	END
}

family_about() {
	local root=$2
	chroot "$root" /usr/bin/env PYTHONDONTWRITEBYTECODE=1 python3 -c '
import importlib.metadata as about, uvloop
print("postfix-mta-sts-resolver", about.version("postfix_mta_sts_resolver"), "with uvloop", uvloop.__version__)'
}

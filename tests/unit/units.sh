#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The units that systemd takes: without a complaint, and with next to nothing left to the service.
set -u
# shellcheck source=tests/integration/lib/tap.sh
. "${top_srcdir:-.}/tests/integration/lib/tap.sh"
build=${top_builddir:-.}
if ! command -v systemd-analyze >/dev/null; then
	echo "1..0 # SKIP no systemd-analyze here"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
service=$work/mtasts-socketmap.service

# Its program is not installed yet
sed "s|^ExecStart=[^ ]*|ExecStart=/bin/true|" "$build/dist/mtasts-socketmap.service" >"$service"
cp "${top_srcdir:-.}/dist/mtasts-socketmap.socket" "$work"
is "systemd has nothing to say of them" "$(systemd-analyze verify --man=no "$service" "$work/mtasts-socketmap.socket" 2>&1)" ""
like "the service runs the command" "$(cat "$build/dist/mtasts-socketmap.service")" '^ExecStart=/.*/bin/mtasts socketmap$'
like "the service never listens by itself" "$(cat "$build/dist/mtasts-socketmap.service")" '^Requires=mtasts-socketmap\.socket$'
out=$(systemd-analyze security --offline=true --threshold=20 --no-pager "$service" 2>&1)
is "what it is exposed to: at most 2.0 of 10" "$?" 0
like "what it is exposed to: it is said" "$out" 'Overall exposure level'
# or the helpers could not put up their walls
for call in seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self; do
	like "the helpers may call $call" "$(grep '^SystemCallFilter=[^~]' "$service")" "[= ]$call( |\$)"
done

# Debian's unit of OpenSMTPD, and what we add to it
mkdir "$work/opensmtpd.service.d"
cp "${top_srcdir:-.}/dist/opensmtpd.service.d/mtasts.conf" "$work/opensmtpd.service.d"
printf '%s\n' '[Unit]' 'After=network.target' '[Service]' Type=forking ExecStart=/bin/true >"$work/opensmtpd.service"
is "systemd has nothing to say of the drop-in" "$(systemd-analyze verify --man=no "$work/opensmtpd.service" 2>&1)" ""
sed -i 's/^Restart=.*/Restart=sometimes/' "$work/opensmtpd.service.d/mtasts.conf"
like "and it does look at it" "$(systemd-analyze verify --man=no "$work/opensmtpd.service" 2>&1)" 'sometimes'
tap_done

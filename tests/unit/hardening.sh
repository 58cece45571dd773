#!/bin/bash
# SPDX-License-Identifier: ISC
# What is built says of itself that it is hardened: full RELRO, no executable stack, position
# independent programs.
built=${top_builddir:?}
if [ "${HARDENING:-}" != yes ]; then
	echo "1..0 # SKIP configured without hardening"
	exit 0
fi
files=("$built/lib/.libs/libmtasts.so" "$built/helpers/mtasts-resolve" "$built/helpers/mtasts-fetch")
[ ! -f "$built/cli/.libs/mtasts" ] || files+=("$built/cli/.libs/mtasts")
[ ! -f "$built/opensmtpd/.libs/filter-mtasts" ] || files+=("$built/opensmtpd/.libs/filter-mtasts")
echo "1..${#files[@]}"
i=0
for f in "${files[@]}"; do
	i=$((i + 1))
	missing=()
	readelf -lW "$f" | grep -q GNU_RELRO || missing+=("GNU_RELRO")
	readelf -dW "$f" | grep -qE 'BIND_NOW|FLAGS.* NOW' || missing+=("BIND_NOW")
	readelf -lW "$f" | grep GNU_STACK | grep -q 'RWE' && missing+=("a stack that is not executable")
	readelf -hW "$f" | grep -q 'DYN' || missing+=("PIE")
	if [ ${#missing[@]} -eq 0 ]; then
		echo "ok $i - $(basename "$f")"
	else
		echo "not ok $i - $(basename "$f") lacks ${missing[*]}"
	fi
done

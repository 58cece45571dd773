#!/bin/bash
# SPDX-License-Identifier: ISC
# No layer includes a header of a later one; nothing in lib/ but api.c and the engine's top knows
# more than lib/README says.
order=(base parse cache net tls engine report)
echo "1..${#order[@]}"
lib=${top_srcdir:-.}/lib
for i in "${!order[@]}"; do
	above=$(IFS='|'; echo "${order[*]:i+1}")
	case ${order[i]} in net) above="$above|cache" ;; esac
	bad=
	if [ -n "$above" ]; then
		bad=$(grep -nE "^#include \"($above)/" "$lib/${order[i]}"/*.[ch])
	fi
	if [ -z "$bad" ]; then
		echo "ok $((i + 1)) - ${order[i]}"
	else
		echo "not ok $((i + 1)) - ${order[i]} looks upward"
		printf '# %s\n' "${bad//$'\n'/$'\n# '}"
	fi
done

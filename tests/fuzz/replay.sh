#!/bin/bash
# SPDX-License-Identifier: ISC
# Run every fuzz target over its corpus.
read -ra fuzzers <<<"${FUZZERS:?}"
echo "1..${#fuzzers[@]}"
i=0
for f in "${fuzzers[@]}"; do
	i=$((i + 1))
	if out=$("${top_builddir:?}/tests/fuzz/fuzz_$f" "${top_srcdir:?}/tests/fuzz/corpus-$f" 2>&1); then
		echo "ok $i - $f: $out"
	else
		echo "not ok $i - $f"
		tail -n 20 <<<"$out" | sed 's/^/# /'
	fi
done

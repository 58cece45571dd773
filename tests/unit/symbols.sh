#!/bin/bash
# SPDX-License-Identifier: ISC
# Only mtasts_* leaves the library.
echo 1..1
so=${top_builddir:-.}/lib/.libs/libmtasts.so
others=$(nm -D --defined-only "$so" | awk '$2 != "A" && $3 !~ /^mtasts_/ {print $3}')
count=$(nm -D --defined-only "$so" | grep -c ' mtasts_')
if [ -z "$others" ] && [ "$count" -gt 0 ]; then
	echo "ok 1 - $count symbols, all mtasts_*"
else
	echo "not ok 1 - exported: $others"
fi

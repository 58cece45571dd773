#!/bin/bash
# SPDX-License-Identifier: ISC
# What Exim's plugin shows and wants: its four functions, and nothing of Exim's.
echo 1..2
so=${top_builddir:-.}/exim/.libs/exim.so
shown=$(nm -D --defined-only "$so" | awk '$2 != "A" {print $3}' | sort | tr '\n' ' ')
if [ "$shown" = "mtasts_event mtasts_ignore mtasts_require mtasts_route " ]; then
	echo "ok 1 - four functions"
else
	echo "not ok 1 - exported: $shown"
fi
wanted=$(nm -D --undefined-only "$so" | awk '{print $2}' |
    grep -E '^(expand_string|store_|string_|log_write|deliver_|search_)')
if [ -z "$wanted" ]; then
	echo "ok 2 - no symbol of Exim"
else
	echo "not ok 2 - wanted: $wanted"
fi

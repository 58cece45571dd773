#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The man pages say what the programs do: every key of the configuration is in mtasts.conf(5), every option of a subcommand on its
# page, and nothing else is.
set -u
# shellcheck source=tests/integration/lib/tap.sh
. "${top_srcdir:-.}/tests/integration/lib/tap.sh"
man=${top_srcdir:-.}/man
mtasts=${top_builddir:-.}/cli/mtasts

# keys_of PAGE: the keys that have an item of their own
keys_of() {
	sed -n 's/^\.It Cm \([a-z_]*\)$/\1/p' "$1" | sort
}

# long_of PAGE: the long options that have an item of their own
long_of() {
	grep '^\.It ' "$1" | grep -oE 'Fl -[a-z-]+' | sed 's/Fl -/--/' | sort -u
}

is "mtasts.conf.5: the keys of the table" "$(keys_of "$man/mtasts.conf.5")" "$("$mtasts" config -c /dev/null | sed 's/ =.*//' | sort)"

commands=$("$mtasts" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
is "mtasts.1: the commands" "$(sed -n '/^The commands are/,/^\.El/s/^\.It Cm //p' "$man/mtasts.1" | sort)" "$(sort <<<"$commands")"

# The options that all share have one item on each page, and are told in mtasts.1
common='--config --help --option --verbose'
for command in $commands; do
	page=$man/mtasts-$command.1
	own=$("$mtasts" "$command" --help | grep -oE -- '--[a-z-]+' | sort -u | grep -vxE -- "${common// /|}")
	is "mtasts-$command.1: its options" "$(long_of "$page")" "$own"
	synopsis=$(sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$page")
	missing=
	for option in $own; do
		grep -qE "Fl -${option#--}( |$)" <<<"$synopsis" || missing+=" $option"
	done
	is "mtasts-$command.1: they are in its synopsis" "$missing" ""
	like "mtasts-$command.1: mtasts.1 points at it" "$(sed -n '/^The commands are/,/^\.El/p' "$man/mtasts.1")" "^\.Xr mtasts-$command 1"
done
is "mtasts.1: the options that all share" "$(long_of "$man/mtasts.1")" "$(tr ' ' '\n' <<<"$common --json --version" | grep -v json | sort)"

is "mtasts.3: the calls of the header" "$(sed -n 's/^\.Fn \(mtasts_[a-z_]*\) .*/\1/p' "$man/mtasts.3" | sort -u)" \
	"$(grep -oE '\bmtasts_[a-z_]+\(' "${top_srcdir:-.}/lib/mtasts.h" | grep -vE '_fn\(' | tr -d '(' | sort | uniq | grep -vxE 'mtasts_(log|lookup)_fn')"

if command -v mandoc >/dev/null; then
	for page in "$man"/*.[1-9]; do
		is "$(basename "$page"): mandoc has nothing to warn of" "$(mandoc -Tlint -Wwarning "$page" 2>&1)" ""
	done
else
	diag "no mandoc here: the pages are not linted"
fi
tap_done

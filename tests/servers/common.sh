# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# What the roots of all servers have in common: packages of a suite fetched and unpacked into a directory, source
# packages, and the users and files without which nothing runs there.  Sourced by make, which sets $cache.

arch=$(dpkg --print-architecture)

# What any server of the tests needs around it: a shell and its tools, users, and the libraries of libmtasts and
# its helpers.
tools='base-files base-passwd bash coreutils dash findutils grep libc-bin passwd sed util-linux'
libraries='libidn2-0 libjansson4 libseccomp2 libsqlite3-0 libunbound8'
declare -A renamed=(
	[bookworm]='libcurl4 libmemcached11 libssl3'
	[trixie]='libcurl4t64 libmemcached11t64 libssl3t64'
)

say() {
	printf '%s: %3ds %s\n' "${0##*/}" "$SECONDS" "$*" >&2
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# sources SUITE TYPE: the system's own Debian package sources, for another suite
sources() {
	local f
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -f "$f" ] || continue
		sed -En "s/^deb( .*[ /]debian(-security)?\/? )bookworm/$2\1$1/p" "$f"
	done
}

# sources822 SUITE TYPE: the same for the newer form of the files
sources822() {
	local f
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -f "$f" ] || continue
		awk -v suite="$1" -v type="$2" 'BEGIN { RS = ""; ORS = "\n\n" }
		    /(^|\n)Suites:[ \t]*bookworm/ {
			sub(/(^|\n)Types:[^\n]*/, "\nTypes: " type)
			gsub(/bookworm/, suite)
			sub(/^\n/, "")
			print
		    }' "$f"
	done
}

# apt_dir SUITE: an apt of its own for the suite, whose lists and status are not the system's
apt_dir() {
	local dir=$cache/apt-$1
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	: >"$dir/status"
	sources "$1" deb >"$dir/apt.list"
	sources "$1" deb-src >>"$dir/apt.list"
	sources822 "$1" 'deb deb-src' >"$dir/apt.sources"
	[ -s "$dir/apt.list" ] || [ -s "$dir/apt.sources" ] ||
		die "no Debian bookworm entry in /etc/apt/sources.list or sources.list.d"
	cat >"$dir/apt.conf" <<-END
	Dir::Etc::sourceparts "-";
	Dir::Etc::sourcelist "$dir/apt.$([ -s "$dir/apt.sources" ] && echo sources || echo list)";
	Dir::State "$dir";
	Dir::State::lists "$dir/lists";
	Dir::State::status "$dir/status";
	Dir::Cache "$dir/cache";
	APT::Architecture "$arch";
	APT::Install-Recommends "false";
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Retries "3";
	Binary::apt-get::APT::Keep-Downloaded-Packages "true";
	END
	if [ -z "$(find "$dir/updated" -mmin -240 2>/dev/null)" ]; then
		say "$1: reading the package lists"
		apt_get "$1" update
		touch "$dir/updated"
	fi
}

# apt_get SUITE ARG...
apt_get() {
	local suite=$1
	shift
	APT_CONFIG=$cache/apt-$suite/apt.conf apt-get -qq "$@" </dev/null >&2 ||
		die "apt-get $* failed for $suite"
}

# fresh_lists SUITE APT-GET-ARG...: the command, one at a time, tried twice: what the lists name may have been
# replaced since they were read
fresh_lists() (
	suite=$1
	shift
	exec 8>"$cache/apt-$suite.lock"
	flock 8
	apt_dir "$suite"
	if ! (apt_get "$suite" "$@") 2>/dev/null; then
		rm -f "$cache/apt-$suite/updated"
		apt_dir "$suite"
		apt_get "$suite" "$@"
	fi
)

# unpack SUITE ROOT PACKAGE...: the packages and all they depend on, into ROOT
unpack() {
	local suite=$1 root=$2 uris deb
	shift 2
	say "$suite: fetching packages"
	fresh_lists "$suite" --download-only install "$@"
	uris=$(APT_CONFIG=$cache/apt-$suite/apt.conf apt-get -qq --print-uris --no-download install "$@" 2>/dev/null || :)
	[ -z "$uris" ] || die "$suite: not fetched: $uris"
	mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64"
	for deb in bin sbin lib lib64; do
		ln -sfn usr/$deb "$root/$deb"
	done
	say "$suite: unpacking"
	APT_CONFIG=$cache/apt-$suite/apt.conf apt-get -qq -s install "$@" |
	    awk '$1 == "Inst" { v = $3; sub(/^\(/, "", v); gsub(/:/, "%3a", v); print $2 "_" v "_" }' |
	    while read -r deb; do
		dpkg-deb --fsys-tarfile "$(echo "$cache/apt-$suite/cache/archives/$deb"*.deb)" |
		    tar -x -C "$root" --keep-directory-symlink || die "$suite: cannot unpack $deb"
	    done
}

# source_of SUITE PACKAGE DIRECTORY: the source package, unpacked to DIRECTORY/tree
source_of() {
	local suite=$1 package=$2 dir=$3
	rm -rf "$dir"
	mkdir -p "$dir"
	say "$suite: fetching the source of $package"
	(cd "$dir" && fresh_lists "$suite" source --download-only "$package" &&
	    dpkg-source --no-check -x "$package"_*.dsc tree >/dev/null) || die "no source of $package in $suite"
}

# furnish ROOT [USER:UID:HOME]...: what maintainer scripts would have left behind, as far as a server minds; each
# of the users has a group of his own of the same number
furnish() {
	local root=$1 user uid home
	shift
	cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
	cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
	sed -i 's/:\*:/:x:/' "$root/etc/passwd"
	for user; do
		IFS=: read -r user uid home <<<"$user"
		echo "$user:x:$uid:$uid::$home:/usr/sbin/nologin" >>"$root/etc/passwd"
		echo "$user:x:$uid:" >>"$root/etc/group"
	done
	echo 'alice:x:1000:1000:Alice:/home/alice:/bin/sh' >>"$root/etc/passwd"
	echo 'alice:x:1000:' >>"$root/etc/group"
	sed 's/:.*/:*:19000:0:99999:7:::/' "$root/etc/passwd" >"$root/etc/shadow"
	chmod 640 "$root/etc/shadow"
	chgrp 42 "$root/etc/shadow"
	printf '%s: files\n' passwd group shadow protocols services >"$root/etc/nsswitch.conf"
	echo 'hosts: files dns' >>"$root/etc/nsswitch.conf"
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
	echo sender.example >"$root/etc/mailname"
	install -d -o 1000 -g 1000 "$root/home/alice"
	install -d -m 1777 "$root/tmp"
	install -d "$root/dev" "$root/proc" "$root/sys" "$root/run" "$root/var/lib" "$root/var/log" "$root/var/spool"
	ldconfig -r "$root"
}

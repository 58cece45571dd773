#!/bin/sh
# SPDX-License-Identifier: ISC
# Make configure and the Makefile.in files; needs autoconf, automake, libtool and pkg-config.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux m4
exec autoreconf --install --force --warnings=all

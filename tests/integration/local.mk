# SPDX-License-Identifier: ISC
EXTRA_DIST += %D%/cli.sh %D%/lab.sh %D%/network.sh
EXTRA_DIST += %D%/exim-matrix.sh %D%/exim-holes.sh %D%/exim-debian.sh
EXTRA_DIST += %D%/lib/exim.sh %D%/lib/tap.sh %D%/lib/syslogd.pl tests/servers/exim tests/servers/exim-run

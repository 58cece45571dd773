# SPDX-License-Identifier: ISC
EXTRA_DIST += %D%/cli.sh %D%/lab.sh %D%/network.sh %D%/exim-matrix.sh %D%/exim-holes.sh %D%/exim-debian.sh %D%/exim-routes.sh %D%/exim-faults.sh %D%/exim-bounce.sh
EXTRA_DIST += %D%/singleflight.sh
EXTRA_DIST += %D%/lib/exim.sh %D%/lib/tap.sh %D%/lib/syslogd.pl tests/servers/exim tests/servers/exim-run
EXTRA_DIST += %D%/faults-kill.sh %D%/lib/command.sh

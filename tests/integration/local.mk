# SPDX-License-Identifier: ISC
EXTRA_DIST += %D%/lab.sh

# SPDX-License-Identifier: ISC
EXTRA_DIST += \
	%D%/README %D%/domains %D%/up %D%/down %D%/run %D%/publish %D%/log %D%/selftest \
	%D%/lib/common.sh %D%/lib/make.py %D%/lib/names.py %D%/lib/web.py %D%/lib/table.py %D%/lib/pki.py %D%/lib/events.py \
	%D%/lib/dnsd.py %D%/lib/httpsd.py %D%/lib/smtpd.py %D%/lib/selftest.py

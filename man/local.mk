# SPDX-License-Identifier: ISC
dist_man_MANS += \
	man/mtasts.1 \
	man/mtasts-cache.1 \
	man/mtasts-config.1 \
	man/mtasts-explain.1 \
	man/mtasts-init.1 \
	man/mtasts-lint.1 \
	man/mtasts-lookup.1 \
	man/mtasts-socketmap.1 \
	man/mtasts.3 \
	man/mtasts.conf.5 \
	man/mtasts-fetch.8 \
	man/mtasts-resolve.8 \
	man/mtasts-sendmail.7
if WITH_EXIM
dist_man_MANS += man/mtasts-exim.7
endif
if WITH_OPENSMTPD
dist_man_MANS += man/mtasts-opensmtpd.7
endif

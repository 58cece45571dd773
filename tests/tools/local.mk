# SPDX-License-Identifier: ISC
# Programs of the integration tests; built by `make`, never installed.
noinst_PROGRAMS += tests/tools/netprobe
tests_tools_netprobe_SOURCES = tests/tools/netprobe.c
tests_tools_netprobe_LDADD = $(LAYER_NET)

# an intruder in a helper, from outside
noinst_PROGRAMS += tests/tools/inject
tests_tools_inject_SOURCES = tests/tools/inject.c
check_PROGRAMS += tests/tools/storeput
tests_tools_storeput_SOURCES = tests/tools/storeput.c
tests_tools_storeput_LDADD = $(LAYER_CACHE)

# a kernel without Landlock, seccomp and pidfds
if HAVE_SECCOMP
noinst_PROGRAMS += tests/tools/oldkernel
tests_tools_oldkernel_SOURCES = tests/tools/oldkernel.c
tests_tools_oldkernel_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)
tests_tools_oldkernel_LDADD = $(SECCOMP_LIBS)
endif

# a client of socket maps
EXTRA_DIST += tests/tools/socketmap.py

# a client of mail servers
EXTRA_DIST += tests/tools/smtpclient.py

# the worker of OpenSMTPD's filter behind its walls, and what an intruder in it would try
if WITH_OPENSMTPD
noinst_PROGRAMS += tests/tools/confined
tests_tools_confined_SOURCES = tests/tools/confined.c lib/api.c lib/api.h
tests_tools_confined_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_tools_confined_LDADD = opensmtpd/libconfine.la lib/report/libreport.la lib/engine/libengine.la \
	lib/tls/libtls.la lib/net/libnet.la $(LAYER_CACHE) $(CRYPTO_LIBS)
endif

# filter-mtasts that keeps nobody waiting for minutes: what it makes of answers that come too late is seen in seconds
noinst_PROGRAMS += tests/tools/filter-hasty
tests_tools_filter_hasty_SOURCES = $(opensmtpd_filter_mtasts_SOURCES) \
	$(opensmtpd_libfilter_la_SOURCES) $(opensmtpd_relay_librelay_la_SOURCES)
tests_tools_filter_hasty_CPPFLAGS = $(opensmtpd_filter_mtasts_CPPFLAGS) -DRELAY_HASTY
tests_tools_filter_hasty_CFLAGS = $(opensmtpd_filter_mtasts_CFLAGS)
tests_tools_filter_hasty_LDADD = opensmtpd/libsupervisor.la opensmtpd/libconfine.la opensmtpd/proto/libproto.la loop/libloop.la $(LAYER_NET) lib/libmtasts.la \
	$(SSL_LIBS) $(CRYPTO_LIBS)

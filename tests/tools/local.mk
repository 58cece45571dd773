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

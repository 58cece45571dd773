# SPDX-License-Identifier: ISC
check_PROGRAMS += tests/unit/check_wire
TESTS += tests/unit/check_wire
tests_unit_check_wire_SOURCES = tests/unit/check_wire.c $(UNIT)
tests_unit_check_wire_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_wire_LDADD = $(LAYER_NET) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_address
TESTS += tests/unit/check_address
tests_unit_check_address_SOURCES = tests/unit/check_address.c $(UNIT)
tests_unit_check_address_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_address_LDADD = $(LAYER_NET) $(CHECK_LIBS)

# what check_helper starts in place of the helpers
check_PROGRAMS += tests/unit/fake
tests_unit_fake_SOURCES = tests/unit/fake.c
tests_unit_fake_LDADD = $(LAYER_NET)

check_PROGRAMS += tests/unit/check_helper
TESTS += tests/unit/check_helper
tests_unit_check_helper_SOURCES = tests/unit/check_helper.c $(UNIT) $(NOMEM)
tests_unit_check_helper_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_helper_LDADD = $(LAYER_NET) $(CHECK_LIBS)
tests_unit_check_helper_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

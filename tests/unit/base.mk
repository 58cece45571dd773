# SPDX-License-Identifier: ISC
# Programs that make memory run out add $(NOMEM) and NOMEM_WRAP (tests/unit/local.mk).

check_PROGRAMS += tests/unit/check_span
TESTS += tests/unit/check_span
tests_unit_check_span_SOURCES = tests/unit/check_span.c $(UNIT)
tests_unit_check_span_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_span_LDADD = $(LAYER_BASE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_buf
TESTS += tests/unit/check_buf
tests_unit_check_buf_SOURCES = tests/unit/check_buf.c $(UNIT)
tests_unit_check_buf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_buf_LDADD = $(LAYER_BASE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_clock
TESTS += tests/unit/check_clock
tests_unit_check_clock_SOURCES = tests/unit/check_clock.c $(UNIT)
tests_unit_check_clock_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_clock_LDADD = $(LAYER_BASE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_conf
TESTS += tests/unit/check_conf
tests_unit_check_conf_SOURCES = tests/unit/check_conf.c $(UNIT) $(NOMEM)
tests_unit_check_conf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_conf_LDADD = $(LAYER_BASE) $(CHECK_LIBS)
tests_unit_check_conf_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

check_PROGRAMS += tests/unit/check_domain
TESTS += tests/unit/check_domain
tests_unit_check_domain_SOURCES = tests/unit/check_domain.c $(UNIT)
tests_unit_check_domain_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_domain_LDADD = $(LAYER_BASE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_err
TESTS += tests/unit/check_err
tests_unit_check_err_SOURCES = tests/unit/check_err.c $(UNIT)
tests_unit_check_err_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_err_LDADD = $(LAYER_BASE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_log
TESTS += tests/unit/check_log
tests_unit_check_log_SOURCES = tests/unit/check_log.c $(UNIT)
tests_unit_check_log_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_log_LDADD = $(LAYER_BASE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_mem
TESTS += tests/unit/check_mem
tests_unit_check_mem_SOURCES = tests/unit/check_mem.c $(UNIT) $(NOMEM)
tests_unit_check_mem_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_mem_LDADD = $(LAYER_BASE) $(CHECK_LIBS)
tests_unit_check_mem_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

check_PROGRAMS += tests/unit/check_owner
TESTS += tests/unit/check_owner
tests_unit_check_owner_SOURCES = tests/unit/check_owner.c $(UNIT)
tests_unit_check_owner_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_owner_LDADD = $(LAYER_BASE) $(CHECK_LIBS)

# SPDX-License-Identifier: ISC
STATE = tests/unit/state.c tests/unit/state.h

check_PROGRAMS += tests/unit/check_entry
TESTS += tests/unit/check_entry
tests_unit_check_entry_SOURCES = tests/unit/check_entry.c $(UNIT) $(NOMEM)
tests_unit_check_entry_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_entry_LDADD = $(LAYER_CACHE) $(CHECK_LIBS)
tests_unit_check_entry_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

check_PROGRAMS += tests/unit/check_store
TESTS += tests/unit/check_store
tests_unit_check_store_SOURCES = tests/unit/check_store.c $(STATE) $(UNIT)
tests_unit_check_store_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_check_store_LDADD = $(LAYER_CACHE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_store_files
TESTS += tests/unit/check_store_files
tests_unit_check_store_files_SOURCES = tests/unit/check_store_files.c $(STATE) $(UNIT)
tests_unit_check_store_files_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_check_store_files_LDADD = $(LAYER_CACHE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_store_processes
TESTS += tests/unit/check_store_processes
tests_unit_check_store_processes_SOURCES = tests/unit/check_store_processes.c $(STATE) $(UNIT)
tests_unit_check_store_processes_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_check_store_processes_LDADD = $(LAYER_CACHE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_store_damage
TESTS += tests/unit/check_store_damage
tests_unit_check_store_damage_SOURCES = tests/unit/check_store_damage.c $(STATE) $(UNIT)
tests_unit_check_store_damage_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_check_store_damage_LDADD = $(LAYER_CACHE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_store_memory
TESTS += tests/unit/check_store_memory
tests_unit_check_store_memory_SOURCES = tests/unit/check_store_memory.c $(STATE) $(UNIT) $(NOMEM)
tests_unit_check_store_memory_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_check_store_memory_LDADD = $(LAYER_CACHE) $(CHECK_LIBS)
tests_unit_check_store_memory_LDFLAGS = $(AM_LDFLAGS) $(NOMEM_WRAP)

check_PROGRAMS += tests/unit/check_store_mount
TESTS += tests/unit/check_store_mount
tests_unit_check_store_mount_SOURCES = tests/unit/check_store_mount.c $(STATE) $(UNIT)
tests_unit_check_store_mount_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_check_store_mount_LDADD = $(LAYER_CACHE) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_store_peek
TESTS += tests/unit/check_store_peek
tests_unit_check_store_peek_SOURCES = tests/unit/check_store_peek.c $(STATE) $(UNIT)
tests_unit_check_store_peek_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_check_store_peek_LDADD = $(LAYER_CACHE) $(CHECK_LIBS)

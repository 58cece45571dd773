# SPDX-License-Identifier: ISC
SCENARIOS = tests/scenario/table.scn tests/scenario/rfc8461.scn tests/scenario/cache.scn \
	tests/scenario/network.scn tests/scenario/flight.scn
EXTRA_DIST += tests/scenario/README $(SCENARIOS)
check_PROGRAMS += tests/scenario/run_scenario
tests_scenario_run_scenario_SOURCES = tests/scenario/run_scenario.c tests/scenario/world.c \
	tests/scenario/world.h
tests_scenario_run_scenario_LDADD = $(LAYER_ENGINE)
TEST_EXTENSIONS += .scn
SCN_LOG_DRIVER = $(LOG_DRIVER)
SCN_LOG_COMPILER = $(top_builddir)/tests/scenario/run_scenario
TESTS += $(SCENARIOS)

# SPDX-License-Identifier: ISC
include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/scenario/local.mk
include tests/integration/local.mk

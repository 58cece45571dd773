# SPDX-License-Identifier: ISC
eximdir = $(pkgdatadir)/exim
exim_includes = %D%/main.inc %D%/router.inc %D%/transport.inc
nodist_exim_DATA = $(exim_includes)
EXTRA_DIST += %D%/README $(exim_includes:=.in)
CLEANFILES += $(exim_includes)

$(exim_includes): $(exim_includes:=.in) %D%/local.mk
	$(AM_V_GEN)$(MKDIR_P) %D% && sed -e 's|@pkglibdir[@]|$(pkglibdir)|g' -e 's|@pkgdatadir[@]|$(pkgdatadir)|g' \
	    $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@

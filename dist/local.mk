# SPDX-License-Identifier: ISC
# For packages: accounts and directories in systemd's forms (`mtasts init` makes the same).
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
nodist_sysusers_DATA = dist/sysusers.d/mtasts.conf
nodist_tmpfiles_DATA = dist/tmpfiles.d/mtasts.conf
DIST_EDIT = sed -e 's|@statedir[@]|$(localstatedir)/lib/mtasts|g' -e 's|@helper_user[@]|$(helper_user)|g'
dist/sysusers.d/mtasts.conf: dist/sysusers.in Makefile
	$(AM_V_GEN)$(MKDIR_P) dist/sysusers.d && $(DIST_EDIT) $(srcdir)/dist/sysusers.in >$@
dist/tmpfiles.d/mtasts.conf: dist/tmpfiles.in Makefile
	$(AM_V_GEN)$(MKDIR_P) dist/tmpfiles.d && $(DIST_EDIT) $(srcdir)/dist/tmpfiles.in >$@
EXTRA_DIST += dist/sysusers.in dist/tmpfiles.in
CLEANFILES += dist/sysusers.d/mtasts.conf dist/tmpfiles.d/mtasts.conf

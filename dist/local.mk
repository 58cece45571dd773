# SPDX-License-Identifier: ISC
# For packages: accounts and directories in systemd's forms (`mtasts init` makes the same).
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
nodist_sysusers_DATA = dist/sysusers.d/mtasts.conf
nodist_tmpfiles_DATA = dist/tmpfiles.d/mtasts.conf
# The socket map server's units.
systemunitdir = $(prefix)/lib/systemd/system
nodist_systemunit_DATA = dist/mtasts-socketmap.service
dist_systemunit_DATA = dist/mtasts-socketmap.socket
DIST_EDIT = sed -e 's|@statedir[@]|$(localstatedir)/lib/mtasts|g' -e 's|@helper_user[@]|$(helper_user)|g' \
	-e 's|@bindir[@]|$(bindir)|g'
dist/sysusers.d/mtasts.conf: dist/sysusers.in Makefile
	$(AM_V_GEN)$(MKDIR_P) dist/sysusers.d && $(DIST_EDIT) $(srcdir)/dist/sysusers.in >$@
dist/tmpfiles.d/mtasts.conf: dist/tmpfiles.in Makefile
	$(AM_V_GEN)$(MKDIR_P) dist/tmpfiles.d && $(DIST_EDIT) $(srcdir)/dist/tmpfiles.in >$@
dist/mtasts-socketmap.service: dist/mtasts-socketmap.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) dist && $(DIST_EDIT) $(srcdir)/dist/mtasts-socketmap.service.in >$@
EXTRA_DIST += dist/mtasts-socketmap.service.in dist/sysusers.in dist/tmpfiles.in
CLEANFILES += dist/mtasts-socketmap.service dist/sysusers.d/mtasts.conf dist/tmpfiles.d/mtasts.conf

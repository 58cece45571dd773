#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# usage: syslogd.pl SOCKET FILE: what comes in at SOCKET as syslog(3) sends it, a line a message, "<priority>text", in FILE
use strict;
use warnings;
use IO::Handle;
use IO::Socket::UNIX;

my ($path, $file) = @ARGV;
unlink $path;
umask 0;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path) or die "$path: $!\n";
open(my $log, '>>', $file) or die "$file: $!\n";
$log->autoflush(1);
print "ready\n";
close(STDOUT);
my $message;
while (defined $socket->recv($message, 65536)) {
	$message =~ s/[\n\0]+$//;
	print $log "$message\n";
}

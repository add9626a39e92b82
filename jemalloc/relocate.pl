#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# relocate.pl OBJECT SYMBOL - give each direct branch to SYMBOL a relocation
#
# An assembler resolves a branch within one section by itself; nobody can then
# put another function in SYMBOL's place at link time. This appends to the
# section's relocations what the assembler left out. ELF64, little endian,
# x86-64 and aarch64. Environment: OBJDUMP.
use strict;
use warnings;

my ($path, $symbol) = @ARGV;
my $objdump = $ENV{OBJDUMP} || 'objdump';

open(my $in, '+<:raw', $path) or die "$path: $!\n";
my $elf = do { local $/; <$in> };
substr($elf, 0, 6) eq "\x7fELF\x02\x01" or die "$path: not ELF64 LE\n";
my ($machine) = unpack('v', substr($elf, 18, 2));
my ($shoff) = unpack('Q<', substr($elf, 40, 8));
my ($shentsize, $shnum, $shstrndx) = unpack('v3', substr($elf, 58, 6));

# name type flags addr offset size link info addralign entsize
my @sections = map {
	[ unpack('V2Q<4V2Q<2', substr($elf, $shoff + $_ * $shentsize, 64)) ]
} 0 .. $shnum - 1;
sub bytes { substr($elf, $_[0][4], $_[0][5]) }
sub name { unpack('Z*', substr($_[0], $_[1])) }
my $names = bytes($sections[$shstrndx]);

my ($text) = grep { name($names, $sections[$_][0]) eq '.text' } 0 .. $#sections;
my ($rela) = grep { $sections[$_][1] == 4 && $sections[$_][7] == $text }
	0 .. $#sections;
my $symtab = $sections[$sections[$rela][6]];
my $strings = bytes($sections[$symtab->[6]]);
my @symbols = map { name($strings, unpack('V', $_)) }
	unpack('(a24)*', bytes($symtab));
my ($index) = grep { $symbols[$_] eq $symbol } 0 .. $#symbols;
defined $index or die "$path: no symbol $symbol\n";

# Where objdump sees a branch whose target is the symbol, and no relocation.
my ($new, $found, $section) = ('', 0, '');
my @lines = split /\n/, `$objdump -dr '$path'`;
for my $i (0 .. $#lines) {
	$section = $1 if $lines[$i] =~ /^Disassembly of section (.*):/;
	next if $section ne '.text' or $lines[$i] !~
		/^\s*([0-9a-f]+):\s+((?:[0-9a-f]{2} )+|[0-9a-f]{8})\s*(\w+)\s.*<\Q$symbol\E>$/;
	my ($at, $code, $insn) = (hex $1, $2, $3);
	next if ($lines[$i + 1] // '') =~ /:\s+R_/;
	$code =~ s/ //g;
	my ($skip, $type, $addend);
	if ($machine == 62 && $code =~ /^(e[89])/) {
		($skip, $type, $addend) = (1, 4, -4);	# R_X86_64_PLT32
	} elsif ($machine == 62 && $code =~ /^0f8/) {
		($skip, $type, $addend) = (2, 4, -4);
	} elsif ($machine == 183 && $insn eq 'b') {
		($skip, $type, $addend) = (0, 282, 0);	# R_AARCH64_JUMP26
	} elsif ($machine == 183 && $insn eq 'bl') {
		($skip, $type, $addend) = (0, 283, 0);	# R_AARCH64_CALL26
	} else {
		die "$path: cannot relocate '$insn' at $1\n";
	}
	$new .= pack('Q<Q<q<', $at + $skip, $index << 32 | $type, $addend);
	$found++;
}
$found or die "$path: no direct branch to $symbol\n";

# The grown table goes to the end of the file; its header points there.
my $table = bytes($sections[$rela]) . $new;
$elf .= "\0" x (-length($elf) & 7);
substr($elf, $shoff + $rela * $shentsize + 24, 16) =
	pack('Q<2', length($elf), length($table));
$elf .= $table;
seek($in, 0, 0);
print $in $elf;
close($in) or die "$path: $!\n";

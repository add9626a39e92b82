#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# check-format.sh check-format | format
#
# Compares every C file with what clang-format 14 makes of it, except for the
# amount of space inside a line: columns of comments, macros and values are laid
# out by hand. "format" rewrites the lines that differ, and only those.
# Environment: CLANG_FORMAT, top_srcdir.
set -u
cd "${top_srcdir:-$(dirname "$0")/..}" || exit 99
case ${CLANG_FORMAT:-no} in no) CLANG_FORMAT=clang-format-14 ;; esac
case $("$CLANG_FORMAT" --version 2>/dev/null) in
*"version 14."*) ;;
*) echo "clang-format 14 is needed (Debian: clang-format-14)" >&2; exit 77 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

squeeze() {	# keeps the indent, one space for any other run
	perl -pe 'my ($in, $rest) = /^(\s*?)(\S.*?)?\s*$/; $rest //= "";
		$rest =~ s/\s+/ /g; $_ = $rest eq "" ? "\n" : "$in$rest\n"'
}

# The source with the hunks that differ taken from clang-format's text.
merge() {
	diff "$work/has" "$work/wants" | perl -ne '
		BEGIN {
			open my $s, "<", $ARGV[0] or die; @s = <$s>;
			open my $f, "<", $ARGV[1] or die; @f = <$f>;
			@ARGV = (); $at = 0;
		}
		next unless /^(\d+)(?:,(\d+))?([acd])(\d+)(?:,(\d+))?$/;
		my ($a, $b, $op, $c, $d) = ($1, $2 // $1, $3, $4, $5 // $4);
		my $upto = $op eq "a" ? $a : $a - 1;
		print @s[$at .. $upto - 1] if $upto > $at;
		print @f[$c - 1 .. $d - 1] if $op ne "d";
		$at = $op eq "a" ? $a : $b;
		END { print @s[$at .. $#s] }' "$1" "$work/formatted"
}

for f in $(find src include tools tests jemalloc bench examples -name '*.[ch]' \
	! -path '*/work/*' | LC_ALL=C sort); do
	"$CLANG_FORMAT" "$f" >"$work/formatted" || exit 99
	squeeze <"$f" >"$work/has"
	squeeze <"$work/formatted" >"$work/wants"
	cmp -s "$work/has" "$work/wants" && continue
	if [ "${1-}" = format ]; then
		merge "$f" >"$work/merged" && cat "$work/merged" >"$f"
		echo "formatted $f"
	else
		diff -u --label "$f" --label "$f, formatted" \
			"$work/has" "$work/wants"
		bad=1
	fi
done
[ $bad = 0 ] || echo "make format rewrites these lines"
exit $bad

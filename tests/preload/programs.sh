# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# programs.sh - a program's stdout and exit status are the same with us
#
# For the programs_*.tap scripts, after lib.sh.

CONFIGS=${PRELOAD_CONFIGS:-ddr cxl tiny}
limit=120

# unchanged NAME SCRIPT: the script, by a preloaded sh in an empty folder that
# has the same name each time, against the same without a preload. Its stderr
# may not speak of us either.
unchanged()
{
	for config in none $CONFIGS; do
		rm -rf "$tmp/work"
		mkdir "$tmp/work"
		(cd "$tmp/work" && preload $config sh -c "$2" \
			>"$tmp/stdout.$config" 2>"$tmp/stderr.$config" \
			</dev/null)
		echo "exit status $?" >>"$tmp/stdout.$config"
		if [ $config = none ]; then
			[ -s "$tmp/stdout.none" ] &&
			tail -n 1 "$tmp/stdout.none" | grep -qx 'exit status 0' &&
				continue
			not_ok "$1 works at all" "$tmp/stderr.none"
			return
		fi
		if cmp -s "$tmp/stdout.none" "$tmp/stdout.$config" &&
		   ! grep -Eq 'cxlmalloc|ld\.so' "$tmp/stderr.$config"; then
			ok "[$config] $1"
			continue
		fi
		{
			diff -a "$tmp/stdout.none" "$tmp/stdout.$config"
			echo "--- stderr"
			cat "$tmp/stderr.$config"
		} >"$tmp/difference" 2>&1
		not_ok "[$config] $1" "$tmp/difference"
	done
}

# needs PROGRAM NAME: a program that is not there skips one check, not the rest
needs()
{
	command -v "$1" >/dev/null && return 0
	skip "$2" "no $1 here"
	return 1
}

# 60,000 lines of words and numbers, always the same
make_text()
{
	awk 'BEGIN {
		x = 42
		for (i = 0; i < 60000; i++) {
			line = ""
			for (j = 0; j < 6; j++) {
				x = (x * 16807) % 2147483647
				line = line sprintf("%s%d ", \
					substr("alphabetagammadelta", x % 14 + 1, \
					       x % 5 + 1), x % 9973)
			}
			print line i
		}
	}' >"$tmp/text"
	text=$tmp/text
	export text
}

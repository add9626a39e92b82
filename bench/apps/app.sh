# SPDX-License-Identifier: BSD-2-Clause
#
# app.sh - what the columns that are applications share; sourced by bash
#
#	bench/apps/NAME SPAWN OPERATIONS [NAME=VALUE]...
#
# Each of them prints what bench/work and bench/spawn print: a line
# "OPERATIONS WALL_NS CPU_NS PATH", PATH being the file malloc is from, and the
# application's "spawn" line. An answer other than glibc's is a failure.
app=$(basename "$0")
here=$(cd "$(dirname "$0")" && pwd) || exit
die() { echo "bench/apps/$app: $*" >&2; exit 1; }
[ $# -ge 2 ] || die "usage: $app SPAWN OPERATIONS [NAME=VALUE]..."
spawn=$1 operations=$2
shift 2
environment=("$@")
# What need not be made again for each cell.
kept=$(dirname "$spawn")/apps
mkdir -p "$kept"
work=$(mktemp -d) || exit
server=
leave() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM

# needs COMMAND...
needs() {
	local command
	for command; do
		command -v "$command" >/dev/null || die "no $command here"
	done
}

# digest FILE...
digest() { cat "$@" | sha1sum | cut -d ' ' -f 1; }

# malloc_of PROGRAM ARGUMENT... - the file to which the loader binds malloc. A
# run of its own, not the timed one, because telling costs. A program at a fixed
# address gives other files its own stub for malloc, which is bound like theirs.
malloc_of() {
	local program
	program=$(realpath "$(command -v "$1")")
	env "${environment[@]}" LD_DEBUG=bindings LD_DEBUG_OUTPUT="$work/bindings" \
		"$@" </dev/null >/dev/null 2>&1
	sed -n "s/.*binding file .* to \\(\\/[^ ]*\\) .*symbol .malloc'.*/\\1/p" \
		"$work"/bindings.* | xargs realpath | sort -u |
		grep -vxF "$program" >"$work/from"
	[ "$(wc -l <"$work/from")" = 1 ] ||
		die "malloc is from $(tr '\n' ' ' <"$work/from")"
	cat "$work/from"
}

# once NAME INPUT COMMAND... - the COMMAND's output, as a file that is made the
# first time this INPUT (any text) is seen
once() {
	local file
	file=$kept/$1-$(digest <<<"$2")
	shift 2
	if [ ! -f "$file" ]; then
		"$@" >"$file.$$" || { rm -f "$file.$$"; return 1; }
		mv "$file.$$" "$file"
	fi
	echo "$file"
}

# as_glibc ANSWER INPUT COMMAND... - is the digest of the file ANSWER what
# COMMAND prints with glibc's malloc?
as_glibc() {
	local answer=$1 input_id=$2 expected
	shift 2
	expected=$(once "$app-answer" "$input_id" "$@") || die "glibc's run failed"
	cmp -s "$answer" "$expected" ||
		die "the answer is not glibc's: $(cmp "$answer" "$expected" 2>&1)"
}

# version FILE... - changes when one of the files does
version() { stat -L -c '%n %s %Y' "$@"; }

# run_program OPERATIONS COMMAND... - run it with the input on stdin, hold its
# output against glibc's, and print the two lines
run_program() {
	local n=$1 line wall cpu from
	shift
	from=$(malloc_of "${asking[@]}") || exit
	"$spawn" "${environment[@]}" -- "$@" <"$input" >"$work/out" 2>"$work/errors" ||
		die "status $?: $(tail -n 1 "$work/errors")"
	line=$(tail -n 1 "$work/out")
	sed '$d' "$work/out" >"$work/answer"
	as_glibc "$work/answer" "$(version "${made_of[@]}"; echo "$*" "$operations")" \
		plain_run "$@"
	read -r _ wall cpu _ <<<"$line"
	echo "$n $wall $cpu $from"
	echo "$line"
}
plain_run() { "$@" <"$input"; }

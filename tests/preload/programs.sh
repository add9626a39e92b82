# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# programs.sh - a program's stdout and exit status are the same with us, and its
# heap is where the policy says
#
# For the programs_*.tap scripts, after lib.sh.

command -v jq >/dev/null || skip_all "no jq to read the reports"
CONFIGS=${PRELOAD_CONFIGS:-${PROGRAM_CONFIGS:-ddr cxl tiny both over}}
limit=120
reports=$tmp/reports

# reporting CONFIG: its settings, with one report per process in $reports
reporting()
{
	_conf=$(conf_of "$1")
	echo "${_conf:+$_conf,}stats_print=true,stats_format=json,stats_file=$reports"
}

# What holds in every report of a configuration; $ddr and $cxl are its tiers.
# A tier that was never needed has handed out nothing. Where there is a limit
# the kernel's own count of the tier's pages keeps to it as well.
# shellcheck disable=SC2016	# the dollars are jq's
held_by()
{
	_all='.state == "tiered"'
	_within='.over_peak == 0 and .peak <= .limit and
		([.resident[]] | add // 0) <= .limit + .mapped'
	case $1 in
	ddr)	echo "$_all and \$cxl.allocs == 0 and \$cxl.peak == 0" ;;
	cxl)	echo "$_all and \$ddr.allocs == 0 and \$ddr.peak == 0" ;;
	tiny)	echo "$_all and (\$ddr | $_within) and \$cxl.over_peak == 0" ;;
	both)	echo "$_all and (\$ddr | $_within) and (\$cxl | $_within)" ;;
	over)	echo "$_all and (\$ddr | $_within) and
			(\$cxl | .peak <= .limit + .over_peak)" ;;
	*)	echo true ;;
	esac
}

# heap_held CONFIG [BYTES [PID]]: by every process that reported (or by PID,
# which reported once), and one of them had BYTES committed at its peak.
# Otherwise it prints what says no.
heap_held()
{
	jq -es --argjson least "${2:-1}" --argjson pid "${3:-0}" '
		map(.tiers[0] as $ddr | .tiers[1] as $cxl | . + {
			held: ('"$(held_by "$1")"'), high: ($ddr.peak + $cxl.peak) }) |
		map(select($pid == 0 or .pid == $pid)) |
		if all(.[]; .held) and any(.[]; .high >= $least) and
		    ($pid == 0 or length == 1) then true
		else map(select(.held | not)), "of \(length), the highest \(
			map(.high) | max), wanted \($least)", false end' "$reports"
}

# unchanged NAME SCRIPT [BYTES]: the script, by a preloaded sh in an empty folder
# that has the same name each time, against the same without a preload. Its
# stderr may not speak of us either. BYTES: see heap_held.
unchanged()
{
	for config in none $CONFIGS; do
		rm -rf "$tmp/work" "$reports"
		mkdir "$tmp/work"
		_how=none
		[ $config = none ] || _how=$(reporting $config)
		(cd "$tmp/work" && preload "$_how" sh -c "$2" \
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
		   ! grep -Eq 'cxlmalloc|ld\.so' "$tmp/stderr.$config" &&
		   heap_held $config "${3:-1}" >"$tmp/jq.out" 2>&1; then
			ok "[$config] $1"
			continue
		fi
		{
			diff -a "$tmp/stdout.none" "$tmp/stdout.$config"
			echo "--- stderr"
			cat "$tmp/stderr.$config"
			echo "--- heap"
			cat "$tmp/jq.out"
		} >"$tmp/difference" 2>&1
		not_ok "[$config] $1" "$tmp/difference"
	done
}

# --- servers: one at a time, on a Unix socket, so that no port can be taken

# wait_for COMMAND...: until it succeeds, at most 20 s
wait_for()
{
	_tries=400
	until "$@" >/dev/null 2>&1; do
		_tries=$((_tries - 1))
		[ $_tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# start CONFIG PROGRAM...: in the background; its pid in $server
start()
{
	_how=$1
	shift
	rm -f "$reports"
	if [ "$_how" = none ]; then
		"$@" >"$tmp/server.log" 2>&1 &
	else
		env LD_PRELOAD="$lib" CXLMALLOC_CONF="$(reporting "$_how")" \
			"$@" >"$tmp/server.log" 2>&1 &
	fi
	server=$!
	pids="$pids $server"
}

# ended NAME: the server left by itself, with status 0
ended()
{
	wait $server
	_status=$?
	pids=
	if [ $_status = 0 ]; then
		ok "$1"
	else
		echo "exit status $_status" >>"$tmp/server.log"
		not_ok "$1" "$tmp/server.log"
	fi
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

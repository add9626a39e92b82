# SPDX-License-Identifier: BSD-2-Clause
#
# stages.sh - what ./demo and ./check share; sourced by bash in the tree's root
#
# A stage is a named command with a log in build/logs; its counts come from the
# test results in the directory it names, or are the stage itself.
build=$PWD/build
logs=$build/logs
jobs=$(nproc)
mkdir -p "$logs"

passed=0 failed=0 skipped=0
rows=()
declare -A behind	# stages that run already: their processes

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

can_be_root() {
	[ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

# missing_packages PURPOSE... - names from build-aux/packages whose probe fails
missing_packages() {
	local package probe purpose rest
	while read -r package probe purpose rest; do
		case $package in '#'*|'') continue ;; esac
		case " $* " in *" $purpose "*) ;; *) continue ;; esac
		case $probe in
		/*) compgen -G "$probe" >/dev/null && continue ;;
		*) command -v "$probe" >/dev/null && continue ;;
		esac
		echo "$package"
	done <build-aux/packages | sort -u
}

# A package that brings a server must not start it on the user's machine: dpkg
# asks policy-rc.d, which is ours only while we install and if there is none.
apt_install='
	set -e
	export DEBIAN_FRONTEND=noninteractive
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		printf "#!/bin/sh\nexit 101\n" >$policy
		chmod +x $policy
		trap "rm -f $policy" EXIT
	fi
	apt-get -q update || echo "apt-get update failed, using the lists there are"
	have=
	for p in "$@"; do
		if apt-cache show "$p" >/dev/null 2>&1; then
			have="$have $p"
		else
			echo "no package $p in this distribution"
		fi
	done
	[ -z "$have" ] || apt-get -q -y --no-install-recommends install $have'

# need_packages PURPOSE... - install what is missing, or say how and stop
need_packages() {
	local missing
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	if ! command -v apt-get >/dev/null || ! can_be_root; then
		echo "Some packages are missing and this is not root. Run once:"
		echo "  sudo apt-get update && sudo apt-get install -y" \
			"--no-install-recommends" $missing
		exit 1
	fi
	as_root sh -c "$apt_install" sh $missing
}

get_jemalloc() {
	jemalloc/fetch || need_packages source
}

# configure_in DIRECTORY [FLAG...] - only when what it would find has changed
configure_in() {
	local dir=$1 key
	shift
	[ -x configure ] && ! [ configure.ac -nt configure ] || ./autogen.sh ||
		return
	mkdir -p "$dir"
	key="$* $(cksum <configure) $(jemalloc/find) without $(
		missing_packages build check full)"
	[ "$(cat "$dir/configured" 2>/dev/null)" = "$key" ] &&
		[ -f "$dir/Makefile" ] && return
	(cd "$dir" && "$build/../configure" "$@") && echo "$key" >"$dir/configured"
}

# built_in DIRECTORY [FLAG...] - make does not see that flags changed, we do
built_in() {
	local flags
	configure_in "$@" || return
	flags=$(grep -h FLAGS Makefile.am */Makefile.inc | cksum)
	if [ "$(cat "$1/flags" 2>/dev/null)" != "$flags" ]; then
		make -C "$1" -s clean && echo "$flags" >"$1/flags" || return
	fi
	make -C "$1" -j"$jobs"
}

# results DIRECTORY - what make check left there, not in builds below it
results() {
	find "$1/tests" "$1/build-aux" "$1/man" -name '*.trs' 2>/dev/null
}

# tested_in DIRECTORY [FLAG...] - old results never count for this run
tested_in() {
	built_in "$@" || return
	rm -f $(results "$1")
	make -C "$1" -j"$jobs" check
}

# count_results DIRECTORY - adds its *.trs to the totals; words in $counts
count_results() {
	local p f s
	read -r p f s < <(cat /dev/null $(results "$1") | awk '
		/^:test-result: (PASS|XFAIL)/ { p++ }
		/^:test-result: (FAIL|ERROR|XPASS)/ { f++ }
		/^:test-result: SKIP/ { s++ }
		END { print p + 0, f + 0, s + 0 }')
	counts="$p passed, $f failed, $s skipped"
	((passed += p, failed += f, skipped += s))
	[ "$f" = 0 ]
}

# what_failed LOG... - failed checks with what they say of it: "# " lines behind
what_failed() {
	awk 'FNR == 1 { on = 0 }
		/^not ok / { on = 20; name = FILENAME; sub(/.*\//, "", name)
			     print name ": " $0; next }
		on && /^#/ { on--; print substr($0, 1, 300); next }
		{ on = 0 }' "$@" </dev/null
}

# start NAME COMMAND... - runs behind other stages; the stage of that name waits for it
start() {
	local name=$1
	shift
	("$@") >"$logs/$name.log" 2>&1 </dev/null &
	behind[$name]=$!
}

# stage NAME [-d DIRECTORY] COMMAND... - run, time, count; status is the command's
# (77: cannot be done here). -d: its test results are there.
stage() {
	local name=$1 dir= start=$SECONDS status result counts=
	shift
	[ "$1" != -d ] || { dir=$2; shift 2; }
	printf '%-14s ' "$name"
	if [ -n "${behind[$name]:-}" ]; then
		wait "${behind[$name]}"
	else
		("$@") >"$logs/$name.log" 2>&1 </dev/null
	fi
	status=$?
	case $status in
	0) result=ok ;;
	77) result="not here: $(tail -n 1 "$logs/$name.log")" ;;
	*) result=FAILED ;;
	esac
	if [ -n "$dir" ] && [ $status != 77 ]; then
		# A failed build has no results of its own to show it.
		count_results "$dir" && [ $status != 0 ] && ((failed++))
		result="$result ($counts)"
	elif [ $status = 0 ]; then
		((passed++))
	elif [ $status = 77 ]; then
		((skipped++))
	else
		((failed++))
	fi
	printf '%5d s  %s\n' $((SECONDS - start)) "$result"
	rows+=("$(printf '%-14s %5d  %s' "$name" $((SECONDS - start)) "$result")")
	if [ "$result" != "${result#FAILED}" ]; then
		grep -hE '^(FAIL:|ERROR:|XPASS:|not ok )' "$logs/$name.log" | head -n 40
		what_failed "$logs/$name.log" $(results "${dir:-$logs}" |
			sed 's/trs$/log/') | head -n 60
		echo "--- end of build/logs/$name.log"
		tail -n 15 "$logs/$name.log"
		echo "---"
	fi
	return $status
}

not_run() {
	((skipped++))
	rows+=("$(printf '%-14s %5s  %s' "$1" - "not run: $2")")
}

# The table and the last line come out however the script ends.
summary() {
	local status=$?
	printf '\n%-14s %5s  %s\n' stage secs result
	printf '%s\n' "${rows[@]}"
	printf '%-14s %5d\n\n' total $SECONDS
	[ $status = 0 ] || ((failed)) || failed=1
	echo "$passed passed, $failed failed, $skipped skipped"
	((failed == 0)) || exit 1
	exit $status
}

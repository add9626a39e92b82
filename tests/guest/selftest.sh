#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# selftest.sh: proves the guest rig itself. One line `ok` or `not ok` for each check, then the
# count; exit status 0 when all are ok, 1 when not, 77 when no guest can be had here.

set -u -o pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
run=$here/run
. "$here/cache.sh"

"$here/fetch" || exit 77
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
# Where `run` puts its own files: empty again after each guest.
mkdir "$work/tmp" "$work/shared"
export TMPDIR=$work/tmp

# record TEXT: results are kept in a file, for the count at the end.
record() {
    printf '%s\n' "$1" | tee -a "$work/results"
}

# check WHAT EXPECTED ACTUAL
check() {
    if [[ $2 == "$3" ]]; then
        record "ok - $1"
    else
        record "not ok - $1: expected \"$2\", got \"$3\""
    fi
}

# drawing TOPOLOGY: what its file opens with, without the marks of comments.
drawing() {
    sed -n '3,${ /^#/!q; s/^# \{0,1\}//; p; }' "$here/topologies/$1"
}

drawings_are_shown() {
    local topology guide=$here/../../docs/GUEST.md
    for topology in $(cd "$here/topologies" && printf '%s\n' *); do
        if [[ $(<"$guide") == *"$(drawing "$topology")"* ]]; then
            record "ok - docs/GUEST.md shows $topology"
        else
            record "not ok - docs/GUEST.md shows $topology: not as its file draws it"
        fi
    done
}

# status_of COMMAND [ARGUMENT]...: its output goes to out and err.
status_of() {
    "$@" >"$work/out" 2>"$work/err" </dev/null
    printf '%d' $?
}

# qemu_works: yes or no, does a process still work for a run of ours? (The pattern is written
# so that grep does not find itself.)
qemu_works() {
    if grep -qsaE "$work/tmp/[c]xlmalloc-guest" /proc/[0-9]*/cmdline; then echo yes; else echo no; fi
}

check_nothing_left() {
    check "$1: a qemu left" no "$(qemu_works)"
    check "$1: no file left" '' "$(ls "$work/tmp")"
}

bad_arguments() {
    local what=$1 line=$2
    shift 2
    check "$what: status" 2 "$(status_of "$run" "$@")"
    check "$what: message" "$line" "$(<"$work/err")"
}

refusals() {
    local names
    names=$(cd "$here/topologies" && printf '%s\n' * | one_line)
    check 'list of the topologies' "$names" "$("$run" -l | awk '{ print $1 }' | one_line)"
    bad_arguments 'unknown topology' "run: -t nine: must be one of: $names" -t nine -- true
    bad_arguments 'unknown kernel' "run: -k 5.4: must be one of: $(kernel_versions | one_line)" -k 5.4 -- true
    bad_arguments 'bad time limit' 'run: -T 1m: must be a whole number of seconds, 1 to 99999' -T 1m -- true
    bad_arguments 'bad variable' 'run: -e 1=2: must be NAME=VALUE' -e 1=2 -- true
    bad_arguments 'no such directory' "run: -w $work/none: must be a directory that you may write" \
        -w "$work/none" -- true
    bad_arguments 'no command' 'run: no command; see run -h' -t flat
}

streams() {
    head -c 8M /dev/urandom >"$work/data"
    check 'status 0' 0 "$(status_of "$run" -t flat -- cat "$work/data")"
    check '8 MiB of output are unharmed' "$(md5sum <"$work/data")" "$(md5sum <"$work/out")"
    check 'nothing on stderr' '' "$(<"$work/err")"
    check_nothing_left 'after an ordinary end'
}

arguments_and_files() {
    local script='printf "%s|" "$PWD" "$VARIABLE" "$@"; echo aside >&2
        echo back >"$SHARED/file"; echo dropped >"$SHARED/../file"; exit 1'
    check 'status 1' 1 "$(status_of "$run" -t flat -e "SHARED=$work/shared" -e "VARIABLE=a 'b' \$c" \
        -w "$work/shared" -- bash -c "$script" name 'two  words' $'two\nlines' '')"
    check 'directory, variable, arguments' "$PWD|a 'b' \$c|two  words|"$'two\nlines||' "$(<"$work/out")"
    check 'stderr is apart' aside "$(<"$work/err")"
    check 'a file in a shared directory comes back' back "$(cat "$work/shared/file")"
    check 'a file elsewhere is dropped' no "$([[ -e $work/file ]] && echo yes || echo no)"
}

statuses() {
    check 'no such program' 127 "$(status_of "$run" -t flat -- ./no-such-program)"
    check 'killed by SIGKILL, a child left behind' 137 \
        "$(status_of "$run" -t flat -- sh -c 'sleep 100 & echo said; kill -9 $$')"
    check 'what it said before is there' said "$(<"$work/out")"
    check 'time limit' 124 "$(status_of "$run" -t flat -T 20 -- sh -c 'echo said; sleep 100')"
    check 'what it said before the time limit is there' said "$(<"$work/out")"
    check_nothing_left 'after the time limit'
    check 'panic of the guest' 125 \
        "$(status_of "$run" -t flat -- sh -c 'echo c >/proc/sysrq-trigger; sleep 100')"
    check 'its console is shown' 1 "$(grep -c 'Kernel panic' "$work/err")"
}

# ended_by SIGNAL STATUS: told to end while the guest works.
ended_by() {
    local process line
    mkfifo "$work/stream"
    env --default-signal=INT,TERM "$run" -t flat -- sh -c 'echo ready; sleep 100' >"$work/stream" &
    process=$!
    read -r line <"$work/stream"
    check "guest before SIG$1" ready "$line"
    check "before SIG$1: a qemu works" yes "$(qemu_works)"
    kill -s "$1" "$process"
    wait "$process"
    check "status after SIG$1" "$2" $?
    check_nothing_left "after SIG$1"
    rm "$work/stream"
}

# in_guest TOPOLOGY KERNEL SCRIPT [ARGUMENT]: its lines become ours. One that ends early is not ok.
in_guest() {
    local topology=$1 kernel=$2 line status
    shift 2
    "$run" -t "$topology" -k "$kernel" -- "$here/$1" "${@:2}" >"$work/out" 2>"$work/err"
    status=$?
    while read -r line; do record "${line/ - / - $topology, $kernel: }"; done <"$work/out"
    if ((status > 1)) || [[ ! -s $work/out ]]; then
        record "not ok - $topology, $kernel: status $status of $1: $(tail -n 1 "$work/err")"
    fi
}

every_topology() {
    local topology
    for topology in $(cd "$here/topologies" && printf '%s\n' *); do
        in_guest "$topology" "$1" promises.sh "$topology"
    done
}

drawings_are_shown
refusals
streams
arguments_and_files
statuses
ended_by TERM 143
ended_by INT 130
mapfile -t kernels < <(kernel_versions)
every_topology "${kernels[0]}"
in_guest hotplug "${kernels[0]}" selftest-hotplug.sh
for kernel in "${kernels[@]:1}"; do
    in_guest hotplug "$kernel" selftest-hotplug.sh
    # Neither memory tiers by HMAT nor regions of CXL RAM before 6.3.
    if [[ $kernel == 6.1 ]]; then continue; fi
    in_guest hmat4 "$kernel" promises.sh hmat4
    in_guest type3-ram "$kernel" promises.sh type3-ram
done

good=$(grep -c '^ok' "$work/results")
bad=$(grep -c '^not ok' "$work/results")
printf '%d checks, %d not ok, %d s\n' "$((good + bad))" "$bad" "$SECONDS"
((bad == 0))

# SPDX-License-Identifier: BSD-2-Clause
#
# columns.sh - the workloads, sourced by bench/run; bench/README.md says what each is
#
# Operations of a timed run, and the two counts whose difference in instructions
# is that of (many - few) operations; "-" where threads or a server make the
# count depend on more than the program. The last word is the group:
#	suite	ours (work*.c); the geometric mean is over these
#	starts	ours, of threads' starts; they have a target of their own
#	apps	applications: bench/apps/NAME runs it
column_list='
pair     60000000   10000  110000  suite
batch    60000000   10000  110000  suite
small    20000000   30000   80000  suite
large       20000     500    2500  suite
realloc   1000000    3000   13000  suite
calloc    8000000   10000   60000  suite
aligned   6000000   10000   60000  suite
sweep     1000000       -       -  suite
grow       150000    5000   25000  suite
huge          250       4      12  suite
frag      3000000       -       -  suite
live7    10000000  100000  300000  suite
cross     8000000       -       -  suite
server   12000000       -       -  suite
producer  6000000       -       -  suite
churn        8000       -       -  suite
alive        3000       -       -  suite
first       20000       -       -  starts
threads     20000       -       -  starts
redis      300000       -       -  apps
memcached  600000       -       -  apps
sqlite     150000       -       -  apps
python      80000       -       -  apps
gcc         60000       -       -  apps
node       120000       -       -  apps'

# column NAME - sets operations, few, many, group; NAME:PART is a part of NAME
column() {
	read -r _ operations few many group < <(grep "^${1%%:*} " <<<"$column_list")
	case $1 in sweep:*) group=sweep ;; esac
}

# columns_of WORD... - the columns meant: names, and groups for all of theirs
columns_of() {
	local word
	for word; do
		awk -v w="$word" '$1 == w || $5 == w { print $1; n++ }
			END { exit !n }' <<<"$column_list" || {
			echo "no column or group $word; --list shows them" >&2
			return 1; }
	done
}

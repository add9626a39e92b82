# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# machines.sh - trees of sysfs for cxlctl, below $tmp, and questions to its JSON

cxlctl=${CXLCTL:-$top_builddir/cxlctl}
ctl() { "$cxlctl" "$@" >"$tmp/out" 2>"$tmp/err"; }

# file PATH TEXT: in the tree that is being made
file()
{
	mkdir -p "$sys/$(dirname "$1")"
	printf '%s\n' "$2" >"$sys/$1"
}
# node N CPUS KIB FREE DISTANCES [LATENCY BANDWIDTH]
node()
{
	_node=devices/system/node/node$1
	file $_node/cpulist "$2"
	file $_node/meminfo "Node $1 MemTotal:  $3 kB
Node $1 MemFree:  $4 kB"
	file $_node/distance "$5"
	[ -n "${6:-}" ] || return 0
	file $_node/access0/initiators/read_latency "$6"
	file $_node/access0/initiators/read_bandwidth "$7"
}
# machine NAME MEMORY CPU
machine()
{
	sys=$tmp/$1
	file devices/system/node/has_memory "$2"
	file devices/system/node/has_cpu "$3"
}
weights=kernel/mm/mempolicy/weighted_interleave

machine hmat 0-3 0-1
node 0 0-3 4194304 1048576 "10 21 20 31" 80 24000
node 1 4-7 4194304 2097152 "21 10 31 20" 80 24000
node 2 "" 8388608 8388608 "20 31 10 41" 250 12000
node 3 "" 8388608 8388608 "31 20 41 10" 400 4000

machine device 0-1 0
node 0 0-1 1048576 524288 "10 20"
node 1 "" 524288 262144 "20 10"
file bus/cxl/devices/mem10/ram/size 0x20000000
file bus/cxl/devices/mem10/pmem/size 0x0
file bus/cxl/devices/mem10/numa_node -1
file bus/cxl/devices/mem10/serial 0x2a
file bus/cxl/devices/mem9/ram/size 0x0
file bus/cxl/devices/mem9/pmem/size 0x40000000
file bus/cxl/devices/mem9/numa_node 0
file bus/cxl/devices/memory/ram/size 0x1
file bus/cxl/devices/region0/size 0x20000000
file bus/cxl/devices/region0/mode ram
file bus/cxl/devices/region0/interleave_ways 2
file bus/cxl/devices/region0/interleave_granularity 4096
file bus/cxl/devices/dax_region0/size 1
file bus/dax/devices/dax0.0/size 536870912
file bus/dax/devices/dax0.0/align 2097152
file bus/dax/devices/dax0.0/numa_node 0
file bus/dax/devices/dax0.0/target_node 1
ln -s ../../drivers/kmem "$sys/bus/dax/devices/dax0.0/driver"
file bus/dax/devices/dax1.0/size 1073741824
ln -s ../../drivers/device_dax "$sys/bus/dax/devices/dax1.0/driver"
file bus/dax/devices/dax1.1/size 0

machine weighted 0,2 0
node 0 0-1 1048576 524288 "10 20" 80 30000
node 2 "" 524288 262144 "20 10" 200 10000
file $weights/node0 1
file $weights/node2 1
file $weights/auto true

# asks NAME FILTER COMMAND...: jq's condition over the command's JSON
asks()
{
	_name=$1
	_filter=$2
	shift 2
	if ctl "$@" --json && jq -e "$_filter" "$tmp/out" >"$tmp/jq" 2>>"$tmp/err"
	then
		ok "$_name"
	else
		cat "$tmp/out" >>"$tmp/err"
		not_ok "$_name" "$tmp/err"
	fi
}

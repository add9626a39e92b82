#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In a guest of topology hotplug: memory comes and goes through QMP, and data outlives it.

set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/ask.sh"

# plug NUMBER: 512 MiB into node 2; returns when the guest has them online.
plug() {
    qmp object-add qom-type=memory-backend-ram "id=extra$1" size=512M &&
        qmp -w ACPI_DEVICE_OST device_add driver=pc-dimm "id=dimm$1" "memdev=extra$1" node=2
}

unplug() {
    qmp -w DEVICE_DELETED device_del "id=dimm$1"
}

refused() {
    ! "$@"
}

check_that 'hot add' plug 0
check 'nodes with memory after the hot add' '0 1 2' "$(node_list has_memory)"
check 'the new node has no CPUs' '' "$(<$nodes/node2/cpulist)"
check_that 'the new node has 512 MiB' about_as_big 2 512
check_that 'it holds what is bound to it' holds_what_is_bound 2 /run/bound
before=$(md5sum </run/bound/data)
check_that 'hot remove, with 32 MiB in use' unplug 0
check 'nodes with memory after the hot remove' '0 1' "$(node_list has_memory)"
check 'the data is unharmed' "$before" "$(md5sum </run/bound/data)"

# Memory that the kernel has taken for itself can't be given back.
echo online_kernel >/sys/devices/system/memory/auto_online_blocks
check_that 'hot add for the kernel' plug 1
mkdir /run/files
mount -t tmpfs -o mpol=bind:2 files /run/files
(cd /run/files && numactl -m 2 mkdir {1..3000})
check_that 'a hot remove that the kernel refuses is told' refused unplug 1
check 'the node has stayed' '0 1 2' "$(node_list has_memory)"
check_that 'an unknown command is told' refused qmp no-such-command
exit "$((failures > 0))"

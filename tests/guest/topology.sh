# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Sourced by run: reads a file of topologies/ and turns it into arguments of qemu.
# The same words mean questions to the kernel in promises.sh, which runs in the guest.
#
#   about TEXT                         what it is, in one line
#   node ID SIZE [cpus=A-B] [near=ID]  a NUMA node; no cpus: CPU-less, its nearest socket is `near`
#   distance A B VALUE                 between two nodes, both ways
#   hmat FROM TO NS BANDWIDTH          latency (ns) and bandwidth (as 12G, bytes a second) in the HMAT
#   slots NUMBER MAX                   free DIMM slots, and the most memory the machine can have;
#                                      a DIMM may be plugged into the last node only
#   type3 MODE SIZE                    a CXL type-3 device whose region is `ram` or `dax`
#   tiers NODES...                     promise only: memory tiers, fastest first, nodes as 0,1

# topology_arguments FILE: sets qemu_topology (arguments), type3_mode and type3_size (MiB).
topology_arguments() {
    qemu_topology=()
    type3_mode='' type3_size=''
    numa=() machine=q35 cpu=max devices=() memory=0 memory_extra='' cpus=0 sockets=0
    # shellcheck disable=SC1090 # one of topologies/
    . "$1"
    # qemu takes `initiator` only where there is an HMAT.
    if [[ ${numa[*]} == *hmat-lb* ]]; then
        machine+=,hmat=on
    else
        numa=("${numa[@]/,initiator=?/}")
    fi
    qemu_topology=(-machine "$machine" -cpu "$cpu" -m "${memory}M$memory_extra"
        -smp "$cpus,sockets=$sockets,cores=$((cpus / sockets)),threads=1" "${numa[@]}" "${devices[@]}")
}

about() {
    topology_about=$1
}

# mebibytes SIZE: 512M or 2G or 0 as a number of MiB.
mebibytes() {
    case $1 in
    *G) printf '%d' "$((${1%G} * 1024))" ;;
    *M) printf '%d' "${1%M}" ;;
    *) printf '%d' "$1" ;;
    esac
}

node() {
    local id=$1 size=$2 word text="node,nodeid=$1" last
    shift 2
    for word in "$@"; do
        case $word in
        cpus=*)
            text+=,$word
            last=${word##*[=-]}
            if ((last + 1 > cpus)); then cpus=$((last + 1)); fi
            sockets=$((sockets + 1))
            ;;
        near=*) text+=,initiator=${word#near=} ;;
        esac
    done
    if [[ $size != 0 ]]; then
        numa+=(-object "memory-backend-ram,id=ram$id,size=$size")
        text+=,memdev=ram$id
        memory=$((memory + $(mebibytes "$size")))
    fi
    numa+=(-numa "$text")
}

distance() {
    numa+=(-numa "dist,src=$1,dst=$2,val=$3")
}

hmat() {
    local both="hmat-lb,initiator=$1,target=$2,hierarchy=memory"
    numa+=(-numa "$both,data-type=access-latency,latency=$3")
    numa+=(-numa "$both,data-type=access-bandwidth,bandwidth=$4")
}

slots() {
    memory_extra=,slots=$1,maxmem=$2
}

# Without hypervisor=off the guest's kernel refuses to commit the decoder of a region.
type3() {
    type3_mode=$1
    type3_size=$(mebibytes "$2")
    machine+=,cxl=on,cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G
    cpu=max,hypervisor=off
    devices+=(-device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1
        -device cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2
        -object "memory-backend-ram,id=cxlmem0,share=on,size=$2"
        -device cxl-type3,bus=rp0,volatile-memdev=cxlmem0,id=cxl0,sn=1)
}

tiers() {
    :
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * info - tiers and nodes: what there is, what is used, what it is like
 *
 * "System" is everybody's, as far as this process's container shows it; "process"
 * is this one's. Latency and bandwidth are the kernel's (HMAT, in sysfs), of the
 * nearest initiator; 0: it does not know them.
 */
#ifndef CXLMALLOC_INFO_H
#define CXLMALLOC_INFO_H

#include "../cxlmalloc.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cxlm_tier_info {
	size_t size;		/* in: sizeof(struct cxlm_tier_info) */
	char name[16];		/* "ddr", "cxl" */
	char binding[16];	/* "strict", "preferred", "emulated", "denied",
				 * "offline", "none": cxlctl-stat(1) */
	unsigned long nodes[16];	/* a bit for each node it uses now */
	uint64_t total;		/* system: bytes of those nodes */
	uint64_t free;		/* system: of these, free */
	uint64_t used;		/* process: committed */
	uint64_t in_use;	/* process: in blocks */
	uint64_t limit;		/* process: or CXLM_NO_LIMIT */
	uint64_t available;	/* process: what it may still take; the limit's
				 * room or free, whichever is less */
	uint64_t resident;	/* process: bytes of its heap's pages there */
	uint64_t misplaced;	/* process: bytes of its pages elsewhere */
	uint32_t read_latency;	/* ns, of the nearest node */
	uint32_t write_latency;
	uint32_t read_bandwidth;	/* MB/s, the sum of its nodes */
	uint32_t write_bandwidth;
};

struct cxlm_node_info {
	size_t size;		/* in: sizeof(struct cxlm_node_info) */
	int node;
	int tier;		/* CXLM_TIER_*; -1: in none */
	uint64_t total;		/* system: bytes */
	uint64_t free;		/* system */
	uint64_t resident;	/* process: bytes of its heap's pages there */
	uint32_t read_latency, write_latency;		/* ns */
	uint32_t read_bandwidth, write_bandwidth;	/* MB/s */
};

/*
 * cxlm_tier_info - all that is known of a tier
 *
 * It is asked now: nodes from sysfs, and where the pages are from the kernel,
 * which looks at every page the process has: up to some 10 ms a GiB.
 * cxlm_tier_stat has the words of the process alone. Takes 24 KiB of stack.
 * returns  0, or -1 with errno:
 *          EINVAL   not a tier; info is NULL or info->size too small
 * In a process that is not tiered all memory is DDR's.
 */
int cxlm_tier_info(int tier, struct cxlm_tier_info *info);

/* cxlm_nr_nodes - one more than the highest node with memory, at least 1 */
int cxlm_nr_nodes(void);

/*
 * cxlm_node_info - all that is known of a node
 *
 * As dear as cxlm_tier_info.
 * returns  0, or -1 with errno:
 *          EINVAL  info is NULL or info->size too small
 *          ENODEV  there is no such node, or it has no memory
 */
int cxlm_node_info(int node, struct cxlm_node_info *info);

/*
 * Events: bits of what cxlm_events_read returns. NODES may come twice: when the
 * kernel says so, and when the tiers follow it, or a drain or a cpuset.
 */
#define CXLM_EVENT_NODES	1	/* a node or memory of one came or went */
#define CXLM_EVENT_POLICY	2	/* cxlctl policy set, cxlm_ctl: other settings */
#define CXLM_EVENT_LIMIT	4	/* a tier's limit is another one */
#define CXLM_EVENT_FULL		8	/* a tier was found full */

/*
 * cxlm_events_open - a file descriptor that is readable when something changed
 *
 * For poll, select, epoll; closed on exec. No thread and no timer is behind it:
 * nodes are the kernel's messages (a netlink socket), the rest is told by the
 * thread that does or meets it, so in a process that does not allocate a change
 * of policy is seen when it next does.
 * returns  the descriptor, or -1 with errno:
 *          EMFILE, ENFILE, ENOMEM   of the kernel
 *          ENOSPC   16 are open already
 * Where the kernel's messages are not to be had (a network namespace of its own)
 * nodes are told when the library sees them at its looks.
 * It takes two descriptors of the process, the second from 1000 up. They are of
 * the process that opened them: a child of fork cannot read them, only close
 * them, and opens its own.
 */
int cxlm_events_open(void);

/*
 * cxlm_events_read - what happened since the last time; never waits
 *
 * returns  bits CXLM_EVENT_*, 0: nothing; or -1 with errno EBADF: not from
 *          cxlm_events_open, or the parent's
 */
int cxlm_events_read(int fd);

/* cxlm_events_close - close it; -1 with errno EBADF: not from cxlm_events_open */
int cxlm_events_close(int fd);

#ifdef __cplusplus
}
#endif

#endif

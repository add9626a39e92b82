/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

import static io.cxlmalloc.Run.check;
import static io.cxlmalloc.Run.collected;
import static io.cxlmalloc.Run.equal;
import static io.cxlmalloc.Run.thrown;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Tiers, nodes, scopes, pools, policy. */
final class Tiers {
    private static final int ENOENT = 2;
    private static final int EPERM = 1;
    private static final int ENOSPC = 28;
    private static final int ENODATA = 61;

    private Tiers() {}

    private static Tier tierOfPolicy() {
        try (CxlBuffer buffer = Cxl.allocate(Tier.POLICY, 100)) {
            return buffer.tier();
        }
    }

    @Test("a buffer is of the tier it was asked from")
    static void tier() {
        for (Tier tier : new Tier[] {Tier.DDR, Tier.CXL}) {
            for (long size : new long[] {1, 4096, 10 << 20}) {
                try (CxlBuffer buffer = Cxl.allocate(tier, size, true)) {
                    equal(tier, buffer.tier());
                    equal(tier, Cxl.tierOf(buffer.buffer()));
                    equal(tier, Cxl.tierOf(buffer.slice(size / 2, 0)));
                }
            }
        }
        equal(Tier.DDR, tierOfPolicy());
    }

    @Test("pages: none, then populated, on their nodes, moved with their contents")
    static void pages() {
        // Larger than what earlier tests have freed: such pages may be there.
        long size = 48 << 20;
        try (CxlBuffer buffer = Cxl.allocate(Tier.CXL, size)) {
            equal(-1, buffer.node(size / 2));
            long none = sum(buffer.residency());
            check(none < size / 2, none + " bytes have pages already");
            buffer.populate();
            int node = buffer.node(size / 2);
            check(node >= 0, "no node");
            equal(node, Cxl.nodeOf(buffer.slice(size / 2, 1)));
            check(sum(buffer.residency()) >= size, "not all of it is there");
            check(buffer.residency()[node] > 0, "none on its node");
            for (long i = 0; i < size; i += 8) {
                buffer.putLong(i, ~i);
            }
            for (Tier tier : new Tier[] {Tier.DDR, Tier.CXL}) {
                long there = buffer.migrate(tier);
                check(there >= size - 8192 && there <= size + 8192, there + " of " + size);
                check(Cxl.info(tier).nodes().get(buffer.node(0)), "on another node");
            }
            buffer.migrate(Tier.DDR, true);
            for (Advice advice : Advice.values()) {
                buffer.advise(advice);
            }
            for (long i = 0; i < size; i += 8) {
                check(buffer.getLong(i) == ~i, "lost at " + i);
            }
            thrown(IllegalArgumentException.class, () -> buffer.migrate(Tier.POLICY));
        }
    }

    private static long sum(long[] bytes) {
        long all = 0;
        for (long b : bytes) {
            all += b;
        }
        return all;
    }

    @Test("buffers of others: of no tier, but on a node; not of the Java heap")
    static void foreign() {
        ByteBuffer direct = ByteBuffer.allocateDirect(100);
        direct.put(0, (byte) 1);
        check(Cxl.nodeOf(direct) >= 0, "on no node");
        thrown(IllegalArgumentException.class, () -> Cxl.tierOf(ByteBuffer.allocate(1)));
        thrown(IllegalArgumentException.class, () -> Cxl.nodeOf(ByteBuffer.allocate(1)));
    }

    @Test("one node")
    static void node() {
        int node = Cxl.nodes().get(0).node;
        try (CxlBuffer buffer = Cxl.allocateOnNode(node, 1 << 20, true)) {
            equal(0L, buffer.getLong(4096));
            buffer.populate();
            equal(node, buffer.node(0));
        }
        thrown(IllegalArgumentException.class, () -> Cxl.allocateOnNode(1000, 1, false));
        thrown(IllegalArgumentException.class, () -> Cxl.allocateOnNode(-1, 1, false));
        thrown(IllegalArgumentException.class, () -> Cxl.allocateOnNode(5000, 1, false));
    }

    @Test("scopes: inside, nested, over")
    static void scope() {
        equal(Tier.DDR, tierOfPolicy());
        try (CxlScope outer = Cxl.scope(Tier.CXL)) {
            equal(Tier.CXL, tierOfPolicy());
            try (CxlScope inner = Cxl.scope(Tier.DDR)) {
                equal(Tier.DDR, tierOfPolicy());
                thrown(IllegalStateException.class, outer::close);
                equal(Tier.DDR, tierOfPolicy());
                inner.close();
                inner.close();
            }
            equal(Tier.CXL, tierOfPolicy());
        }
        equal(Tier.DDR, tierOfPolicy());
    }

    @Test("a scope is of its thread")
    static void scopeThread() throws Exception {
        try (CxlScope scope = Cxl.scope(Tier.CXL)) {
            Run.threads(1, () -> {
                equal(Tier.DDR, tierOfPolicy());
                thrown(IllegalStateException.class, scope::close);
            });
            equal(Tier.CXL, tierOfPolicy());
        }
    }

    @Test("too many scopes are refused, and all is as before")
    static void scopesDeep() {
        List<CxlScope> scopes = new ArrayList<>();
        CxlException e = thrown(CxlException.class, () -> {
            for (int i = 0; i < 100; i++) {
                scopes.add(Cxl.scope(Tier.CXL));
            }
        });
        equal(ENOSPC, e.errno());
        equal(32, scopes.size());
        equal(Tier.CXL, tierOfPolicy());
        for (int i = scopes.size() - 1; i >= 0; i--) {
            scopes.get(i).close();
        }
        equal(Tier.DDR, tierOfPolicy());
    }

    @Test("names without a hint have the program's tier")
    static void hint() {
        equal(Tier.CXL, Cxl.hint("index", Tier.CXL));
        equal(Tier.POLICY, Cxl.hint("index", Tier.POLICY));
        thrown(IllegalArgumentException.class, () -> Cxl.hint(null, Tier.CXL));
    }

    @Test("a pool: blocks, numbers, limit")
    static void pool() {
        try (CxlPool pool = CxlPool.on(Tier.CXL).limit(16 << 20).name("test").create()) {
            equal(16L << 20, pool.stat().limit);
            equal(Tier.CXL, pool.stat().tier);
            try (CxlBuffer a = pool.allocate(8 << 20);
                    CxlBuffer b = pool.allocate(100, 4096)) {
                equal(0L, a.getLong(4096));
                equal(0L, Native.address(b.buffer()) % 4096);
                check(pool.stat().used >= 8 << 20, pool.stat().used + " used");
                thrown(OutOfMemoryError.class, () -> pool.allocate(16 << 20));
                pool.limit(Cxl.NO_LIMIT);
                equal(Cxl.NO_LIMIT, pool.stat().limit);
                pool.allocate(16 << 20).close();
                check(pool.stat().peak >= 24 << 20, pool.stat().peak + " at most");
                thrown(IllegalArgumentException.class, () -> pool.limit(-2));
            }
        }
        int node = Cxl.nodes().get(0).node;
        try (CxlPool pool = CxlPool.onNodes(node).policy(CxlPool.Policy.PREFERRED).create()) {
            pool.allocate(100).close();
        }
        thrown(IllegalArgumentException.class, () -> CxlPool.onNodes().create());
        thrown(IllegalArgumentException.class, () -> CxlPool.onNodes(1023).create());
        thrown(IllegalArgumentException.class, () -> CxlPool.onNodes(1024));
        thrown(
                IllegalArgumentException.class,
                () -> CxlPool.on(Tier.CXL).name("a".repeat(32)).create());
    }

    @Test("a closed pool's buffers live on; its memory is back with the last of them")
    static void poolClosed() {
        // More than there can be at a time.
        for (int i = 0; i < 600; i++) {
            CxlPool pool = CxlPool.on(Tier.DDR).create();
            CxlBuffer buffer = pool.allocate(8192);
            pool.close();
            pool.close();
            thrown(IllegalStateException.class, () -> pool.allocate(1));
            thrown(IllegalStateException.class, pool::stat);
            buffer.putLong(8184, i);
            equal((long) i, buffer.getLong(8184));
            buffer.close();
        }
    }

    private static CxlBuffer ofDroppedPool() {
        return CxlPool.on(Tier.CXL).create().allocate(4096);
    }

    @Test("the collector closes unreachable pools, after their buffers")
    static void poolUnreachable() throws Exception {
        long before = Cxl.held();
        CxlBuffer last = null;
        for (int i = 0; i < 3; i++) {
            for (int k = 0; k < 200; k++) {
                CxlBuffer buffer = ofDroppedPool();
                if (k == 100) {
                    last = buffer;
                }
            }
            collected(() -> Cxl.held() == before + 4096);
            equal(0L, last.getLong(0));
        }
    }

    @Test("tiers and nodes have their numbers")
    static void info() {
        try (CxlBuffer buffer = Cxl.allocate(Tier.CXL, 4 << 20)) {
            buffer.populate();
            TierInfo info = Cxl.info(Tier.CXL);
            equal("cxl", info.name);
            equal(Tier.CXL, info.tier);
            check(!info.binding.isEmpty(), "no binding");
            check(info.used >= 4 << 20, info);
            check(info.inUse >= 4 << 20, info);
            check(info.total >= info.free && info.free > 0, info);
            check(!info.nodes().isEmpty(), info);
            check(info.available > 0, info);
            equal(Cxl.NO_LIMIT, info.limit);
            check(info.toString().startsWith("cxl ("), info);
        }
        equal("ddr", Cxl.info(Tier.DDR).name);
        thrown(IllegalArgumentException.class, () -> Cxl.info(Tier.POLICY));
        List<NodeInfo> nodes = Cxl.nodes();
        check(!nodes.isEmpty(), "no nodes");
        for (NodeInfo node : nodes) {
            check(node.total >= node.free && node.free > 0, node);
        }
        check(Cxl.version().contains("jemalloc"), Cxl.version());
    }

    @Test("values by name")
    static void ctl() {
        check(Cxl.names().contains("tier.cxl.used"), Cxl.names());
        check(Cxl.getLong("tier.cxl.used") >= 0, "used");
        check(Long.parseLong(Cxl.get("tier.cxl.used")) >= 0, "as text");
        equal("none", Cxl.get("tier.cxl.limit"));
        equal("priority", Cxl.get("policy"));
        thrown(IllegalArgumentException.class, () -> Cxl.getLong("policy"));
        thrown(IllegalArgumentException.class, () -> Cxl.get(null));
        equal(ENOENT, thrown(CxlException.class, () -> Cxl.get("no.such")).errno());
        equal(ENOENT, thrown(CxlException.class, () -> Cxl.set("no.such", "1")).errno());
        equal(EPERM, thrown(CxlException.class, () -> Cxl.set("version", "1")).errno());
        equal(EPERM, thrown(CxlException.class, () -> Cxl.set("tier.cxl.used", 1)).errno());
        for (String name : Cxl.names()) {
            try {
                Cxl.get(name);
            } catch (CxlException e) {
                // A process without a cgroup has no figures of one.
                check(e.errno() == ENODATA, e);
            }
        }
    }

    @Test("another policy, and a wrong one")
    static void policy() {
        Cxl.policy("policy=interleave,interleave=1:1");
        equal("interleave", Cxl.get("policy"));
        thrown(IllegalArgumentException.class, () -> Cxl.policy("cxl.limit=12q"));
        equal("interleave", Cxl.get("policy"));
        Cxl.policy("policy=priority");
        equal("priority", Cxl.get("policy"));
    }
}

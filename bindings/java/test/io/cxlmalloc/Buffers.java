/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

import static io.cxlmalloc.Run.check;
import static io.cxlmalloc.Run.collected;
import static io.cxlmalloc.Run.equal;
import static io.cxlmalloc.Run.thrown;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicLong;

/** Contents, bounds and lifetime. */
final class Buffers {
    private Buffers() {}

    @Test("memory is zero, and keeps what is written, by views and by methods")
    static void contents() {
        long seed = 1;
        for (int size : new int[] {1, 8, 15, 4096, 100_001, 1 << 20, 5_000_000}) {
            for (Tier tier : Tier.values()) {
                try (CxlBuffer buffer = Cxl.allocate(tier, size)) {
                    equal((long) size, buffer.size());
                    byte[] got = new byte[size];
                    buffer.buffer().get(got);
                    for (byte b : got) {
                        check(b == 0, "not zero");
                    }
                    byte[] wanted = new byte[size];
                    new Random(seed++).nextBytes(wanted);
                    buffer.write(0, wanted, 0, size);
                    buffer.buffer().get(got);
                    check(java.util.Arrays.equals(wanted, got), "written, then viewed");
                    new Random(seed++).nextBytes(wanted);
                    buffer.buffer().put(wanted);
                    buffer.read(0, got, 0, size);
                    check(java.util.Arrays.equals(wanted, got), "put, then read");
                    equal(wanted[size / 2], buffer.getByte(size / 2));
                }
            }
        }
    }

    @Test("single values and views agree; fill")
    static void values() {
        try (CxlBuffer buffer = Cxl.allocate(Tier.CXL, 64)) {
            ByteBuffer view = buffer.buffer().order(ByteOrder.nativeOrder());
            buffer.putLong(8, 0x0123456789abcdefL);
            equal(0x0123456789abcdefL, view.getLong(8));
            view.putLong(17, -5);
            equal(-5L, buffer.getLong(17));
            buffer.putByte(63, (byte) -1);
            equal((byte) -1, view.get(63));
            buffer.fill(0, 64, (byte) 0x11);
            equal(0x1111111111111111L, buffer.getLong(56));
            check(view.isDirect(), "direct");
            equal(ByteOrder.BIG_ENDIAN, buffer.buffer().order());
            view.position(9);
            equal(0, buffer.buffer().position());
        }
    }

    @Test("an alignment that was asked for")
    static void alignment() {
        for (long align = 16; align <= 1 << 21; align *= 8) {
            try (CxlBuffer buffer = Cxl.allocate(Tier.CXL, 100, align, false)) {
                equal(0L, Native.address(buffer.buffer()) % align);
                equal(0L, buffer.getLong(92));
            }
        }
        thrown(IllegalArgumentException.class, () -> Cxl.allocate(Tier.CXL, 100, 48, false));
    }

    @Test("3 GiB are reached by slices")
    static void large() {
        long gib = 1L << 30;
        try (CxlBuffer buffer = Cxl.allocate(Tier.CXL, 3 * gib)) {
            thrown(IllegalStateException.class, buffer::buffer);
            ByteBuffer end = buffer.slice(3 * gib - 100, 100);
            end.putLong(92, 7);
            equal(7L, Long.reverseBytes(buffer.getLong(3 * gib - 8)));
            buffer.putByte(gib, (byte) 9);
            ByteBuffer most = buffer.slice(0, Integer.MAX_VALUE);
            equal((byte) 9, most.get((int) gib));
            for (int i = 0; i < 500; i++) {
                equal((byte) 0, buffer.slice(2 * gib + i, 1).get(0));
            }
        }
    }

    @Test("nothing outside the bounds")
    static void bounds() {
        byte[] array = new byte[10];
        try (CxlBuffer buffer = Cxl.allocate(Tier.CXL, 100)) {
            Class<IndexOutOfBoundsException> outside = IndexOutOfBoundsException.class;
            thrown(outside, () -> buffer.getLong(93));
            thrown(outside, () -> buffer.getLong(-1));
            thrown(outside, () -> buffer.putLong(Long.MAX_VALUE, 1));
            thrown(outside, () -> buffer.getByte(100));
            thrown(outside, () -> buffer.slice(1, 100));
            thrown(outside, () -> buffer.slice(0, -1));
            thrown(outside, () -> buffer.read(91, array, 0, 10));
            thrown(outside, () -> buffer.read(0, array, 1, 10));
            thrown(outside, () -> buffer.write(0, array, Integer.MAX_VALUE, 1));
            thrown(outside, () -> buffer.fill(1, Long.MAX_VALUE, (byte) 0));
            thrown(outside, () -> buffer.node(100));
            thrown(NullPointerException.class, () -> buffer.read(0, null, 0, 1));
            thrown(IndexOutOfBoundsException.class, () -> buffer.buffer().get(100));
        }
        thrown(IllegalArgumentException.class, () -> Cxl.allocate(Tier.CXL, -1));
        thrown(NullPointerException.class, () -> Cxl.allocate(null, 1));
        thrown(OutOfMemoryError.class, () -> Cxl.allocate(Tier.CXL, Long.MAX_VALUE));
        try (CxlBuffer nothing = Cxl.allocate(Tier.CXL, 0)) {
            equal(0, nothing.buffer().capacity());
            equal(0, nothing.slice(0, 0).capacity());
            nothing.fill(0, 0, (byte) 1);
            nothing.read(0, array, 10, 0);
            nothing.populate();
            equal(0L, nothing.migrate(Tier.DDR));
            thrown(IndexOutOfBoundsException.class, () -> nothing.getByte(0));
        }
    }

    @Test("closed twice; each method after that throws")
    static void closed() {
        long before = Cxl.held();
        CxlBuffer buffer = Cxl.allocate(Tier.CXL, 1000);
        equal(before + 1000, Cxl.held());
        check(!buffer.isClosed(), "open");
        buffer.close();
        equal(before, Cxl.held());
        buffer.close();
        buffer.closeNow();
        equal(before, Cxl.held());
        check(buffer.isClosed(), "closed");
        Class<IllegalStateException> late = IllegalStateException.class;
        byte[] array = new byte[1];
        thrown(late, buffer::buffer);
        thrown(late, () -> buffer.slice(0, 1));
        thrown(late, () -> buffer.getLong(0));
        thrown(late, () -> buffer.putLong(0, 0));
        thrown(late, () -> buffer.getByte(0));
        thrown(late, () -> buffer.putByte(0, (byte) 0));
        thrown(late, () -> buffer.read(0, array, 0, 1));
        thrown(late, () -> buffer.write(0, array, 0, 1));
        thrown(late, () -> buffer.fill(0, 1, (byte) 1));
        thrown(late, buffer::tier);
        thrown(late, () -> buffer.node(0));
        thrown(late, buffer::residency);
        thrown(late, () -> buffer.migrate(Tier.DDR));
        thrown(late, buffer::populate);
        thrown(late, () -> buffer.advise(Advice.HOT));
        equal("CxlBuffer[1000 bytes, closed]", buffer.toString());
    }

    private static LongBuffer lateView(boolean close) {
        CxlBuffer buffer = Cxl.allocate(Tier.CXL, 8 << 20);
        ByteBuffer all = buffer.buffer();
        for (int i = 0; i < all.capacity(); i += 8) {
            all.putLong(i, i * 3L);
        }
        if (close) {
            buffer.close();
        }
        all.position(8);
        return all.slice().asLongBuffer().asReadOnlyBuffer();
    }

    @Test("a view's view keeps the memory when the buffer is closed or unreachable, and lets it go")
    static void views() throws Exception {
        long before = Cxl.held();
        for (boolean close : new boolean[] {true, false}) {
            LongBuffer view = lateView(close);
            for (int round = 0; round < 3; round++) {
                System.gc();
                Cxl.allocate(Tier.CXL, 8 << 20).close();
                for (int i = 0; i < view.capacity(); i++) {
                    check(view.get(i) == (i + 1) * 24L, "overwritten at " + i);
                }
            }
            check(Cxl.held() >= before + (8 << 20), "freed under a view");
            Reference.reachabilityFence(view);
            view = null;
            collected(() -> Cxl.held() == before);
        }
    }

    @Test("closeNow does not wait for views")
    static void closeNow() {
        long before = Cxl.held();
        CxlBuffer buffer = Cxl.allocate(Tier.CXL, 3L << 30);
        List<ByteBuffer> views = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            views.add(buffer.slice(i * 4096L, 4096));
        }
        buffer.closeNow();
        equal(before, Cxl.held());
        equal(300, views.size());
    }

    @Test("a million short-lived buffers leave nothing")
    static void million() {
        Cxl.allocate(Tier.CXL, 4096).close();
        long before = Cxl.held();
        long used = Cxl.info(Tier.CXL).inUse + Cxl.info(Tier.DDR).inUse;
        for (int i = 0; i < 1_000_000; i++) {
            try (CxlBuffer buffer = Cxl.allocate(Tier.CXL, 64 + i % 8192)) {
                buffer.putLong(0, i);
            }
        }
        equal(before, Cxl.held());
        // All of them together are 4 GB. Blocks of the JVM's own count under a preload.
        long more = Cxl.info(Tier.CXL).inUse + Cxl.info(Tier.DDR).inUse - used;
        check(more < 64 << 20, more + " bytes more in use");
    }

    @Test("closed buffers with views, and buffers nobody closes, do not pile up")
    static void pressure() throws Exception {
        long before = Cxl.held();
        long most = 0;
        for (int i = 0; i < 40_000; i++) {
            CxlBuffer buffer = Cxl.allocate(Tier.CXL, 64 << 10);
            if (i % 2 == 0) {
                buffer.buffer().putLong(0, i);
                buffer.close();
            }
            most = Math.max(most, Cxl.held());
        }
        // 2.4 GiB went through; the collector was asked to run from 256 MiB on.
        check(most < before + 4 * Block.LEAST, most + " bytes held");
        collected(() -> Cxl.held() == before);
    }

    @Test("the collector frees what is unreachable")
    static void unreachable() throws Exception {
        long before = Cxl.held();
        List<CxlBuffer> kept = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            kept.add(Cxl.allocate(Tier.CXL, 1 << 20));
            kept.get(i).populate();
        }
        System.gc();
        equal(before + (100L << 20), Cxl.held());
        kept.subList(0, 90).clear();
        collected(() -> Cxl.held() == before + (10L << 20));
        for (CxlBuffer buffer : kept) {
            equal(0L, buffer.getLong((1 << 20) - 8));
        }
        kept.clear();
        collected(() -> Cxl.held() == before);
    }

    @Test("threads allocate, hand over and close")
    static void threads() throws Exception {
        long before = Cxl.held();
        BlockingQueue<CxlBuffer> queue = new ArrayBlockingQueue<>(64);
        AtomicLong next = new AtomicLong();
        Run.threads(8, () -> {
            Random random = new Random(next.incrementAndGet());
            for (int i = 0; i < 5000; i++) {
                int size = 16 + random.nextInt(random.nextInt(50) == 0 ? 1 << 20 : 4096);
                CxlBuffer buffer = Cxl.allocate(random.nextBoolean() ? Tier.CXL : Tier.DDR, size);
                buffer.putLong(0, size * 7L);
                buffer.putLong(size - 8, size * 7L);
                while (!queue.offer(buffer)) {
                    CxlBuffer other = queue.poll();
                    if (other != null) {
                        verify(other);
                    }
                }
            }
        });
        for (CxlBuffer buffer : queue) {
            verify(buffer);
        }
        queue.clear();
        equal(before, Cxl.held());
    }

    private static void verify(CxlBuffer buffer) {
        equal(buffer.size() * 7, buffer.getLong(0));
        equal(buffer.size() * 7, buffer.getLong(buffer.size() - 8));
        buffer.close();
    }

    @Test("a buffer that is closed under its users throws, and gives no other's data")
    static void race() throws Exception {
        long before = Cxl.held();
        AtomicLong late = new AtomicLong();
        for (int round = 0; round < 300; round++) {
            CxlBuffer buffer = Cxl.allocate(Tier.CXL, 4 << 20);
            AtomicLong arrived = new AtomicLong();
            Run.threads(3, () -> {
                boolean closes = arrived.incrementAndGet() == 3;
                try {
                    for (int i = 0; i < 200; i++) {
                        equal(0L, buffer.getLong(i * 4096L));
                        if (closes && i == 100) {
                            buffer.close();
                        }
                        buffer.slice(4096, 8).getLong(0);
                    }
                } catch (IllegalStateException e) {
                    late.incrementAndGet();
                }
            });
        }
        check(late.get() >= 300, late + " came late");
        collected(() -> Cxl.held() == before);
    }
}

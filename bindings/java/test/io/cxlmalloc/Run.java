/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.function.BooleanSupplier;

/** Runs the tests of the classes named, prints TAP; and what tests want besides. */
final class Run {
    private Run() {}

    interface Code {
        void run() throws Exception;
    }

    public static void main(String[] classes) throws Exception {
        int nr = 0;
        int bad = 0;
        for (String name : classes) {
            Class<?> tests = Class.forName("io.cxlmalloc." + name);
            Method[] methods = tests.getDeclaredMethods();
            Arrays.sort(methods, Comparator.comparing(Method::getName));
            for (Method method : methods) {
                Test test = method.getAnnotation(Test.class);
                if (test == null) {
                    continue;
                }
                nr++;
                long start = System.nanoTime();
                String why = why(method);
                System.out.println("# " + (System.nanoTime() - start) / 1_000_000 + " ms");
                System.out.println(
                        (why == null ? "ok " : "not ok ") + nr + " - " + name + ": " + test.value());
                if (why != null) {
                    bad++;
                    why.lines().forEach(line -> System.out.println("# " + line));
                }
            }
        }
        System.out.println("1.." + nr);
        System.exit(bad == 0 ? 0 : 1);
    }

    private static String why(Method method) throws ReflectiveOperationException, InterruptedException {
        try {
            // What earlier tests left to the collector.
            collected(() -> Cxl.held() == 0);
            method.invoke(null);
            return null;
        } catch (InvocationTargetException e) {
            StringWriter text = new StringWriter();
            e.getCause().printStackTrace(new PrintWriter(text, true));
            return text.toString();
        }
    }

    static void check(boolean right, Object what) {
        if (!right) {
            throw new AssertionError(what);
        }
    }

    static void equal(Object wanted, Object got) {
        if (!wanted.equals(got)) {
            throw new AssertionError("wanted " + wanted + ", got " + got);
        }
    }

    static <T extends Throwable> T thrown(Class<T> wanted, Code code) {
        try {
            code.run();
        } catch (Throwable e) {
            if (wanted.isInstance(e)) {
                return wanted.cast(e);
            }
            throw new AssertionError("wanted " + wanted, e);
        }
        throw new AssertionError("wanted " + wanted + ", nothing was thrown");
    }

    /** Collects until it is so; the collector's thread frees blocks when it comes to it. */
    static void collected(BooleanSupplier so) throws InterruptedException {
        long end = System.nanoTime() + 20_000_000_000L;
        while (!so.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("not collected; held: " + Cxl.held());
            }
            System.gc();
            Thread.sleep(1);
        }
    }

    /** Runs it on so many threads at once; what one throws is thrown here. */
    static void threads(int nr, Code code) throws Exception {
        Thread[] threads = new Thread[nr];
        Throwable[] failed = new Throwable[nr];
        for (int i = 0; i < nr; i++) {
            int self = i;
            threads[i] = new Thread(() -> {
                try {
                    code.run();
                } catch (Throwable e) {
                    failed[self] = e;
                }
            });
            threads[i].start();
        }
        for (int i = 0; i < nr; i++) {
            threads[i].join();
        }
        for (Throwable e : failed) {
            if (e != null) {
                throw new AssertionError(e);
            }
        }
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What lives outside the Java heap until nobody needs it: a count of those who do, its owner first.
 *
 * <p>Each user is an object whose end the collector tells of, or a call that is under way. The count
 * never comes back from 0, so a call that finds it there has come too late.
 */
abstract class Counted {
    static final Cleaner CLEANER = Cleaner.create();

    private final AtomicLong users = new AtomicLong(1);

    /** The last user is gone; with collected, the garbage collector said so. */
    abstract void end(boolean collected);

    /** false: it is gone already. */
    final boolean tryRetain() {
        long now;
        do {
            now = users.get();
            if (now == 0) {
                return false;
            }
        } while (!users.compareAndSet(now, now + 1));
        return true;
    }

    final void release(boolean collected) {
        if (users.decrementAndGet() == 0) {
            end(collected);
        }
    }

    /** One more user, until the object is unreachable or {@link User#close}. */
    final User user(Object object) {
        User user = new User(this);
        user.cleanable = CLEANER.register(object, user);
        return user;
    }

    /** Must not know the object it stands for: it would keep it reachable. */
    static final class User implements Runnable {
        private final Counted counted;
        private Cleaner.Cleanable cleanable;
        private volatile boolean explicit;
        private volatile boolean ended;

        private User(Counted counted) {
            this.counted = counted;
        }

        @Override
        public void run() {
            ended = true;
            counted.release(!explicit);
        }

        boolean ended() {
            return ended;
        }

        /** Runs at most once, whoever is first. */
        void close() {
            explicit = true;
            cleanable.clean();
        }
    }
}

package farslot.link;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every link of a process depends on the one thread that looks at them. */
@Timeout(60)
class LinkWatchTest {
    @Test
    void shouldGoOnWhenLookingAtOneLinkFails() throws Exception {
        CountDownLatch failures = new CountDownLatch(2);
        LinkWatch.Watched failing =
                (now, overslept) -> {
                    failures.countDown();
                    throw new IllegalStateException("by order of a test");
                };
        LinkWatch.add(failing);
        try {
            assertTrue(failures.await(50, TimeUnit.SECONDS), "it is looked at again");
        } finally {
            LinkWatch.remove(failing);
        }
        CountDownLatch looked = new CountDownLatch(1);
        LinkWatch.Watched other = (now, overslept) -> looked.countDown();
        LinkWatch.add(other);
        try {
            assertTrue(looked.await(50, TimeUnit.SECONDS));
        } finally {
            LinkWatch.remove(other);
        }
    }
}

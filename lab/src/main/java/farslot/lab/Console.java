package farslot.lab;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a machine says on its serial console, as text that can be waited for. The newest {@link
 * #KEPT_CHARACTERS} are kept. A thread of its own reads, so never waits for its reader. Any thread
 * may call.
 */
public final class Console {
    /** How much of the end of the text is kept. */
    public static final int KEPT_CHARACTERS = 1 << 20;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final StringBuilder text = new StringBuilder();
    private final OutputStream input;
    private final String name;

    /** Where the next wait begins to look. */
    private int unseen;

    private boolean ended;
    private OutputStream copy;

    /**
     * @param copy gets every byte too, or null
     */
    Console(String name, InputStream output, OutputStream input, OutputStream copy) {
        this.name = name;
        this.input = input;
        this.copy = copy;
        Thread.ofPlatform().name("console-" + name).daemon().start(() -> read(output));
    }

    /** The words of a program that was started with pipes. */
    public static Console of(String name, ChildProcess program, OutputStream copy) {
        Process process = program.process();
        return new Console(name, process.getInputStream(), process.getOutputStream(), copy);
    }

    /**
     * Waits until the text matches, from after the last match on.
     *
     * @return the match; its groups are the caller's
     * @throws LabException when the time is up or ends first, with the last lines
     */
    public Matcher await(Pattern pattern, Duration time) {
        long deadlineNanos = System.nanoTime() + time.toNanos();
        lock.lock();
        try {
            while (true) {
                Matcher matcher = pattern.matcher(text.substring(unseen));
                if (matcher.find()) {
                    unseen += matcher.end();
                    return matcher;
                }
                long leftNanos = deadlineNanos - System.nanoTime();
                if (ended || leftNanos <= 0) {
                    String end = ended ? " ended before it said " : " did not, in time, say ";
                    throw new LabException(
                            name + end + pattern + ". Its last words:\n" + lastLines(12));
                }
                changed.await(leftNanos, TimeUnit.NANOSECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("Interrupted while waiting for " + name + ".", e);
        } finally {
            lock.unlock();
        }
    }

    /** The same with plain text. */
    public void await(String words, Duration time) {
        await(Pattern.compile(Pattern.quote(words)), time);
    }

    /** Types into the console. */
    public void type(String keys) {
        try {
            input.write(keys.getBytes(StandardCharsets.UTF_8));
            input.flush();
        } catch (IOException e) {
            throw new LabException("The console of " + name + " is closed.", e);
        }
    }

    /** Where all bytes go too from now on; null for nowhere. */
    public void copyTo(OutputStream newCopy) {
        lock.lock();
        try {
            copy = newCopy;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until there is no more to come; false when the time is up first. */
    public boolean awaitEnd(Duration time) {
        long deadlineNanos = System.nanoTime() + time.toNanos();
        lock.lock();
        try {
            while (!ended) {
                long leftNanos = deadlineNanos - System.nanoTime();
                if (leftNanos <= 0) {
                    return false;
                }
                changed.awaitNanos(leftNanos);
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** Everything kept. */
    public String text() {
        lock.lock();
        try {
            return text.toString();
        } finally {
            lock.unlock();
        }
    }

    /** The end of it, for messages. */
    public String lastLines(int count) {
        List<String> lines = text().lines().filter(line -> !line.isBlank()).toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - count), lines.size()));
    }

    private void read(InputStream output) {
        byte[] buffer = new byte[8192];
        try {
            for (int count = output.read(buffer); count >= 0; count = output.read(buffer)) {
                append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
                copy(buffer, count);
            }
        } catch (IOException e) {
            append("\n[console: " + e.getMessage() + "]\n");
        }
        lock.lock();
        try {
            ended = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void copy(byte[] buffer, int count) throws IOException {
        lock.lock();
        try {
            if (copy != null) {
                copy.write(buffer, 0, count);
                copy.flush();
            }
        } finally {
            lock.unlock();
        }
    }

    private void append(String more) {
        lock.lock();
        try {
            text.append(more);
            int surplus = text.length() - KEPT_CHARACTERS;
            if (surplus > 0) {
                text.delete(0, surplus);
                unseen = Math.max(0, unseen - surplus);
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}

package farslot.vfiouser;

import java.io.IOException;
import java.util.ArrayDeque;

/**
 * What one thread has read and another will answer, in order: used once DMA goes by messages, when
 * somebody must always read. A client that floods is made to wait.
 */
final class CommandQueue {
    private static final long MOST_BYTES = 4L << 20;
    private static final int MESSAGE_COST_BYTES = 256;

    private final ArrayDeque<Message> messages = new ArrayDeque<>();
    private long bytes;
    private int owed;

    /** Whether the message that was taken last may not be done yet. */
    private boolean inHand;

    private boolean ended;
    private IOException broken;

    /** Adds a message that lasts; waits while too much is there. */
    synchronized void add(Message message) throws InterruptedException {
        while (bytes > MOST_BYTES && !ended) {
            wait();
        }
        if (ended) {
            message.descriptors().close();
            return;
        }
        messages.add(message);
        bytes += cost(message);
        owed += message.wantsReply() ? 1 : 0;
        notifyAll();
    }

    /** The next message; null at the end. {@link #begun} follows. */
    synchronized Message take() throws IOException, InterruptedException {
        inHand = false;
        while (messages.isEmpty()) {
            if (broken != null) {
                throw new IOException(broken.getMessage(), broken);
            }
            if (ended) {
                return null;
            }
            wait();
        }
        Message message = messages.remove();
        bytes -= cost(message);
        inHand = true;
        notifyAll();
        return message;
    }

    /** The message that was taken last is being answered now and is counted there. */
    synchronized void begun(Message message) {
        owed -= message.wantsReply() ? 1 : 0;
    }

    synchronized boolean owesReply() {
        return owed > 0;
    }

    /** Whether all that was added has been done. */
    synchronized boolean isIdle() {
        return messages.isEmpty() && !inHand;
    }

    /** Nothing more will come; why, where the connection broke, else null. */
    synchronized void end(IOException why) {
        ended = true;
        broken = why;
        notifyAll();
    }

    /** Ends and drops what nobody has taken. */
    synchronized void close() {
        end(null);
        messages.forEach(message -> message.descriptors().close());
        messages.clear();
    }

    private static long cost(Message message) {
        return (long) message.payloadBytes() + MESSAGE_COST_BYTES;
    }
}

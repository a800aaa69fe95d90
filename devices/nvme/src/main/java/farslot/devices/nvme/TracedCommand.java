package farslot.devices.nvme;

import farslot.sdk.decode.Observation;
import farslot.sdk.decode.Observation.When;
import farslot.sdk.decode.Transaction;
import farslot.sdk.decode.Transaction.Field;
import farslot.sdk.decode.Transaction.Stage;
import java.util.ArrayList;
import java.util.List;

/** A command that a trace shows being fetched, and how far it has come. */
final class TracedCommand {
    private static final long HASH_FACTOR = 0x9E37_79B9_7F4A_7C15L;

    private final int queue;
    private final long index;
    private final byte[] entry;
    private final List<Stage> stages = new ArrayList<>(6);
    private final List<String> remarks = new ArrayList<>();

    /** Where {@link TracedMemory} has its data, to be forgotten with it. */
    private final List<Long> places = new ArrayList<>(2);

    private Stage data;
    private long bytesMoved;
    private long bytesKnown;
    private long hash;
    private int status = -1;
    private int result;
    private boolean signalled;

    /**
     * @param index its place among the commands of its queue
     * @param entry what is known of it, from its beginning: up to 64 bytes
     */
    TracedCommand(int queue, long index, byte[] entry) {
        this.queue = queue;
        this.index = index;
        this.entry = entry;
    }

    int queue() {
        return queue;
    }

    boolean isAdmin() {
        return queue == 0;
    }

    /** Whether bytes of the entry are known. */
    boolean knows(int offset, int bytes) {
        return offset + bytes <= entry.length;
    }

    /** A number of the entry, 0 where it is not known. */
    long number(int offset, int bytes) {
        long number = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            number = number << 8 | (knows(offset + i, 1) ? entry[offset + i] & 0xFF : 0);
        }
        return number;
    }

    /** -1 where it is not known. */
    int opcode() {
        return knows(0, 1) ? (int) number(0, 1) : -1;
    }

    /** -1 where it is not known. */
    int identifier() {
        return knows(2, 2) ? (int) number(2, 2) : -1;
    }

    int namespace() {
        return (int) number(4, 4);
    }

    /** Command dword {@code number}, 10 to 15. */
    int dword(int number) {
        return (int) number(4 * number, 4);
    }

    List<Long> places() {
        return places;
    }

    void remark(String sentence) {
        if (!remarks.contains(sentence)) {
            remarks.add(sentence);
        }
    }

    /** Notes a stage; the stages of a command are noted in their order. */
    void stage(String name, When when, long nanos) {
        stages.add(new Stage(name, when.number(), nanos));
    }

    /**
     * A piece of its data was moved.
     *
     * @param offset of the piece in the command's data
     */
    void moved(Observation.Dma dma, long offset) {
        data = new Stage("data", dma.when().number(), dma.when().endNanos());
        bytesMoved += dma.length();
        bytesKnown += dma.bytes().length;
        hash += hash(dma.bytes(), offset);
    }

    /** The sum over all bytes is the same however the data is cut into pieces. */
    private static long hash(byte[] bytes, long offset) {
        long factor = 1;
        long square = HASH_FACTOR;
        for (long n = offset; n != 0; n >>>= 1) {
            factor = (n & 1) == 0 ? factor : factor * square;
            square *= square;
        }
        long sum = 0;
        for (byte value : bytes) {
            sum += ((value & 0xFF) + 1) * factor;
            factor *= HASH_FACTOR;
        }
        return sum;
    }

    /** Its completion was posted. */
    void complete(When when, int statusField, int resultDword) {
        status = statusField;
        result = resultDword;
        if (data != null) {
            stages.add(data);
            data = null;
        }
        stage("completion", when, when.nanos());
    }

    /** Whether it has ended well. */
    boolean succeeded() {
        return status >= 0 && (status & 0x7FF) == 0;
    }

    /** Its completion's interrupt, of which the first counts. */
    void signal(When when) {
        if (!signalled) {
            signalled = true;
            stage("interrupt", when, when.nanos());
        }
    }

    /** The whole. */
    Transaction transaction() {
        if (data != null) {
            stages.add(data);
        }
        if (bytesKnown < bytesMoved) {
            remark("of its " + bytesMoved + " bytes of data " + bytesKnown + " were recorded");
        }
        List<Field> fields = CommandFields.of(this);
        if (bytesMoved > 0 && bytesKnown == bytesMoved) {
            String text = bytesMoved + " bytes " + Long.toHexString(hash);
            fields.add(new Field("DATA", hash, text, Transaction.Meaning.DATA));
        }
        if (result != 0) {
            fields.addAll(CommandFields.ofResult(this, result));
        }
        return new Transaction(
                "SQ" + queue,
                index,
                CommandFields.title(this),
                fields,
                status < 0 ? "" : StatusCode.nameOf(status),
                rising(stages),
                remarks);
    }

    /** A driver may see a completion, and go on, before the write that brought it has returned. */
    private static List<Stage> rising(List<Stage> stages) {
        List<Stage> rising = new ArrayList<>(stages.size());
        long nanos = Long.MIN_VALUE;
        for (Stage stage : stages) {
            nanos = Math.max(nanos, stage.nanos());
            rising.add(new Stage(stage.name(), stage.number(), nanos));
        }
        return rising;
    }
}

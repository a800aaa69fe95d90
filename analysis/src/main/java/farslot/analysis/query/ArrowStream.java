package farslot.analysis.query;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.apache.arrow.c.ArrowArrayStream;

/**
 * Gives rows to DuckDB as a stream of the Arrow C stream interface, which costs neither a call nor
 * a copy for each row (https://arrow.apache.org/docs/format/CDataInterface.html has the structures
 * and who owns what).
 *
 * <p>DuckDB calls from threads of its own, one at a time for the next batch, any for giving one
 * back. A stream is read once.
 */
@SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // what DuckDB calls is found by its name
final class ArrowStream implements ArrowArrayStream, AutoCloseable {
    /** Where rows come from. */
    @FunctionalInterface
    interface Source {
        /**
         * Fills an empty batch; one without rows ends the stream. What it throws ends the query,
         * and is {@link #failure}.
         */
        void fill(ArrowBatch batch) throws Exception;
    }

    // struct ArrowSchema
    private static final int SCHEMA_BYTES = 72;
    private static final int SCHEMA_FORMAT_AT = 0;
    private static final int SCHEMA_NAME_AT = 8;
    private static final int SCHEMA_FLAGS_AT = 24;
    private static final int SCHEMA_CHILD_COUNT_AT = 32;
    private static final int SCHEMA_CHILDREN_AT = 40;
    private static final int SCHEMA_RELEASE_AT = 56;
    private static final long FLAG_NULLABLE = 2;

    // struct ArrowArray
    private static final int ARRAY_BYTES = 80;
    private static final int ARRAY_LENGTH_AT = 0;
    private static final int ARRAY_NULL_COUNT_AT = 8;
    private static final int ARRAY_BUFFER_COUNT_AT = 24;
    private static final int ARRAY_CHILD_COUNT_AT = 32;
    private static final int ARRAY_BUFFERS_AT = 40;
    private static final int ARRAY_CHILDREN_AT = 48;
    private static final int ARRAY_RELEASE_AT = 64;
    private static final int ARRAY_PRIVATE_AT = 72;
    private static final long NULLS_UNCOUNTED = -1;

    // struct ArrowArrayStream
    private static final int STREAM_BYTES = 40;
    private static final int STREAM_SCHEMA_AT = 0;
    private static final int STREAM_NEXT_AT = 8;
    private static final int STREAM_ERROR_AT = 16;
    private static final int STREAM_RELEASE_AT = 24;

    private static final int EIO = 5;
    private static final FunctionDescriptor RELEASE = FunctionDescriptor.ofVoid(ADDRESS);
    private static final FunctionDescriptor GET = FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS);
    private static final FunctionDescriptor ERROR = FunctionDescriptor.of(ADDRESS, ADDRESS);
    private static final EventColumn[] COLUMNS = EventColumn.values();

    private final Source source;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment stream = arena.allocate(STREAM_BYTES, Long.BYTES);
    private final MemorySegment releaseSchema;
    private final MemorySegment releaseArray;
    private final List<Lent> all = new ArrayList<>();
    private final Deque<Lent> free = new ArrayDeque<>();
    private volatile Throwable failure;

    /** A batch, with the structures in which DuckDB finds its columns. */
    private final class Lent {
        /** From 1: what DuckDB brings back; a column's own structure has 0. */
        final long number;

        final ArrowBatch batch = new ArrowBatch(arena);
        final MemorySegment[] columns = new MemorySegment[COLUMNS.length];
        final MemorySegment buffers = arena.allocate(ADDRESS, 3L * COLUMNS.length);
        final MemorySegment children = arena.allocate(ADDRESS, COLUMNS.length);

        /** A batch of rows as such has one buffer, and it is not there. */
        final MemorySegment noBuffer = arena.allocate(ADDRESS);

        Lent(long number) {
            this.number = number;
            for (int i = 0; i < columns.length; i++) {
                columns[i] = arena.allocate(ARRAY_BYTES, Long.BYTES);
                children.setAtIndex(ADDRESS, i, columns[i]);
            }
        }

        void lendTo(MemorySegment array) {
            for (int i = 0; i < columns.length; i++) {
                MemorySegment[] parts = batch.buffers(i);
                MemorySegment pointers = buffers.asSlice(3L * i * ADDRESS.byteSize());
                for (int k = 0; k < parts.length; k++) {
                    pointers.setAtIndex(ADDRESS, k, parts[k]);
                }
                describe(columns[i], parts.length, pointers, NULLS_UNCOUNTED, 0);
            }
            describe(array, 1, noBuffer, 0, number);
            array.set(JAVA_LONG, ARRAY_CHILD_COUNT_AT, columns.length);
            array.set(ADDRESS, ARRAY_CHILDREN_AT, children);
        }

        private void describe(
                MemorySegment array, int bufferCount, MemorySegment pointers, long nulls, long id) {
            array.fill((byte) 0);
            array.set(JAVA_LONG, ARRAY_LENGTH_AT, batch.rows());
            array.set(JAVA_LONG, ARRAY_NULL_COUNT_AT, nulls);
            array.set(JAVA_LONG, ARRAY_BUFFER_COUNT_AT, bufferCount);
            array.set(ADDRESS, ARRAY_BUFFERS_AT, pointers);
            array.set(ADDRESS, ARRAY_RELEASE_AT, releaseArray);
            array.set(JAVA_LONG, ARRAY_PRIVATE_AT, id);
        }
    }

    ArrowStream(Source source) {
        this.source = source;
        this.releaseSchema = function("releaseSchema", RELEASE);
        this.releaseArray = function("releaseArray", RELEASE);
        stream.set(ADDRESS, STREAM_SCHEMA_AT, function("schema", GET));
        stream.set(ADDRESS, STREAM_NEXT_AT, function("next", GET));
        stream.set(ADDRESS, STREAM_ERROR_AT, function("error", ERROR));
        stream.set(ADDRESS, STREAM_RELEASE_AT, function("releaseStream", RELEASE));
    }

    private MemorySegment function(String name, FunctionDescriptor descriptor) {
        try {
            MethodHandle method =
                    MethodHandles.lookup().bind(this, name, descriptor.toMethodType());
            return Linker.nativeLinker().upcallStub(method, descriptor, arena);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(name, e);
        }
    }

    @Override
    public long memoryAddress() {
        return stream.address();
    }

    /** What ended the stream before its end, or null. */
    Throwable failure() {
        return failure;
    }

    /** Frees all memory. Only once DuckDB cannot ask any more: when its query is over. */
    @Override
    public void close() {
        arena.close();
    }

    // What DuckDB calls. Nothing may be thrown from there: it would end the process.

    private int schema(MemorySegment self, MemorySegment out) {
        MemorySegment children = arena.allocate(ADDRESS, COLUMNS.length);
        for (int i = 0; i < COLUMNS.length; i++) {
            MemorySegment child = arena.allocate(SCHEMA_BYTES, Long.BYTES);
            describe(child, COLUMNS[i].type().arrow, COLUMNS[i].column());
            children.setAtIndex(ADDRESS, i, child);
        }
        MemorySegment schema = out.reinterpret(SCHEMA_BYTES);
        describe(schema, "+s", "");
        schema.set(JAVA_LONG, SCHEMA_CHILD_COUNT_AT, COLUMNS.length);
        schema.set(ADDRESS, SCHEMA_CHILDREN_AT, children);
        return 0;
    }

    private void describe(MemorySegment schema, String format, String name) {
        schema.fill((byte) 0);
        schema.set(ADDRESS, SCHEMA_FORMAT_AT, arena.allocateFrom(format));
        schema.set(ADDRESS, SCHEMA_NAME_AT, arena.allocateFrom(name));
        schema.set(JAVA_LONG, SCHEMA_FLAGS_AT, FLAG_NULLABLE);
        schema.set(ADDRESS, SCHEMA_RELEASE_AT, releaseSchema);
    }

    private int next(MemorySegment self, MemorySegment out) {
        MemorySegment array = out.reinterpret(ARRAY_BYTES);
        array.fill((byte) 0); // one that is released already is the end
        if (failure != null) {
            return EIO;
        }
        try {
            Lent lent = take();
            lent.batch.clear();
            source.fill(lent.batch);
            if (lent.batch.rows() == 0) {
                giveBack(lent);
            } else {
                lent.lendTo(array);
            }
            return 0;
        } catch (Throwable e) { // said by whoever asked the question
            failure = e;
            return EIO;
        }
    }

    private synchronized Lent take() {
        Lent lent = free.poll();
        if (lent == null) {
            lent = new Lent(all.size() + 1L);
            all.add(lent);
        }
        return lent;
    }

    private synchronized void giveBack(Lent lent) {
        free.push(lent);
    }

    private MemorySegment error(MemorySegment self) {
        return arena.allocateFrom(failure == null ? "" : String.valueOf(failure.getMessage()));
    }

    private void releaseSchema(MemorySegment schema) {
        schema.reinterpret(SCHEMA_BYTES).set(ADDRESS, SCHEMA_RELEASE_AT, MemorySegment.NULL);
    }

    private void releaseArray(MemorySegment array) {
        MemorySegment released = array.reinterpret(ARRAY_BYTES);
        released.set(ADDRESS, ARRAY_RELEASE_AT, MemorySegment.NULL);
        long number = released.get(JAVA_LONG, ARRAY_PRIVATE_AT);
        if (number > 0) {
            giveBack(lent(number));
        }
    }

    private synchronized Lent lent(long number) {
        return all.get((int) number - 1);
    }

    private void releaseStream(MemorySegment self) {
        self.reinterpret(STREAM_BYTES).set(ADDRESS, STREAM_RELEASE_AT, MemorySegment.NULL);
    }
}

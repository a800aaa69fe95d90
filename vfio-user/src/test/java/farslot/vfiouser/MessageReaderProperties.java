package farslot.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import farslot.posix.Descriptor;
import farslot.posix.Memfd;
import farslot.posix.UnixStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.FutureTask;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** However a client's messages are cut or glued, the same messages are read. */
class MessageReaderProperties {
    /** A message, and how many of its bytes come with those of the message before it. */
    record Sent(int command, int payloadBytes, boolean descriptor, boolean alone) {}

    @Provide
    Arbitrary<List<Sent>> messages() {
        Arbitrary<Integer> sizes =
                Arbitraries.frequencyOf(
                        net.jqwik.api.Tuple.of(20, Arbitraries.integers().between(0, 80)),
                        net.jqwik.api.Tuple.of(1, Arbitraries.integers().between(0, 200_000)));
        return Combinators.combine(
                        Arbitraries.of(
                                Messages.DMA_MAP,
                                Messages.SET_IRQS,
                                Messages.REGION_READ,
                                Messages.REGION_WRITE,
                                Messages.DEVICE_RESET),
                        sizes,
                        Arbitraries.of(true, false),
                        Arbitraries.of(true, false))
                .as((command, size, wants, alone) -> {
                    boolean descriptor = wants && Messages.takesDescriptors(command);
                    return new Sent(command, size, descriptor, alone || descriptor);
                })
                .list()
                .ofMaxSize(40);
    }

    /** As emulators do: a message with a descriptor is sent by itself, others are glued at will. */
    @Property(tries = 200)
    void messagesAndTheirDescriptorsAreTheSame(@ForAll("messages") List<Sent> messages)
            throws Exception {
        try (UnixStream.Pair pair = UnixStream.pair()) {
            FutureTask<Void> sender =
                    new FutureTask<>(() -> {
                        send(pair.first(), messages);
                        return null;
                    });
            Thread.ofPlatform().daemon().start(sender);
            MessageReader reader =
                    new MessageReader(pair.second(), new Complaints("a test"), new ReaderState());
            int index = 0;
            for (Sent sent : messages) {
                if (index % 7 == 6) {
                    reader = reader.successor();
                }
                Message message = reader.next();
                assertNotNull(message);
                assertEquals(index, message.id());
                assertEquals(sent.command(), message.command());
                assertEquals(sent.payloadBytes(), message.payloadBytes());
                assertEquals(sent.descriptor() ? 1 : 0, message.descriptors().count());
                for (int at = 0; at < sent.payloadBytes(); at += 1 + at / 3) {
                    assertEquals((index + at) & 0xff, message.u8(at));
                }
                if (sent.descriptor()) {
                    try (Descriptor taken = message.descriptors().take()) {
                        assertEquals(index + 1, taken.sizeBytes());
                    }
                }
                index++;
            }
            assertNull(reader.next());
            sender.get();
        }
    }

    private static void send(UnixStream stream, List<Sent> messages) throws IOException {
        ByteArrayOutputStream glued = new ByteArrayOutputStream();
        int index = 0;
        for (Sent sent : messages) {
            byte[] payload = new byte[sent.payloadBytes()];
            for (int at = 0; at < payload.length; at++) {
                payload[at] = (byte) (index + at);
            }
            byte[] bytes =
                    RawClient.message(
                            index,
                            sent.command(),
                            0,
                            RawClient.fields(payload.length).put(payload));
            if (sent.alone()) {
                flush(stream, glued);
            }
            if (sent.descriptor()) {
                try (Descriptor memory = Memfd.create("farslot-test", index + 1L);
                        Arena arena = Arena.ofConfined()) {
                    stream.write(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), memory.number());
                }
            } else {
                glued.writeBytes(bytes);
            }
            index++;
        }
        flush(stream, glued);
        stream.close();
    }

    private static void flush(UnixStream stream, ByteArrayOutputStream glued) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            if (glued.size() > 0) {
                stream.write(arena.allocateFrom(ValueLayout.JAVA_BYTE, glued.toByteArray()));
                glued.reset();
            }
        }
    }
}

package farslot.link;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** A TCP connection: blocking, and without delay for small pieces. */
final class TcpWire implements Wire {
    private final SocketChannel channel;

    TcpWire(SocketChannel channel) throws IOException {
        this.channel = channel;
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    @Override
    public int read(MemorySegment into) throws IOException {
        return channel.read(into.asByteBuffer());
    }

    @Override
    public void write(MemorySegment from) throws IOException {
        ByteBuffer buffer = from.asByteBuffer();
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    @Override
    public void finishWriting() {
        try {
            channel.shutdownOutput();
        } catch (IOException gone) {
            // The peer was first.
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException gone) {
            // It is closed all the same.
        }
    }
}

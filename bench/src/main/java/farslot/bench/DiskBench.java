package farslot.bench;

import farslot.bench.Workbench.Way;
import farslot.devices.nvme.NvmeKind;
import farslot.lender.Lender.Lendable;
import farslot.sdk.DeviceFunction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Measures how fast an NVMe disk is read on each path: what DMA costs. The data is checked. */
public final class DiskBench {
    private static final String NEAR = "device in this process";

    private DiskBench() {}

    /**
     * Measures.
     *
     * @param rounds how often each path has its turn, after one that does not count
     * @param mebibytes that each turn reads, in sequence, 128 KiB at a time, eight at once
     * @param progress hears which round it is
     * @throws IOException where a path cannot be made, breaks, or brings wrong data
     */
    public static List<Throughput> run(int rounds, int mebibytes, Consumer<String> progress)
            throws IOException {
        try (Workbench bench = new Workbench()) {
            Map<String, DiskReader> readers = readers(bench, (long) mebibytes << 20);
            return measure(readers, rounds, (long) mebibytes << 20, progress);
        }
    }

    private static Map<String, DiskReader> readers(Workbench bench, long bytes) throws IOException {
        DeviceFunction near = disk(bench, "near", bytes);
        List<Lendable> lendables = new ArrayList<>();
        for (String name : List.of("mapped", "messages", "far")) {
            lendables.add(new Lendable(name, disk(bench, name, bytes)));
        }
        bench.lend(lendables);
        Map<String, DiskReader> readers = new LinkedHashMap<>();
        readers.put(NEAR, bench.keep(new DiskReader(near)));
        readers.put(
                "UNIX link, memory mapped",
                bench.keep(new DiskReader(bench.borrow("mapped", Way.UNIX))));
        readers.put(
                "UNIX link, by messages",
                bench.keep(
                        new DiskReader(
                                bench.borrow(
                                        "messages",
                                        Way.UNIX,
                                        Workbench.options().withPassDescriptors(false)))));
        readers.put("TCP link", bench.keep(new DiskReader(bench.borrow("far", Way.TCP))));
        return readers;
    }

    private static DeviceFunction disk(Workbench bench, String name, long bytes)
            throws IOException {
        Path image = bench.folder().resolve(name + ".img");
        ByteBuffer piece =
                ByteBuffer.allocate(DiskReader.TRANSFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        try (FileChannel file =
                FileChannel.open(image, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long offset = 0; offset < bytes; offset += piece.capacity()) {
                for (int word = 0; word < piece.capacity(); word += 8) {
                    piece.putLong(word, offset + word);
                }
                piece.clear();
                while (piece.hasRemaining()) {
                    file.write(piece);
                }
            }
        }
        return bench.device(new NvmeKind(), Map.of("image", image.toString()));
    }

    private static List<Throughput> measure(
            Map<String, DiskReader> readers, int rounds, long bytes, Consumer<String> progress)
            throws IOException {
        Map<String, double[]> rates = new LinkedHashMap<>();
        readers.keySet().forEach(name -> rates.put(name, new double[rounds]));
        for (int round = -1; round < rounds; round++) {
            progress.accept(
                    round < 0
                            ? "disk: warming up"
                            : "disk: round " + (round + 1) + " of " + rounds);
            for (Map.Entry<String, DiskReader> reader : readers.entrySet()) {
                long begun = System.nanoTime();
                reader.getValue().read(bytes);
                double seconds = (System.nanoTime() - begun) / 1e9;
                if (round >= 0) {
                    rates.get(reader.getKey())[round] = bytes / 1e6 / seconds;
                }
            }
        }
        List<Throughput> all = new ArrayList<>();
        rates.forEach((name, own) -> {
            double[] ratios = new double[rounds];
            for (int round = 0; round < rounds; round++) {
                ratios[round] = own[round] / rates.get(NEAR)[round];
            }
            all.add(new Throughput(name, Workbench.median(own), Workbench.median(ratios)));
        });
        return all;
    }
}

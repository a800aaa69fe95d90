package farslot.devices.nvme;

import farslot.sdk.decode.Observation;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where the commands under way have their data in the driver's memory: by their PRPs (NVMe 1.4,
 * 4.3) and SGLs (4.4), so that DMA can be told to which command it belongs.
 */
final class TracedMemory {
    /** What a trace with nonsense in its lists may make this remember. */
    private static final int MAX_PLACES = 1 << 20;

    private static final int SGL_DESCRIPTOR_BYTES = 16;
    private static final int PRP_BYTES = 8;

    private enum Kind {
        DATA,
        PRP_LIST,
        SGL_SEGMENT
    }

    /** A piece of memory that a command names. */
    private static final class Place {
        /** Behind its last byte. */
        final long end;

        final TracedCommand command;
        final Kind kind;

        /** Where it stands in the command's data. */
        final long offset;

        /**
         * One that begins at the same address, of an earlier command: drivers write zeros from one
         * page again and again.
         */
        Place below;

        boolean used;

        Place(long end, TracedCommand command, Kind kind, long offset) {
            this.end = end;
            this.command = command;
            this.kind = kind;
            this.offset = offset;
        }
    }

    /** How many commands with the same place are told apart. */
    private static final int MAX_DEPTH = 64;

    private final TreeMap<Long, Place> places = new TreeMap<>(Long::compareUnsigned);
    private boolean full;

    /** Whether places were not remembered, since there were too many. */
    boolean isFull() {
        return full;
    }

    /**
     * Remembers what a command names.
     *
     * @param pageBytes a memory page, by CC.MPS
     * @param dataBytes how much data the command moves; -1 where that is not known
     */
    void add(TracedCommand command, int pageBytes, long dataBytes) {
        if (dataBytes == 0 || !command.knows(24, 16)) {
            return;
        }
        if ((command.number(1, 1) & 0xC0) != 0) {
            descriptor(command, command.number(24, 8), command.number(32, 8), 0);
            return;
        }
        long prp1 = command.number(24, 8);
        long prp2 = command.number(32, 8);
        long firstPage = pageBytes - (prp1 & (pageBytes - 1));
        if (dataBytes < 0) {
            put(prp1, firstPage, command, Kind.DATA, 0);
            put(prp2, prp2 == 0 ? 0 : pageBytes, command, Kind.DATA, firstPage);
            return;
        }
        long first = Math.min(dataBytes, firstPage);
        put(prp1, first, command, Kind.DATA, 0);
        long rest = dataBytes - first;
        if (rest > pageBytes) {
            long listBytes = pageBytes - (prp2 & (pageBytes - 1));
            put(prp2, listBytes, command, Kind.PRP_LIST, first);
        } else {
            put(prp2, rest, command, Kind.DATA, first);
        }
    }

    private void put(long address, long bytes, TracedCommand command, Kind kind, long offset) {
        if (bytes <= 0) {
            return;
        }
        if (places.size() >= MAX_PLACES) {
            full = true;
            return;
        }
        Place place = new Place(address + bytes, command, kind, offset);
        place.below = places.put(address, place);
        command.places().add(address);
        Place deep = place;
        for (int depth = 0; deep.below != null; depth++) {
            if (depth == MAX_DEPTH) {
                deep.below = null;
                full = true;
                break;
            }
            deep = deep.below;
        }
    }

    /** The command's memory is the driver's again. */
    void remove(TracedCommand command) {
        for (Long address : command.places()) {
            Place place = places.get(address);
            Place kept = without(place, command);
            if (place != null && kept == null) {
                places.remove(address);
            } else if (place != kept) {
                places.put(address, kept);
            }
        }
        command.places().clear();
    }

    private static Place without(Place top, TracedCommand command) {
        Place first = top;
        while (first != null && first.command == command) {
            first = first.below;
        }
        for (Place place = first; place != null && place.below != null; ) {
            if (place.below.command == command) {
                place.below = place.below.below;
            } else {
                place = place.below;
            }
        }
        return first;
    }

    /** Of several commands with one place, the earliest that has not used it. */
    private static Place turn(Place top) {
        Place turn = top;
        for (Place place = top; place != null; place = place.below) {
            turn = place.used ? turn : place;
        }
        turn.used = true;
        return turn;
    }

    /**
     * Takes DMA that may move a command's data, or read where it is.
     *
     * @param pageBytes a memory page, by CC.MPS
     * @param dataBytes how much data a command moves
     * @return the command it belongs to, or null
     */
    TracedCommand observe(Observation.Dma dma, int pageBytes, DataSize dataBytes) {
        Map.Entry<Long, Place> entry = places.floorEntry(dma.address());
        if (entry == null || Long.compareUnsigned(dma.address(), entry.getValue().end) >= 0) {
            return null;
        }
        Place place = turn(entry.getValue());
        TracedCommand command = place.command;
        long within = dma.address() - entry.getKey();
        if (dma.status() != null && !dma.status().isSuccess()) {
            command.remark("DMA of its data ended " + dma.status());
            return command;
        }
        switch (place.kind) {
            case DATA -> command.moved(dma, place.offset + within);
            case PRP_LIST -> prpList(dma, place, pageBytes, dataBytes.of(command));
            case SGL_SEGMENT -> sglSegment(dma, place);
        }
        return command;
    }

    /** How much data a command moves. */
    interface DataSize {
        /** In bytes; -1 where that is not known. */
        long of(TracedCommand command);
    }

    /** The last entry of a page is the next list's address where more pages are needed (4.3). */
    private void prpList(Observation.Dma dma, Place place, int pageBytes, long dataBytes) {
        long offset = place.offset;
        for (int at = 0; at + PRP_BYTES <= dma.length() && offset < dataBytes; at += PRP_BYTES) {
            if (at + PRP_BYTES > dma.bytes().length) {
                place.command.remark("its PRP list was not recorded whole");
                return;
            }
            long address = dma.number(at, PRP_BYTES);
            boolean lastOfPage = ((dma.address() + at + PRP_BYTES) & (pageBytes - 1)) == 0;
            if (lastOfPage && dataBytes - offset > pageBytes) {
                put(address, pageBytes, place.command, Kind.PRP_LIST, offset);
                return;
            }
            long bytes = Math.min(pageBytes, dataBytes - offset);
            put(address, bytes, place.command, Kind.DATA, offset);
            offset += bytes;
        }
    }

    private void sglSegment(Observation.Dma dma, Place place) {
        long offset = place.offset;
        for (int at = 0; at + SGL_DESCRIPTOR_BYTES <= dma.length(); at += SGL_DESCRIPTOR_BYTES) {
            if (at + SGL_DESCRIPTOR_BYTES > dma.bytes().length) {
                place.command.remark("its SGL was not recorded whole");
                return;
            }
            offset = descriptor(place.command, dma.number(at, 8), dma.number(at + 8, 8), offset);
        }
    }

    /** 4.4.1; returns where in the command's data what follows it stands. */
    private long descriptor(TracedCommand command, long low, long high, long offset) {
        long length = high & 0xFFFF_FFFFL;
        switch ((int) (high >>> 60)) {
            case 0 -> put(low, length, command, Kind.DATA, offset);
            case 2, 3 -> {
                put(low, length, command, Kind.SGL_SEGMENT, offset);
                return offset;
            }
            default -> {} // a bit bucket takes data and keeps none
        }
        return offset + length;
    }
}

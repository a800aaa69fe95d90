package farslot.cli;

import farslot.recorder.TraceText;

/** Colours a line of {@link TraceText}: the kind by what it is, what went wrong in red. */
final class TracePaint {
    private static final String DIM = "\u001b[2m";
    private static final String RED = "\u001b[1;31m";
    private static final String PLAIN = "\u001b[0m";

    private TracePaint() {}

    static String paint(String line) {
        int end = Math.min(line.length(), TraceText.PLACE_AT);
        String kind = line.substring(TraceText.KIND_AT, end).strip();
        StringBuilder painted = new StringBuilder(line.length() + 32);
        painted.append(DIM).append(line, 0, TraceText.KIND_AT).append(PLAIN);
        painted.append(color(kind)).append(line, TraceText.KIND_AT, end).append(PLAIN);
        int wrong = Math.max(line.lastIndexOf(" status="), line.lastIndexOf(" UNDER-WAY"));
        if (wrong < end) {
            return painted.append(line, end, line.length()).toString();
        }
        painted.append(line, end, wrong).append(RED);
        return painted.append(line, wrong, line.length()).append(PLAIN).toString();
    }

    private static String color(String kind) {
        return switch (kind) {
            case "read" -> "\u001b[36m";
            case "write" -> "\u001b[33m";
            case "dma-read", "dma-write" -> "\u001b[34m";
            case "irq", "irq-ctl" -> "\u001b[35m";
            case "poll", "repeat" -> DIM;
            case "mark" -> "\u001b[1;32m";
            case "reset", "event" -> "\u001b[1m";
            default -> "";
        };
    }
}

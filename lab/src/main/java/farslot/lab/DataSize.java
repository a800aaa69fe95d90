package farslot.lab;

import java.util.Locale;

/** Sizes as people read them, in powers of 1000 as downloads and disks are sold. */
final class DataSize {
    private DataSize() {}

    static String text(long sizeBytes) {
        return sizeBytes < 1_000_000
                ? String.format(Locale.ROOT, "%d kB", (sizeBytes + 999) / 1000)
                : String.format(Locale.ROOT, "%d MB", (sizeBytes + 999_999) / 1_000_000);
    }
}

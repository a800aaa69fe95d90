package farslot.devices.nvme;

import farslot.block.ImageException;
import farslot.block.RawImage;
import farslot.sdk.DeviceCreationException;
import farslot.sdk.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;

/** Opens the images that the options name, each as a namespace. */
final class NamespaceImages {
    private NamespaceImages() {}

    /**
     * Opens all, or none.
     *
     * @param serial the controller's, or null where it is made from the image
     */
    static Namespaces open(Options options, String serial) throws DeviceCreationException {
        int blockBytes = Integer.parseInt(options.choice(NvmeKind.BLOCK_SIZE.name()));
        OptionalLong size =
                options.has(NvmeKind.SIZE.name())
                        ? OptionalLong.of(options.sizeBytes(NvmeKind.SIZE.name()))
                        : OptionalLong.empty();
        List<Namespace> opened = new ArrayList<>();
        List<Path> created = new ArrayList<>();
        try {
            Path first = options.path(NvmeKind.IMAGE.name());
            for (Path path : paths(first, options)) {
                boolean isNew = !Files.exists(path);
                // Further images may have sizes of their own.
                OptionalLong ofThis = isNew || path.equals(first) ? size : OptionalLong.empty();
                opened.add(open(path, ofThis, blockBytes, serial));
                if (isNew) {
                    created.add(path);
                }
            }
            return new Namespaces(opened);
        } catch (ImageException e) {
            undo(opened, created);
            throw new DeviceCreationException(e.getMessage(), e);
        }
    }

    private static void undo(List<Namespace> opened, List<Path> created) {
        try {
            new Namespaces(opened).close();
            for (Path path : created) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            System.getLogger("farslot.nvme").log(System.Logger.Level.ERROR, e.getMessage());
        }
    }

    /** The first, and those behind "more": ':' stands between two, twice for one in a path. */
    private static List<Path> paths(Path first, Options options) {
        List<Path> paths = new ArrayList<>(List.of(first));
        if (!options.has(NvmeKind.MORE.name())) {
            return paths;
        }
        StringBuilder path = new StringBuilder();
        String text = options.text(NvmeKind.MORE.name()) + ":";
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == ':' && i + 2 < text.length() && text.charAt(i + 1) == ':') {
                path.append(c);
                i++;
            } else if (c == ':') {
                paths.add(Path.of(path.toString()));
                path.setLength(0);
            } else {
                path.append(c);
            }
        }
        return paths;
    }

    private static Namespace open(Path path, OptionalLong size, int blockBytes, String serial)
            throws ImageException {
        UncorrectableBlocks uncorrectable =
                UncorrectableBlocks.of(path.resolveSibling(path.getFileName() + ".uncorrectable"));
        RawImage image = RawImage.open(path, size, blockBytes);
        UUID uuid = Namespace.uuidOf(place(path) + " " + serial);
        return new Namespace(image, blockBytes, uuid, uncorrectable);
    }

    /**
     * This machine and the image's full path: a driver that sees several disks, perhaps of several
     * machines, must be able to tell them apart, and find each again.
     */
    private static String place(Path path) {
        return read(Path.of("/proc/sys/kernel/hostname")) + " " + fullPath(path);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException _) {
            return "";
        }
    }

    private static String fullPath(Path path) {
        try {
            return path.toRealPath().toString();
        } catch (IOException _) {
            return path.toAbsolutePath().toString();
        }
    }
}

package farslot.devices.nvme;

import farslot.block.BlockImage;
import farslot.block.ImageException;
import farslot.block.RawImage;
import farslot.registers.RegisterMap;
import farslot.sdk.BadOptionException;
import farslot.sdk.Device;
import farslot.sdk.DeviceCreationException;
import farslot.sdk.DeviceKind;
import farslot.sdk.Option;
import farslot.sdk.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;

/** The kind "nvme": {@code farslot lend nvme,image=d.img[,size=1G][,...]}. */
public final class NvmeKind implements DeviceKind {
    static final int DEFAULT_QUEUES = 8;
    static final int MAX_QUEUES = 64;

    private static final int SERIAL_LENGTH = 20;
    private static final int MODEL_LENGTH = 40;

    private static final Option IMAGE =
            Option.required("image", Option.Type.PATH, "the file with the disk's content");

    private static final Option SIZE =
            Option.optional(
                    "size",
                    Option.Type.SIZE,
                    null,
                    "the disk's size, for an image that does not exist yet; it takes no room until"
                            + " it is written");

    private static final Option SERIAL =
            Option.optional(
                    "serial",
                    Option.Type.TEXT,
                    null,
                    "the serial number, up to 20 ASCII characters; made from the image's path if"
                            + " left out");

    private static final Option MODEL =
            Option.optional(
                    "model",
                    Option.Type.TEXT,
                    "Farslot NVMe",
                    "the model that drivers show, up to 40 ASCII characters");

    private static final Option BLOCK_SIZE =
            Option.choice("block_size", List.of("512", "4096"), "bytes of a logical block");

    private static final Option QUEUES =
            Option.optional(
                    "queues",
                    Option.Type.NUMBER,
                    Integer.toString(DEFAULT_QUEUES),
                    "I/O queue pairs, 1 to 64");

    private static final Option MSIX =
            Option.optional("msix", Option.Type.SWITCH, "on", "whether MSI-X is offered");

    private static final Option MSI =
            Option.optional("msi", Option.Type.SWITCH, "on", "whether MSI is offered");

    /** For {@link java.util.ServiceLoader}. */
    public NvmeKind() {}

    @Override
    public String kind() {
        return "nvme";
    }

    @Override
    public String summary() {
        return "NVM Express 1.4 disk controller with a disk image behind it";
    }

    @Override
    public List<Option> options() {
        return List.of(IMAGE, SIZE, SERIAL, MODEL, BLOCK_SIZE, QUEUES, MSIX, MSI);
    }

    @Override
    public RegisterMap registerMap() {
        return Registers.MAP;
    }

    @Override
    public Device create(Options options) throws DeviceCreationException {
        int queues = queues(options);
        String model = text(options, MODEL, MODEL_LENGTH);
        String serial = options.has(SERIAL.name()) ? text(options, SERIAL, SERIAL_LENGTH) : null;
        int blockBytes = Integer.parseInt(options.choice(BLOCK_SIZE.name()));
        BlockImage image = openImage(options, blockBytes);
        UUID uuid = Namespace.uuidOf(place(image) + " " + serial);
        String number =
                serial != null
                        ? serial
                        : "FS" + Long.toHexString(uuid.getMostSignificantBits() >>> 4);
        ControllerState state =
                new ControllerState(
                        new Namespace(image, blockBytes, uuid),
                        NvmeDevice.IDENTITY.vendor(),
                        number,
                        model,
                        queues,
                        new HealthCounters(),
                        new ErrorLog(),
                        new DataBuffers(Identify.MAX_TRANSFER_BYTES));
        return new NvmeDevice(
                state, registerMap(), options.isOn(MSIX.name()), options.isOn(MSI.name()));
    }

    private static int queues(Options options) throws BadOptionException {
        long queues = options.number(QUEUES.name());
        if (queues < 1 || queues > MAX_QUEUES) {
            throw new BadOptionException(
                    "nvme: queues=" + queues + " is not within 1 to " + MAX_QUEUES + ".");
        }
        return (int) queues;
    }

    private static String text(Options options, Option option, int longest)
            throws BadOptionException {
        String text = options.text(option.name());
        boolean printable = text.chars().allMatch(c -> c >= ' ' && c <= '~');
        if (text.length() > longest || !printable) {
            throw new BadOptionException(
                    "nvme: "
                            + option.name()
                            + "="
                            + text
                            + " is not "
                            + longest
                            + " printable ASCII characters or fewer.");
        }
        return text;
    }

    private static BlockImage openImage(Options options, int blockBytes)
            throws DeviceCreationException {
        OptionalLong size =
                options.has(SIZE.name())
                        ? OptionalLong.of(options.sizeBytes(SIZE.name()))
                        : OptionalLong.empty();
        try {
            return RawImage.open(options.path(IMAGE.name()), size, blockBytes);
        } catch (ImageException e) {
            throw new DeviceCreationException(e.getMessage(), e);
        }
    }

    /**
     * This machine and the image's full path: a driver that sees several disks, perhaps of several
     * machines, must be able to tell them apart, and find each again.
     */
    private static String place(BlockImage image) {
        return read(Path.of("/proc/sys/kernel/hostname")) + " " + fullPath(image.name());
    }

    private static String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException _) {
            return "";
        }
    }

    private static String fullPath(String name) {
        Path path = Path.of(name);
        try {
            return path.toRealPath().toString();
        } catch (IOException _) {
            return path.toAbsolutePath().toString();
        }
    }

    /** Loaded when first asked for, once. */
    private static final class Registers {
        static final RegisterMap MAP =
                RegisterMap.ofResource("nvme.xml", NvmeKind.class.getResourceAsStream("nvme.xml"));
    }
}

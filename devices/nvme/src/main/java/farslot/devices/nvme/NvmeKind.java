package farslot.devices.nvme;

import farslot.registers.RegisterMap;
import farslot.sdk.BadOptionException;
import farslot.sdk.Device;
import farslot.sdk.DeviceCreationException;
import farslot.sdk.DeviceKind;
import farslot.sdk.Option;
import farslot.sdk.Options;
import java.util.List;
import java.util.UUID;

/** The kind "nvme": {@code farslot lend nvme,image=d.img[,size=1G][,...]}. */
public final class NvmeKind implements DeviceKind {
    static final int DEFAULT_QUEUES = 8;
    static final int MAX_QUEUES = 64;

    private static final int SERIAL_LENGTH = 20;
    private static final int MODEL_LENGTH = 40;

    static final Option IMAGE =
            Option.required("image", Option.Type.PATH, "the file with the disk's content");

    static final Option MORE =
            Option.optional(
                    "more",
                    Option.Type.TEXT,
                    null,
                    "more images, each a namespace: paths with ':' between, or '::' for ':' in a"
                            + " path");

    static final Option SIZE =
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

    static final Option BLOCK_SIZE =
            Option.choice("block_size", List.of("512", "4096"), "bytes of a logical block");

    private static final Option QUEUES =
            Option.optional(
                    "queues",
                    Option.Type.NUMBER,
                    Integer.toString(DEFAULT_QUEUES),
                    "I/O queue pairs, 1 to 64");

    private static final Option CACHE =
            Option.optional(
                    "cache",
                    Option.Type.SWITCH,
                    "on",
                    "whether written data may wait in a volatile cache until the driver flushes");

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
        return "NVM Express 1.4 disk controller with disk images behind it";
    }

    @Override
    public List<Option> options() {
        return List.of(IMAGE, MORE, SIZE, BLOCK_SIZE, CACHE, QUEUES, SERIAL, MODEL, MSIX, MSI);
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
        Namespaces namespaces = NamespaceImages.open(options, serial);
        UUID uuid = namespaces.first().uuid();
        String number =
                serial != null
                        ? serial
                        : "FS" + Long.toHexString(uuid.getMostSignificantBits() >>> 4);
        ControllerState state =
                new ControllerState(
                        namespaces,
                        NvmeDevice.IDENTITY.vendor(),
                        number,
                        model,
                        queues,
                        options.isOn(CACHE.name()),
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

    /** Loaded when first asked for, once. */
    private static final class Registers {
        static final RegisterMap MAP =
                RegisterMap.ofResource("nvme.xml", NvmeKind.class.getResourceAsStream("nvme.xml"));
    }
}

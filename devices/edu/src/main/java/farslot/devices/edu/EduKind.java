package farslot.devices.edu;

import farslot.registers.RegisterMap;
import farslot.sdk.Device;
import farslot.sdk.DeviceKind;
import farslot.sdk.Option;
import farslot.sdk.Options;
import java.util.List;

/** The kind "edu": {@code farslot lend edu[,bar=io][,dma_mask=MASK]}. */
public final class EduKind implements DeviceKind {
    private static final Option BAR =
            Option.choice(
                    "bar",
                    List.of("memory", "io"),
                    "where the registers are: in 1 MiB of memory, or in 256 I/O ports");

    private static final Option DMA_MASK =
            Option.optional(
                    "dma_mask",
                    Option.Type.NUMBER,
                    "0xfffffff",
                    "the DMA addresses that the device can use, 28 bits as in QEMU");

    /** For {@link java.util.ServiceLoader}. */
    public EduKind() {}

    @Override
    public String kind() {
        return "edu";
    }

    @Override
    public String summary() {
        return "QEMU's teaching device: factorials, interrupts, DMA";
    }

    @Override
    public List<Option> options() {
        return List.of(BAR, DMA_MASK);
    }

    @Override
    public RegisterMap registerMap() {
        return Registers.MAP;
    }

    @Override
    public Device create(Options options) {
        return new EduDevice(options.choice("bar").equals("io"), options.number("dma_mask"));
    }

    /** Loaded when first asked for, once. */
    private static final class Registers {
        static final RegisterMap MAP =
                RegisterMap.ofResource("edu.xml", EduKind.class.getResourceAsStream("edu.xml"));
    }
}

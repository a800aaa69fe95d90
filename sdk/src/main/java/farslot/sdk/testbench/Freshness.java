package farslot.sdk.testbench;

import farslot.core.ConfigurationSpace;
import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.FunctionDescription;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterMap;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a driver can read of a function that nobody uses, place by place: the whole of configuration
 * space, each register that can be read without an effect, and the MSI-X table with its pending
 * bits. Two functions of one kind with the same options, one of them new, are to look the same.
 *
 * <p>Any function will do, a remote one too. It is looked at as it is: space by space is enabled
 * for the look, and the command register is put back.
 *
 * @param values by the name of the place
 */
public record Freshness(Map<String, Long> values) {
    private static final int BOTH_SPACES =
            ConfigurationSpace.COMMAND_IO | ConfigurationSpace.COMMAND_MEMORY;

    /** Of an entry in the MSI-X table (PCI 3.0, 6.8.2). */
    private static final int ENTRY_BYTES = 16;

    /**
     * Looks at a function.
     *
     * @param registers its kind's map
     * @throws AssertionError where it does not answer
     */
    public static Freshness of(PciFunction function, RegisterMap registers) {
        Map<String, Long> values = new LinkedHashMap<>();
        for (int at = 0; at < Region.CONFIGURATION_SIZE_BYTES; at += 4) {
            values.put(
                    "configuration 0x%03x".formatted(at),
                    read(function, Region.CONFIGURATION, at, 4));
        }
        long command = read(function, Region.CONFIGURATION, ConfigurationSpace.COMMAND, 2);
        command(function, command | BOTH_SPACES);
        try {
            FunctionDescription description = function.describe();
            for (Region region : description.regions()) {
                if (registers.has(region.label())) {
                    readRegisters(function, region, registers.domain(region.label()), values);
                }
            }
            readMsix(function, description, values);
        } finally {
            command(function, command);
        }
        return new Freshness(values);
    }

    private static void readRegisters(
            PciFunction function, Region region, RegisterDomain domain, Map<String, Long> values) {
        for (Register register : domain.registers()) {
            long elements = register.dimensions() == 0 ? 1 : register.length(0);
            boolean readable = register.dimensions() < 2 && register.readEffect().harmless();
            for (long i = 0; readable && i < elements; i++) {
                long at = register.dimensions() == 0 ? register.offset() : register.offset(i);
                if (at + register.widthBytes() <= region.sizeBytes()) {
                    values.put(
                            region.label() + " " + register.nameAt(at),
                            read(function, region.index(), at, register.widthBytes()));
                }
            }
        }
    }

    private static void readMsix(
            PciFunction function, FunctionDescription description, Map<String, Long> values) {
        for (FunctionDescription.CapabilityPlace place : description.capabilities()) {
            if (!place.extended() && place.id() == ConfigurationSpaceBuilder.ID_MSIX) {
                int vectors = description.msixVectors();
                readPart(function, place.offset() + 4, vectors * ENTRY_BYTES, "table", values);
                readPart(function, place.offset() + 8, (vectors + 63) / 64 * 8, "pending", values);
            }
        }
    }

    /** What a register of the capability points to: a BAR's index, and an offset in it. */
    private static void readPart(
            PciFunction function,
            int pointerAt,
            int sizeBytes,
            String name,
            Map<String, Long> values) {
        long pointer = read(function, Region.CONFIGURATION, pointerAt, 4);
        for (int at = 0; at < sizeBytes; at += 4) {
            values.put(
                    "MSI-X %s 0x%03x".formatted(name, at),
                    read(function, (int) pointer & 7, (pointer & ~7L) + at, 4));
        }
    }

    private static long read(PciFunction function, int region, long offset, int sizeBytes) {
        byte[] bytes = new byte[sizeBytes];
        var status = function.read(region, offset, MemorySegment.ofArray(bytes), sizeBytes);
        if (!status.isSuccess()) {
            throw new AssertionError(
                    "Region %d at 0x%x cannot be read: %s".formatted(region, offset, status));
        }
        long value = 0;
        for (int i = 0; i < sizeBytes; i++) {
            value |= (bytes[i] & 0xffL) << (8 * i);
        }
        return value;
    }

    private static void command(PciFunction function, long value) {
        byte[] bytes = {(byte) value, (byte) (value >>> 8)};
        function.write(
                Region.CONFIGURATION,
                ConfigurationSpace.COMMAND,
                MemorySegment.ofArray(bytes),
                2,
                PciFunction.ALL_BYTES);
    }

    /** What is not as in the other, a place a line; empty where all is the same. */
    public List<String> differencesFrom(Freshness fresh) {
        List<String> differences = new ArrayList<>();
        fresh.values.forEach((place, value) -> {
            Long here = values.get(place);
            if (!value.equals(here)) {
                differences.add(
                        "%s: %s, and 0x%x in a new one"
                                .formatted(
                                        place,
                                        here == null ? "nothing" : "0x%x".formatted(here),
                                        value));
            }
        });
        for (String place : values.keySet()) {
            if (!fresh.values.containsKey(place)) {
                differences.add(place + ": a new one has none");
            }
        }
        return differences;
    }
}

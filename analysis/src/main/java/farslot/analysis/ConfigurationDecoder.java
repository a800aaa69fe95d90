package farslot.analysis;

import farslot.core.FunctionDescription;
import farslot.core.Region;
import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterField;
import farslot.registers.RegisterText;
import farslot.sdk.decode.Decoder;
import farslot.sdk.decode.Observation;
import farslot.sdk.decode.Transaction;
import farslot.sdk.decode.Transaction.Field;
import farslot.sdk.decode.Transaction.Meaning;
import farslot.sdk.decode.Transaction.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * What the driver's side changed in configuration space: which spaces, interrupts and power state
 * it set, and where it put the regions. A write that changes nothing is no transaction.
 */
final class ConfigurationDecoder implements Decoder {
    private final RegisterDomain domain;
    private final ConfigurationImage image;
    private final Consumer<Transaction> found;

    /** What was last said of each region. */
    private final Map<Integer, ConfigurationImage.Base> bases = new TreeMap<>();

    private long count;

    ConfigurationDecoder(
            FunctionDescription function, RegisterDomain domain, Consumer<Transaction> found) {
        this.domain = domain;
        this.image = new ConfigurationImage(function, domain);
        this.found = found;
    }

    @Override
    public boolean observe(Observation observation) {
        if (observation instanceof Observation.Access access
                && access.write()
                && access.region() == Region.CONFIGURATION
                && access.bytes().length > 0) {
            write(access);
        } else {
            image.observe(observation);
        }
        return false; // each access stands for itself
    }

    /** The registers that an access reaches, each as it was before. */
    private record Before(Register register, int offset, long known, long value) {}

    private void write(Observation.Access access) {
        List<Before> reached = new ArrayList<>();
        long end = access.offset() + access.bytes().length;
        for (long at = Math.max(0, access.offset()); at < end && at < domain.sizeBytes(); ) {
            Register register = domain.find(at);
            if (register == null) {
                at++;
                continue;
            }
            int start = (int) register.elementStart(at);
            int bytes = register.widthBytes();
            reached.add(
                    new Before(
                            register, start, image.known(start, bytes), image.value(start, bytes)));
            at = start + (long) bytes;
        }
        image.observe(access);
        for (Before before : reached) {
            if (!isBase(before.offset)) {
                changed(access, before);
            }
        }
        placed(access);
    }

    private boolean isBase(int offset) {
        boolean base = (offset >= 0x10 && offset < 0x28) || offset == 0x30;
        return base && !image.function().regions().isEmpty();
    }

    private void changed(Observation.Access access, Before before) {
        Register register = before.register;
        long known = image.known(before.offset, register.widthBytes());
        long value = image.value(before.offset, register.widthBytes());
        long changed = (known & ~before.known) | ((value ^ before.value) & known);
        if (changed == 0) {
            return;
        }
        List<Field> fields = new ArrayList<>();
        for (RegisterField field : register.fields()) {
            if ((field.mask() & changed) != 0 && (field.mask() & ~known) == 0) {
                fields.add(field(field, value));
            }
        }
        if (register.fields().isEmpty()) {
            fields.add(field(register.whole(), value));
        }
        if (!fields.isEmpty()) {
            give(access, register.nameAt(before.offset), fields);
        }
    }

    private static Field field(RegisterField field, long value) {
        return new Field(
                field.name(), field.get(value), RegisterText.value(field, value), Meaning.VALUE);
    }

    private void placed(Observation.Access access) {
        for (Region region : image.function().regions()) {
            if (region.index() == Region.CONFIGURATION) {
                continue;
            }
            ConfigurationImage.Base now = image.base(region);
            ConfigurationImage.Base before = bases.get(region.index());
            if (now instanceof ConfigurationImage.Base.At at) {
                boolean same =
                        before instanceof ConfigurationImage.Base.At old
                                && old.address() == at.address();
                if (!same && at.address() != 0) {
                    give(access, region.label() + " placed", List.of(hex("ADDRESS", at.address())));
                    bases.put(region.index(), now);
                }
            } else if (now instanceof ConfigurationImage.Base.BeingSized && !now.equals(before)) {
                give(access, region.label() + " sized", List.of(hex("SIZE", region.sizeBytes())));
                bases.put(region.index(), now);
            }
        }
    }

    private static Field hex(String name, long value) {
        return new Field(name, value, "0x" + Long.toHexString(value), Meaning.VALUE);
    }

    private void give(Observation.Access access, String title, List<Field> fields) {
        String status = access.status() == null ? "" : access.status().name();
        Stage stage = new Stage("write", access.when().number(), access.when().nanos());
        found.accept(
                new Transaction("CFG", count++, title, fields, status, List.of(stage), List.of()));
    }

    @Override
    public void end() {
        // Nothing is ever under way.
    }

    @Override
    public List<String> remarks() {
        return List.of();
    }
}

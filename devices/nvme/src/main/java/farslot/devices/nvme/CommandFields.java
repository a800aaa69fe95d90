package farslot.devices.nvme;

import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterField;
import farslot.registers.RegisterMap;
import farslot.registers.RegisterText;
import farslot.sdk.decode.Transaction.Field;
import farslot.sdk.decode.Transaction.Meaning;
import java.util.ArrayList;
import java.util.List;

/**
 * What a command of a trace says, by the names of the register map: its domains ADMIN_SUBMISSION
 * and NVM_SUBMISSION, and OPCODE_COMMAND for the dwords 10 to 15 of one opcode.
 */
final class CommandFields {
    private static final RegisterMap MAP = new NvmeKind().registerMap();

    private static final int IDENTIFIER = 2;
    private static final int NAMESPACE = 4;
    private static final int METADATA = 16;
    private static final int POINTER1 = 24;
    private static final int POINTER2 = 32;
    private static final int PARAMETERS = 40;
    private static final int SET_FEATURES = 0x09;
    private static final int GET_FEATURES = 0x0A;

    private CommandFields() {}

    private static RegisterDomain entry(TracedCommand command) {
        return MAP.domain(command.isAdmin() ? "ADMIN_SUBMISSION" : "NVM_SUBMISSION");
    }

    /** "READ"; "0xc0" where the map has no such opcode, "?" where it is not known. */
    static String title(TracedCommand command) {
        if (command.opcode() < 0) {
            return "?";
        }
        String name = entry(command).register("OPC").whole().nameOf(command.opcode());
        return name != null ? name : "0x" + Integer.toHexString(command.opcode());
    }

    /** All but opcode and flags, as far as they are known; pointers where they are not 0. */
    static List<Field> of(TracedCommand command) {
        List<Field> fields = new ArrayList<>();
        if (command.knows(NAMESPACE, 4)) {
            long namespace = command.number(NAMESPACE, 4);
            fields.add(new Field("NSID", namespace, namespaceText(namespace), Meaning.VALUE));
        }
        parameters(fields, command);
        pointers(fields, command);
        if (command.identifier() >= 0) {
            long identifier = command.number(IDENTIFIER, 2);
            fields.add(
                    new Field(
                            "CID",
                            identifier,
                            "0x" + Long.toHexString(identifier),
                            Meaning.IDENTIFIER));
        }
        return fields;
    }

    private static String namespaceText(long namespace) {
        return namespace == 0xFFFF_FFFFL ? "all" : Long.toString(namespace);
    }

    private static void pointers(List<Field> fields, TracedCommand command) {
        boolean sgl = (command.number(1, 1) & 0xC0) != 0;
        address(fields, command, "MPTR", METADATA);
        if (sgl && command.knows(POINTER1, 16)) {
            address(fields, command, "SGL1", POINTER1);
            fields.add(Field.number("SGL1.LENGTH", command.number(POINTER2, 4)));
            fields.add(hex("SGL1.IDENTIFIER", command.number(POINTER2 + 7, 1)));
        } else {
            address(fields, command, "PRP1", POINTER1);
            address(fields, command, "PRP2", POINTER2);
        }
    }

    private static void address(
            List<Field> fields, TracedCommand command, String name, int offset) {
        if (command.knows(offset, 8) && command.number(offset, 8) != 0) {
            fields.add(Field.address(name, command.number(offset, 8)));
        }
    }

    private static Field hex(String name, long value) {
        return new Field(name, value, "0x" + Long.toHexString(value), Meaning.VALUE);
    }

    /** The dwords 10 to 15. */
    private static void parameters(List<Field> fields, TracedCommand command) {
        String own = title(command) + "_COMMAND";
        boolean blocks = !command.isAdmin() && namesBlocks(command.opcode());
        if (!MAP.has(own) && !blocks) {
            for (int number = 10; number <= 15; number++) {
                if (command.knows(4 * number, 4) && command.dword(number) != 0) {
                    fields.add(hex("CDW" + number, command.number(4 * number, 4)));
                }
            }
            return;
        }
        RegisterDomain domain = blocks ? entry(command) : MAP.domain(own);
        for (Register register : domain.registers()) {
            int offset = (int) register.offset();
            if (offset < PARAMETERS || !command.knows(offset, register.widthBytes())) {
                continue;
            }
            long value = command.number(offset, register.widthBytes());
            if (offset == 4 * 11 && command.isAdmin() && isFeatures(command)) {
                fields.addAll(feature(command, value));
            } else {
                addAll(fields, register, value);
            }
        }
    }

    private static boolean namesBlocks(int opcode) {
        NvmOpcode known = NvmOpcode.ofCode(opcode);
        return known != null && known.namesBlocks();
    }

    private static boolean isFeatures(TracedCommand command) {
        return command.opcode() == SET_FEATURES || command.opcode() == GET_FEATURES;
    }

    /** A register without fields is one, left out where it is 0 and has no name of its own. */
    private static void addAll(List<Field> fields, Register register, long value) {
        if (register.fields().isEmpty()) {
            if (value != 0 || !register.name().startsWith("CDW")) {
                fields.add(field(register.name(), register.whole(), value));
            }
            return;
        }
        for (RegisterField field : register.fields()) {
            fields.add(field(field.name(), field, value));
        }
    }

    private static Field field(String name, RegisterField field, long value) {
        return new Field(name, field.get(value), RegisterText.value(field, value), Meaning.VALUE);
    }

    /** The value of the feature that dword 10 names. */
    private static List<Field> feature(TracedCommand command, long value) {
        Register register = MAP.domain("FEATURES").find(4 * command.number(PARAMETERS, 1));
        List<Field> fields = new ArrayList<>();
        if (register == null) {
            fields.add(hex("CDW11", value));
        } else if (command.opcode() == SET_FEATURES || value != 0) {
            addAll(fields, register, value);
        }
        return fields;
    }

    /** What dword 0 of the completion says. */
    static List<Field> ofResult(TracedCommand command, int result) {
        long value = Integer.toUnsignedLong(result);
        boolean feature = command.isAdmin() && isFeatures(command) && command.knows(PARAMETERS, 4);
        Register register =
                feature ? MAP.domain("FEATURES").find(4 * command.number(PARAMETERS, 1)) : null;
        if (register == null || register.fields().isEmpty()) {
            return List.of(hex("DW0", value));
        }
        List<Field> fields = new ArrayList<>();
        for (RegisterField field : register.fields()) {
            fields.add(field("DW0." + field.name(), field, value));
        }
        return fields;
    }
}

package farslot.cli;

import farslot.cli.MapArgument.Hit;
import farslot.registers.Register;
import farslot.registers.RegisterAccess;
import farslot.registers.RegisterField;
import farslot.registers.RegisterText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Prints what a value of a register means. */
@Command(
        name = "decode",
        header = "Print what a register's value means",
        description = {
            "",
            "Prints a value field by field; also bits that no field has, and values that the map"
                    + " does not allow.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot regs decode nvme CC 0x460001",
            "  farslot regs decode chip.svd#UART0 0x18 0x90 --json"
        })
final class RegsDecodeCommand extends Verb {
    @Mixin MapArgument argument;

    @Parameters(
            index = "1",
            paramLabel = "REGISTER",
            description = "Its name, or its offset where one domain is meant.")
    String where;

    @Parameters(index = "2", paramLabel = "VALUE", description = "As in 4, or 0x460001.")
    String value;

    @Mixin JsonOption output;

    /**
     * A field's part of the value.
     *
     * @param name with those of the fields around it; "" for bits that no field has
     * @param value the bits as they are, hexadecimal
     * @param text what they mean
     * @param allowed whether the map's limits let it be
     */
    record Part(int low, int high, String name, String value, String text, boolean allowed) {}

    @Override
    public Integer call() {
        Hit hit = hit(argument.read().find(where));
        Register register = hit.register();
        long number = RegisterPlace.number(value);
        if ((number & ~register.whole().mask()) != 0) {
            throw usage(
                    value
                            + " does not fit "
                            + hit.name()
                            + ", which has "
                            + register.widthBits()
                            + " bits.");
        }
        List<Part> parts = new ArrayList<>();
        parts(register.whole(), "", 0, number, parts);
        if (output.json) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("domain", hit.domain().name());
            json.put("register", hit.name());
            json.put("offset", RegisterJson.hex(hit.offset()));
            json.put("value", RegisterJson.hex(number));
            json.put("parts", parts);
            Json.print(out(), json);
            return ExitCode.OK;
        }
        out().println(
                        hit.name()
                                + "  "
                                + hit.domain().name()
                                + "+"
                                + RegisterJson.hex(hit.offset())
                                + "  0x"
                                + "%0{0}x"
                                        .replace("{0}", Integer.toString(register.widthBits() / 4))
                                        .formatted(number)
                                + (register.brief().isEmpty() ? "" : "  " + register.brief()));
        Table table = new Table("BITS", "FIELD", "VALUE", "MEANING");
        for (Part part : parts) {
            table.row(
                    part.low == part.high ? Integer.toString(part.low) : part.high + ":" + part.low,
                    part.name.isEmpty() ? "?" : part.name,
                    part.text + (part.allowed ? "" : " (not allowed)"),
                    meaning(register, part));
        }
        table.print(out());
        return ExitCode.OK;
    }

    private Hit hit(List<Hit> hits) {
        List<String> domains = hits.stream().map(h -> h.domain().name()).distinct().toList();
        if (domains.size() > 1) {
            throw usage(
                    "\""
                            + where
                            + "\" is in "
                            + String.join(" and in ", domains)
                            + "; write which, as in "
                            + argument.word
                            + "#"
                            + domains.getFirst()
                            + ".");
        }
        if (hits.size() > 1) {
            say(
                    "There are "
                            + hits.size()
                            + " registers \""
                            + where
                            + "\", on different hardware or over each other; this is the first."
                            + " \"farslot regs show\" shows all, --variant chooses.");
        }
        return hits.getFirst();
    }

    private static String meaning(Register register, Part part) {
        if (part.name.isEmpty()) {
            return "no field has these bits";
        }
        for (RegisterField field : register.fields()) {
            if (field.name().equals(part.name)) {
                return field.brief();
            }
        }
        return "";
    }

    /** A field without fields is one part; of others each field is, and what they leave over. */
    private static void parts(
            RegisterField outer, String prefix, int base, long bits, List<Part> into) {
        if (outer.fields().isEmpty()) {
            into.add(part(outer, prefix.isEmpty() ? outer.name() : prefix, base, bits));
            return;
        }
        long left = bits;
        for (RegisterField field : outer.fields()) {
            left &= ~field.mask();
            long its = field.get(bits);
            if (field.access() == RegisterAccess.RSVD && its == 0) {
                continue;
            }
            String name = prefix.isEmpty() ? field.name() : prefix + "." + field.name();
            parts(field, name, base + field.low(), its, into);
        }
        while (left != 0) {
            int low = Long.numberOfTrailingZeros(left);
            int count = Math.min(64 - low, Long.numberOfTrailingZeros(~(left >>> low)));
            long run = count == 64 ? -1 : ((1L << count) - 1) << low;
            String ones = RegisterJson.hex((left & run) >>> low);
            into.add(new Part(base + low, base + low + count - 1, "", ones, ones, true));
            left &= ~run;
        }
    }

    private static Part part(RegisterField field, String name, int base, long bits) {
        return new Part(
                base,
                base + field.widthBits() - 1,
                name,
                RegisterJson.hex(bits),
                RegisterText.value(field, bits << field.low()),
                field.format().allows(bits, field.widthBits()));
    }
}

package farslot.cli;

import farslot.cli.MapArgument.Chosen;
import farslot.cli.MapArgument.Hit;
import farslot.registers.FieldFormat;
import farslot.registers.FieldType;
import farslot.registers.NamedValue;
import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterField;
import farslot.registers.VariantSet;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Prints what a register map says. */
@Command(
        name = "show",
        header = "Print a map's domains, a domain's registers, or a register",
        description = {
            "",
            "Prints what a register map says: its domains; of one domain (MAP#DOMAIN, or where"
                    + " there is but one) the registers; of one register all that is known of it.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot regs show nvme",
            "  farslot regs show nvme CSTS",
            "  farslot regs show chip.svd#UART0 0x38",
            "  farslot regs show rnndb/root.xml#NV_MMIO PMC.INTR_HOST"
        })
final class RegsShowCommand extends Verb {
    private static final int NAMED_INDEXES = 4;

    @Mixin MapArgument argument;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "NAME|OFFSET",
            description =
                    "A register, one of its elements (SQ1TDBL) or fields (CC.EN), or where it is.")
    String what;

    @Mixin JsonOption output;

    @Override
    public Integer call() {
        Chosen chosen = argument.read();
        if (what != null && !what.isEmpty()) {
            List<Hit> hits = chosen.find(what);
            if (output.json) {
                Json.print(
                        out(),
                        hits.stream()
                                .map(h -> RegisterJson.of(h.domain(), h.register(), h.field()))
                                .toList());
            } else {
                for (Hit hit : hits) {
                    if (!hit.equals(hits.getFirst())) {
                        out().println();
                    }
                    print(hit);
                }
            }
        } else if (chosen.domains().size() == 1) {
            RegisterDomain domain = chosen.domains().getFirst();
            if (output.json) {
                Json.print(
                        out(),
                        domain.registers().stream()
                                .map(r -> RegisterJson.of(domain, r, null))
                                .toList());
            } else {
                printRegisters(domain);
            }
        } else {
            printDomains(chosen);
        }
        int remarks = chosen.map().remarks().size();
        if (remarks > 0) {
            say(
                    remarks
                            + (remarks == 1 ? " thing" : " things")
                            + " in it could not be read as it stands; \"farslot regs check "
                            + argument.word
                            + "\" says what.");
        }
        return ExitCode.OK;
    }

    private void printDomains(Chosen chosen) {
        List<VariantSet> sets = chosen.map().variantSets();
        if (output.json) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("domains", chosen.domains().stream().map(RegisterJson::of).toList());
            json.put("variants", sets);
            Json.print(out(), json);
            return;
        }
        Table table = new Table("DOMAIN", "ADDRESS", "BYTES", "REGISTERS", "MEANING");
        for (RegisterDomain domain : chosen.domains()) {
            table.row(
                    domain.name(),
                    domain.baseAddress() == 0 ? "-" : RegisterJson.hex(domain.baseAddress()),
                    domain.sizeBytes() == 0 ? "-" : RegisterJson.hex(domain.sizeBytes()),
                    domain.registers().size(),
                    domain.brief());
        }
        table.print(out());
        for (VariantSet set : sets) {
            out().println();
            out().println(
                            "Variants of "
                                    + set.name()
                                    + ": "
                                    + (set.names().isEmpty()
                                            ? "not listed"
                                            : String.join(" ", set.names())));
        }
    }

    private void printRegisters(RegisterDomain domain) {
        boolean variants = domain.registers().stream().anyMatch(r -> !r.variants().isAll());
        Table table =
                variants
                        ? new Table("OFFSET", "BITS", "ACCESS", "NAME", "VARIANTS", "MEANING")
                        : new Table("OFFSET", "BITS", "ACCESS", "NAME", "MEANING");
        for (Register register : domain.registers()) {
            List<Object> row = new ArrayList<>();
            row.add(RegisterJson.hex(register.offset()));
            row.add(register.widthBits());
            row.add(access(register));
            row.add(family(register));
            if (variants) {
                row.add(register.variants());
            }
            row.add(register.brief());
            table.row(row.toArray());
        }
        table.print(out());
    }

    /** The register's, or "by field" where they differ among each other. */
    private static String access(Register register) {
        List<String> all =
                register.fields().stream()
                        .map(field -> RegisterJson.lower(field.access()))
                        .distinct()
                        .toList();
        return all.isEmpty()
                ? RegisterJson.lower(register.access())
                : all.size() == 1 ? all.getFirst() : "by field";
    }

    private void print(Hit hit) {
        Register register = hit.register();
        out().println(
                        hit.name()
                                + "  "
                                + hit.domain().name()
                                + "+"
                                + RegisterJson.hex(hit.offset())
                                + "  "
                                + register.widthBits()
                                + " bits  "
                                + RegisterJson.lower(register.access())
                                + reset(register)
                                + "  reading it: "
                                + switch (register.readEffect()) {
                                    case NONE -> "harmless";
                                    case PRESENT -> "changes the device";
                                    case UNKNOWN -> "effects unknown";
                                });
        if (hit.element() < 0) {
            for (int d = 0; d < register.dimensions(); d++) {
                out().println(
                                "  "
                                        + register.length(d)
                                        + " of them, "
                                        + RegisterJson.hex(register.stride(d))
                                        + " bytes apart");
            }
        }
        if (!register.variants().isAll()) {
            out().println("  on " + register.variants());
        }
        String limits = register.whole().format().limits().toString();
        if (!limits.isEmpty()) {
            out().println("  values: " + limits);
        }
        if (!register.doc().brief().isEmpty()) {
            out().println("  " + register.doc().brief());
        }
        register.doc().text().lines().forEach(line -> out().println("  " + line));
        RegisterField whole = register.whole();
        List<RegisterField> fields = hit.field() == null ? whole.fields() : List.of(hit.field());
        if (!fields.isEmpty() || !whole.values().isEmpty()) {
            out().println();
            Table table = new Table("BITS", "FIELD", "ACCESS", "RESET", "TYPE", "MEANING");
            whole.values().forEach(value -> row(table, value, ""));
            fields.forEach(field -> row(table, field, ""));
            table.print(out());
        }
    }

    private static String reset(Register register) {
        return register.resetKnownMask() == 0
                ? ""
                : "  after a reset " + RegisterJson.hex(register.resetValue());
    }

    private static void row(Table table, RegisterField field, String indent) {
        String bits =
                field.low() == field.high()
                        ? Integer.toString(field.low())
                        : field.high() + ":" + field.low();
        String only = field.variants().isAll() ? "" : " (on " + field.variants() + ")";
        String rules =
                (field.rules().writeOnce() ? " once" : "")
                        + (field.changesByItself() ? " volatile" : "");
        table.row(
                indent + bits,
                indent + field.name(),
                RegisterJson.lower(field.access()) + rules,
                field.rules().resetMask() == 0 ? "" : RegisterJson.hex(field.rules().reset()),
                type(field.format()),
                (field.brief() + only).strip());
        field.values().forEach(value -> row(table, value, indent + "  "));
        field.fields().forEach(inner -> row(table, inner, indent + "  "));
    }

    private static void row(Table table, NamedValue value, String indent) {
        String only = value.variants().isAll() ? "" : " (on " + value.variants() + ")";
        String which =
                value.mask() == 0
                        ? "else"
                        : RegisterJson.hex(value.value())
                                + (value.mask() == -1 ? "" : "/" + RegisterJson.hex(value.mask()));
        table.row(indent + "= " + which, indent + value.name(), "", "", "", value.brief() + only);
    }

    /** "uint << 12", "fixed / 256", "hex, up to 0x40". */
    private static String type(FieldFormat format) {
        String text = RegisterJson.lower(format.type());
        text += format.shift() == 0 ? "" : " << " + format.shift();
        text += format.add() == 0 ? "" : " + " + format.add();
        boolean fixed = format.type() == FieldType.FIXED || format.type() == FieldType.UFIXED;
        text += fixed ? " / 2^" + format.fractionBits() : "";
        String limits = format.limits().toString();
        return limits.isEmpty() ? text : text + ", " + limits;
    }

    /** The name of all elements: "SQ{0..63}TDBL", or of a single register just its name. */
    static String family(Register register) {
        String label = register.label();
        for (int d = 0; d < register.dimensions(); d++) {
            long length = register.length(d);
            StringBuilder indexes = new StringBuilder();
            if (length <= NAMED_INDEXES && !Character.isDigit(register.indexName(d, 0).charAt(0))) {
                for (long i = 0; i < length; i++) {
                    indexes.append(i == 0 ? "" : ",").append(register.indexName(d, i));
                }
            } else {
                indexes.append(register.indexName(d, 0));
                indexes.append("..").append(register.indexName(d, length - 1));
            }
            label = label.replace("{" + d + "}", "{" + indexes + "}");
        }
        return label;
    }
}

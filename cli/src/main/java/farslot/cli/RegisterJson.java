package farslot.cli;

import farslot.registers.FieldFormat;
import farslot.registers.FieldRules;
import farslot.registers.NamedValue;
import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterField;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Registers as {@code regs show --json} prints them. Offsets, addresses, masks and values are
 * hexadecimal strings; what a map does not say is left out.
 */
final class RegisterJson {
    private RegisterJson() {}

    static Map<String, Object> of(RegisterDomain domain) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", domain.name());
        json.put("baseAddress", hex(domain.baseAddress()));
        json.put("sizeBytes", domain.sizeBytes());
        json.put("definitions", domain.registers().size());
        text(json, "brief", domain.brief());
        text(json, "doc", domain.doc().text());
        return json;
    }

    /**
     * @param field which alone is asked for, or null
     */
    static Map<String, Object> of(RegisterDomain domain, Register register, RegisterField field) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("domain", domain.name());
        json.put("name", register.name());
        json.put("label", RegsShowCommand.family(register));
        json.put("offset", hex(register.offset()));
        json.put("widthBits", register.widthBits());
        if (register.dimensions() > 0) {
            List<Map<String, Object>> arrays = new ArrayList<>();
            for (int d = 0; d < register.dimensions(); d++) {
                Map<String, Object> array = new LinkedHashMap<>();
                array.put("length", register.length(d));
                array.put("strideBytes", register.stride(d));
                array.put("first", register.indexName(d, 0));
                array.put("last", register.indexName(d, register.length(d) - 1));
                arrays.add(array);
            }
            json.put("arrays", arrays);
        }
        json.put("readEffects", lower(register.readEffect()));
        if (register.resetKnownMask() != 0) {
            json.put("reset", hex(register.resetValue()));
            json.put("resetMask", hex(register.resetKnownMask()));
        }
        text(json, "variants", register.variants().toString());
        contents(json, register.whole(), field);
        return json;
    }

    private static Map<String, Object> of(RegisterField field) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", field.name());
        json.put("low", field.low());
        json.put("high", field.high());
        FieldRules rules = field.rules();
        if (rules.resetMask() != 0) {
            json.put("reset", hex(rules.reset()));
            json.put("resetMask", hex(rules.resetMask()));
        }
        text(json, "variants", field.variants().toString());
        contents(json, field, null);
        return json;
    }

    private static void contents(
            Map<String, Object> json, RegisterField field, RegisterField only) {
        FieldFormat format = field.format();
        json.put("type", lower(format.type()));
        number(json, "shift", format.shift());
        number(json, "add", format.add());
        number(json, "fractionBits", format.fractionBits());
        if (format.limits().minimum() != null) {
            json.put("minimum", hex(format.limits().minimum()));
        }
        if (format.limits().maximum() != null) {
            json.put("maximum", hex(format.limits().maximum()));
        }
        if (format.limits().align() != 1) {
            json.put("align", hex(format.limits().align()));
        }
        json.put("access", lower(field.access()));
        flag(json, "writeOnce", field.rules().writeOnce());
        flag(json, "volatile", field.changesByItself());
        text(json, "brief", field.doc().brief());
        text(json, "doc", field.doc().text());
        if (!field.values().isEmpty()) {
            json.put("values", field.values().stream().map(RegisterJson::of).toList());
        }
        if (!field.fields().isEmpty()) {
            json.put(
                    "fields",
                    field.fields().stream()
                            .filter(one -> only == null || one.equals(only))
                            .map(RegisterJson::of)
                            .toList());
        }
    }

    private static Map<String, Object> of(NamedValue value) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", value.name());
        json.put("value", hex(value.value()));
        if (value.mask() != -1) {
            json.put("mask", hex(value.mask()));
        }
        text(json, "variants", value.variants().toString());
        text(json, "brief", value.brief());
        return json;
    }

    private static void text(Map<String, Object> json, String name, String text) {
        if (!text.isEmpty()) {
            json.put(name, text);
        }
    }

    private static void number(Map<String, Object> json, String name, long number) {
        if (number != 0) {
            json.put(name, number);
        }
    }

    private static void flag(Map<String, Object> json, String name, boolean flag) {
        if (flag) {
            json.put(name, true);
        }
    }

    static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }

    static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}

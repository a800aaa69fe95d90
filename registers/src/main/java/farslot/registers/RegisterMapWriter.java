package farslot.registers;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Writes a map as the XML that {@link RegisterMapLoader#strict} loads: rules-ng-ng with attributes
 * of {@link RegisterMapLoader#NAMESPACE}. What is loaded again equals what was written.
 *
 * <p>The text is whole in itself: groups, enumerations and bitsets that a map was made of stand
 * where they are used. An array of registers becomes stripes with the register in the innermost,
 * which has its whole name and, as {@code f:label}, how its indexes go into it.
 */
public final class RegisterMapWriter {
    private final StringBuilder text = new StringBuilder();
    private int depth;

    private RegisterMapWriter() {}

    /** The map as XML of UTF-8. What XML cannot hold in a name or text becomes U+FFFD. */
    public static String write(RegisterMap map) {
        RegisterMapWriter writer = new RegisterMapWriter();
        writer.map(map);
        return writer.text.toString();
    }

    private void map(RegisterMap map) {
        text.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        Element database = new Element("database");
        database.attribute("xmlns", "http://nouveau.freedesktop.org/");
        database.attribute("xmlns:f", RegisterMapLoader.NAMESPACE);
        database.open();
        map.domains().forEach(this::domain);
        database.close();
    }

    private void domain(RegisterDomain domain) {
        Element element = new Element("domain").attribute("name", domain.name());
        if (domain.sizeBytes() > 0) {
            element.hex("size", domain.sizeBytes());
        }
        element.open();
        brief(domain.brief());
        domain.registers().forEach(this::register);
        element.close();
    }

    private void register(Register register) {
        List<Element> stripes = new ArrayList<>();
        for (int d = 0; d < register.dimensions(); d++) {
            Element stripe = new Element("stripe");
            stripe.hex("stride", register.stride(d)).number("length", register.length(d));
            stripe.open();
            stripes.add(stripe);
        }
        Element element = new Element("reg" + register.widthBits());
        element.hex("offset", register.offset()).attribute("name", register.name());
        if (register.dimensions() > 0 || !register.label().equals(register.name())) {
            element.attribute("f:label", register.label());
        }
        if (!register.variants().isEmpty()) {
            element.attribute("variants", register.variants());
        }
        if (register.readEffect() != ReadEffect.UNKNOWN) {
            element.attribute("f:read-effects", lower(register.readEffect()));
        }
        RegisterField whole = register.whole();
        rules(element, whole, RegisterAccess.UNKNOWN, false, false);
        contents(element, whole);
        stripes.reversed().forEach(Element::close);
    }

    private void field(RegisterField field, RegisterField outer) {
        Element element = new Element("bitfield");
        if (field.low() == field.high()) {
            element.number("pos", field.low());
        } else {
            element.number("low", field.low()).number("high", field.high());
        }
        element.attribute("name", field.name());
        rules(element, field, outer.access(), outer.writeOnce(), outer.changesByItself());
        contents(element, field);
    }

    /** What a field does not say is as in the field or register around it. */
    private static void rules(
            Element element,
            RegisterField field,
            RegisterAccess access,
            boolean writeOnce,
            boolean changesByItself) {
        if (field.type() != defaultType(field)) {
            element.attribute("type", lower(field.type()));
        }
        if (field.shift() != 0) {
            element.number("shr", field.shift());
        }
        if (field.access() != access) {
            element.attribute("f:access", lower(field.access()));
        }
        if (field.resetKnown()) {
            element.hex("f:reset", field.reset());
        }
        if (field.writeOnce() != writeOnce) {
            element.attribute("f:write-once", field.writeOnce() ? "yes" : "no");
        }
        if (field.changesByItself() != changesByItself) {
            element.attribute("f:volatile", field.changesByItself() ? "yes" : "no");
        }
    }

    /** What the loader takes where no type is given (rules-ng-ng, 2.3). */
    private static FieldType defaultType(RegisterField field) {
        if (!field.fields().isEmpty()) {
            return FieldType.BITSET;
        }
        if (!field.values().isEmpty()) {
            return FieldType.ENUM;
        }
        return field.widthBits() == 1 ? FieldType.BOOLEAN : FieldType.HEX;
    }

    private void contents(Element element, RegisterField field) {
        if (field.brief().isEmpty() && field.values().isEmpty() && field.fields().isEmpty()) {
            element.empty();
            return;
        }
        element.open();
        brief(field.brief());
        for (NamedValue value : field.values()) {
            Element named = new Element("value");
            named.hex("value", value.value()).attribute("name", value.name());
            if (value.brief().isEmpty()) {
                named.empty();
            } else {
                named.open();
                brief(value.brief());
                named.close();
            }
        }
        field.fields().forEach(inner -> field(inner, field));
        element.close();
    }

    private void brief(String brief) {
        if (!brief.isEmpty()) {
            indent();
            text.append("<brief>");
            escape(brief);
            text.append("</brief>\n");
        }
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private void indent() {
        text.repeat(' ', 2 * depth);
    }

    private void escape(String plain) {
        plain.codePoints()
                .forEach(c -> {
                    switch (c) {
                        case '<' -> text.append("&lt;");
                        case '>' -> text.append("&gt;");
                        case '&' -> text.append("&amp;");
                        case '"' -> text.append("&quot;");
                        // A parser makes spaces of these in attributes.
                        case '\t', '\n', '\r' -> text.append("&#").append(c).append(';');
                        default -> text.appendCodePoint(isXml(c) ? c : 0xFFFD);
                    }
                });
    }

    /** XML 1.0, production 2, "Char". */
    private static boolean isXml(int c) {
        return (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) || c >= 0x10000;
    }

    /** An element as it is written: first its attributes, then what stands within. */
    private final class Element {
        private final String tag;

        Element(String tag) {
            this.tag = tag;
            indent();
            text.append('<').append(tag);
        }

        Element attribute(String name, String value) {
            text.append(' ').append(name).append("=\"");
            escape(value);
            text.append('"');
            return this;
        }

        Element hex(String name, long value) {
            text.append(' ').append(name).append("=\"0x").append(Long.toHexString(value));
            text.append('"');
            return this;
        }

        Element number(String name, long value) {
            text.append(' ').append(name).append("=\"").append(value).append('"');
            return this;
        }

        void empty() {
            text.append("/>\n");
        }

        void open() {
            text.append(">\n");
            depth++;
        }

        void close() {
            depth--;
            indent();
            text.append("</").append(tag).append(">\n");
        }
    }
}

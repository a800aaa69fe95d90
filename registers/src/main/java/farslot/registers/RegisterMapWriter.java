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
        map.variantSets().forEach(this::variantSet);
        map.domains().forEach(this::domain);
        database.close();
    }

    private void variantSet(VariantSet set) {
        Element element = new Element("enum").attribute("name", set.name());
        element.open();
        set.names().forEach(name -> new Element("value").attribute("name", name).empty());
        element.close();
    }

    private void domain(RegisterDomain domain) {
        Element element = new Element("domain").attribute("name", domain.name());
        if (domain.sizeBytes() > 0) {
            element.hex("size", domain.sizeBytes());
        }
        if (domain.baseAddress() != 0) {
            element.hex("f:base", domain.baseAddress());
        }
        element.open();
        doc(domain.doc());
        domain.registers().forEach(this::register);
        element.close();
    }

    private void register(Register register) {
        List<Element> stripes = new ArrayList<>();
        for (Register.Dimension dimension : register.allDimensions()) {
            Element stripe = new Element("stripe");
            stripe.hex("stride", dimension.stride()).number("length", dimension.length());
            if (dimension.first() != 0) {
                stripe.number("f:first", dimension.first());
            }
            if (!dimension.names().isEmpty()) {
                stripe.attribute("f:indexes", String.join(",", dimension.names()));
            }
            stripe.open();
            stripes.add(stripe);
        }
        Element element = new Element("reg" + register.widthBits());
        element.hex("offset", register.offset()).attribute("name", register.name());
        if (register.dimensions() > 0 || !register.label().equals(register.name())) {
            element.attribute("f:label", register.label());
        }
        variants(element, register.variants());
        if (register.readEffect() != ReadEffect.UNKNOWN) {
            element.attribute("f:read-effects", lower(register.readEffect()));
        }
        RegisterField whole = register.whole();
        format(element, whole);
        rules(element, whole.rules(), FieldRules.UNKNOWN, whole.widthBits());
        contents(element, whole, register.variants());
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
        variants(element, field.variants());
        format(element, field);
        rules(element, field.rules(), outer.rules(), field.widthBits());
        contents(element, field, field.variants());
    }

    /** One condition is in attributes; more are in elements of ours. */
    private static void variants(Element element, Variants variants) {
        if (!variants.isAll()) {
            Variants.Condition first = variants.conditions().getFirst();
            element.attribute("varset", first.set().name());
            element.attribute("variants", first.expression());
        }
    }

    private void moreVariants(Variants variants) {
        variants.conditions().stream()
                .skip(1)
                .forEach(condition ->
                        new Element("f:variants")
                                .attribute("set", condition.set().name())
                                .attribute("are", condition.expression())
                                .empty());
    }

    private static void format(Element element, RegisterField field) {
        FieldFormat format = field.format();
        if (format.type() != defaultType(field)) {
            element.attribute("type", lower(format.type()));
        }
        if (format.shift() != 0) {
            element.number("shr", format.shift());
        }
        if (format.add() != 0) {
            element.number("add", format.add());
        }
        if (format.fractionBits() != 0) {
            element.number("radix", format.fractionBits());
        }
        if (format.limits().minimum() != null) {
            element.number("min", format.limits().minimum());
        }
        if (format.limits().maximum() != null) {
            element.number("max", format.limits().maximum());
        }
        if (format.limits().align() != 1) {
            element.number("align", format.limits().align());
        }
    }

    /** What a field does not say is as in the field or register around it. */
    private static void rules(Element element, FieldRules rules, FieldRules outer, int widthBits) {
        if (rules.access() != outer.access()) {
            element.attribute("f:access", lower(rules.access()));
        }
        if (rules.resetMask() != 0) {
            element.hex("f:reset", rules.reset());
            if (rules.resetMask() != RegisterField.lowBits(widthBits)) {
                element.hex("f:reset-mask", rules.resetMask());
            }
        }
        if (rules.writeOnce() != outer.writeOnce()) {
            element.attribute("f:write-once", rules.writeOnce() ? "yes" : "no");
        }
        if (rules.changesByItself() != outer.changesByItself()) {
            element.attribute("f:volatile", rules.changesByItself() ? "yes" : "no");
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

    private void contents(Element element, RegisterField field, Variants variants) {
        boolean none = field.values().isEmpty() && field.fields().isEmpty();
        if (none && says(field.doc(), variants)) {
            element.empty();
            return;
        }
        element.open();
        moreVariants(variants);
        doc(field.doc());
        field.values().forEach(this::value);
        field.fields().forEach(inner -> field(inner, field));
        element.close();
    }

    private void value(NamedValue value) {
        Element element = new Element("value");
        element.hex("value", value.value()).attribute("name", value.name());
        if (value.mask() != -1) {
            element.hex("f:mask", value.mask());
        }
        variants(element, value.variants());
        if (says(value.doc(), value.variants())) {
            element.empty();
            return;
        }
        element.open();
        moreVariants(value.variants());
        doc(value.doc());
        element.close();
    }

    /** Whether the attributes say all of it. */
    private static boolean says(Doc doc, Variants variants) {
        return doc.equals(Doc.NONE) && variants.conditions().size() < 2;
    }

    private void doc(Doc doc) {
        text("brief", doc.brief());
        text("doc", doc.text().replace("\n", "\n\n"));
    }

    private void text(String tag, String content) {
        if (!content.isEmpty()) {
            indent();
            text.append('<').append(tag).append('>');
            escape(content, false);
            text.append("</").append(tag).append(">\n");
        }
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private void indent() {
        text.repeat(' ', 2 * depth);
    }

    private void escape(String plain, boolean inAttribute) {
        plain.codePoints()
                .forEach(c -> {
                    switch (c) {
                        case '<' -> text.append("&lt;");
                        case '>' -> text.append("&gt;");
                        case '&' -> text.append("&amp;");
                        case '"' -> text.append("&quot;");
                        case '\n' -> text.append(inAttribute ? "\uFFFD" : "\n");
                        default -> text.appendCodePoint(isPrintable(c) ? c : 0xFFFD);
                    }
                });
    }

    /** Of XML 1.0's production 2, "Char", what the loader takes as it is. */
    private static boolean isPrintable(int c) {
        boolean xml = (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) || c >= 0x10000;
        return xml && !Character.isISOControl(c);
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
            escape(value, true);
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

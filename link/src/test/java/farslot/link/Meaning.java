package farslot.link;

import farslot.core.Ability;
import farslot.core.FunctionDescription;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.link.Messages.Borrowed;
import farslot.link.Messages.Description;
import farslot.link.Messages.Header;
import farslot.link.Messages.Listed;
import farslot.link.Messages.Operate;
import farslot.link.Messages.Result;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** What a frame means, in the words of docs/protocol-vectors.txt. */
final class Meaning {
    private Meaning() {}

    static String of(MemorySegment frame) throws BrokenFrameException {
        int length = Messages.length(frame, 0, Messages.MAX_FRAME_BYTES);
        Layout layout = Messages.check(frame, 0, length);
        int flags = Header.FLAGS.getInt(frame, 0);
        StringBuilder text = new StringBuilder(layout.name());
        text.append(' ').append(Messages.className(flags & Header.CLASS_MASK));
        text.append((flags & Header.MORE) != 0 ? " more" : "");
        for (Field field :
                List.of(
                        Header.DESCRIPTORS,
                        Header.GENERATION,
                        Header.TAG,
                        Header.SEQUENCE,
                        Header.ACKNOWLEDGED)) {
            text.append(' ').append(value(field, frame));
        }
        List<String> fields = new ArrayList<>();
        layout.fields().forEach(field -> fields.add(value(field, frame)));
        if (!fields.isEmpty()) {
            text.append(" | ").append(String.join(" ", fields));
        }
        String tail = tail(layout, frame);
        return tail.isEmpty() ? text.toString() : text + " | " + tail;
    }

    static String number(long value) {
        return "0x" + Long.toHexString(value);
    }

    private static String value(Field field, MemorySegment frame) {
        return field.name().replace(' ', '-') + "=" + number(field.get(frame, 0));
    }

    private static String tail(Layout layout, MemorySegment frame) throws BrokenFrameException {
        return switch (layout.tail()) {
            case NONE -> "";
            case DATA ->
                    "data="
                            + HexFormat.of()
                                    .formatHex(
                                            frame.asSlice(layout.fixedEnd())
                                                    .toArray(ValueLayout.JAVA_BYTE));
            case TEXTS -> texts(layout, frame);
            case STRUCTURE -> structure(layout, frame);
        };
    }

    private static String texts(Layout layout, MemorySegment frame) throws BrokenFrameException {
        int length = (int) frame.byteSize();
        return switch (layout.type()) {
            case Messages.Hello.TYPE -> {
                Messages.Names names = Messages.Names.decode(frame, 0, length);
                yield quoted(names.name()) + " " + quoted(names.program());
            }
            case Messages.Observed.TYPE -> {
                ObservedEvent event = Messages.observed(frame, 0, length);
                yield quoted(event.subject())
                        + " "
                        + quoted(event.what())
                        + " "
                        + quoted(event.sentence());
            }
            case Messages.Event.TYPE -> {
                Messages.event(frame, 0, length);
                yield quoted(Messages.text(layout, frame, 0, length));
            }
            default -> quoted(Messages.text(layout, frame, 0, length));
        };
    }

    private static String structure(Layout layout, MemorySegment frame)
            throws BrokenFrameException {
        Cursor cursor = Messages.tail(layout, frame, 0, frame.byteSize());
        return switch (layout.type()) {
            case Borrowed.TYPE, Description.TYPE ->
                    description(Messages.description(layout.type(), cursor));
            case Listed.TYPE -> {
                List<String> texts = new ArrayList<>();
                for (Entry entry : Messages.items(layout, frame, Messages::entry)) {
                    texts.add(entry(entry));
                }
                yield String.join(" ", texts);
            }
            case Result.TYPE -> {
                List<String> texts = new ArrayList<>();
                for (Map<String, String> row : Messages.items(layout, frame, Cursor::pairs)) {
                    texts.add("row{" + pairs(row) + "}");
                }
                yield String.join(" ", texts);
            }
            case Operate.TYPE -> {
                Messages.Order order = Messages.Order.decode(frame, 0, (int) frame.byteSize());
                yield quoted(order.action()) + " " + pairs(order.arguments());
            }
            case Messages.Follow.TYPE -> {
                FollowRequest request = Messages.follow(frame, 0, (int) frame.byteSize());
                yield quoted(request.function()) + " " + pairs(request.arguments());
            }
            default -> throw new AssertionError(layout.name());
        };
    }

    private static String quoted(String text) {
        return "\"" + text + "\"";
    }

    private static String pairs(Map<String, String> pairs) {
        List<String> texts = new ArrayList<>();
        pairs.forEach((name, value) -> texts.add(name + "=" + quoted(value)));
        return String.join(" ", texts);
    }

    private static String entry(Entry entry) {
        return "entry{"
                + quoted(entry.name())
                + " "
                + quoted(entry.kind())
                + " "
                + quoted(entry.summary())
                + " generation="
                + number(entry.generation())
                + " borrower="
                + quoted(entry.borrower())
                + " since="
                + number(entry.sinceMillis())
                + (entry.details().isEmpty() ? "" : " " + pairs(entry.details()))
                + "}";
    }

    private static String description(FunctionDescription description) {
        FunctionDescription.Identity identity = description.identity();
        List<String> words = new ArrayList<>();
        words.add("vendor=" + number(identity.vendor()));
        words.add("device=" + number(identity.device()));
        words.add("subsystem-vendor=" + number(identity.subsystemVendor()));
        words.add("subsystem=" + number(identity.subsystem()));
        words.add("class=" + number(identity.classCode()));
        words.add("revision=" + number(identity.revision()));
        words.add("pin=" + number(description.intxPin()));
        words.add("reset-kinds=" + names(new TreeSet<ResetKind>(description.resetKinds())));
        words.add("msi=" + number(description.msiVectors()));
        words.add("msix=" + number(description.msixVectors()));
        words.add("abilities=" + names(new TreeSet<Ability>(description.abilities())));
        for (Region region : description.regions()) {
            String attributes = names(new TreeSet<>(region.attributes()));
            words.add(
                    "region{"
                            + number(region.index())
                            + " "
                            + region.space()
                            + " size="
                            + number(region.sizeBytes())
                            + " longest="
                            + number(region.maxAccessBytes())
                            + (attributes.isEmpty() ? "" : " " + attributes)
                            + "}");
        }
        for (FunctionDescription.CapabilityPlace place : description.capabilities()) {
            words.add(
                    "capability{"
                            + (place.extended() ? "extended " : "")
                            + number(place.id())
                            + " offset="
                            + number(place.offset())
                            + " length="
                            + number(place.lengthBytes())
                            + "}");
        }
        words.add(quoted(description.kind()));
        return String.join(" ", words);
    }

    private static String names(Iterable<? extends Enum<?>> values) {
        List<String> names = new ArrayList<>();
        values.forEach(value -> names.add(value.name()));
        return String.join(",", names);
    }
}

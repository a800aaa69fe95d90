package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.Ability;
import farslot.core.Direction;
import farslot.core.FunctionDescription;
import farslot.core.FunctionEvent;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.link.Messages.Header;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;

/** What is composed is read back the same, and what is read from anybody ends in one way out. */
class MessagesPropertyTest {
    private static MemorySegment frame(int type, Composer payload) {
        byte[] bytes = payload.toBytes();
        MemorySegment frame = MemorySegment.ofArray(new byte[Header.BYTES + bytes.length]);
        Header.LENGTH.set(frame, 0, frame.byteSize());
        Header.TYPE.set(frame, 0, type);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, frame, Header.BYTES, bytes.length);
        return frame;
    }

    @Property(tries = 300)
    void descriptionsComeBackTheSame(@ForAll long seed) throws BrokenFrameException {
        FunctionDescription description = description(new Random(seed));
        Composer payload = new Composer();
        Messages.compose(description, payload);
        MemorySegment frame = frame(Messages.Description.TYPE, payload);
        Cursor cursor = Messages.tail(Messages.Description.LAYOUT, frame, 0, frame.byteSize());
        assertEquals(description, Messages.description(Messages.Description.TYPE, cursor));
    }

    private static FunctionDescription description(Random random) {
        List<Region> regions = new ArrayList<>();
        for (int index = 0; index < Region.CONFIGURATION; index++) {
            if (random.nextBoolean()) {
                boolean io = index < Region.ROM && random.nextInt(4) == 0;
                EnumSet<Region.Attribute> attributes = EnumSet.noneOf(Region.Attribute.class);
                for (Region.Attribute attribute : Region.Attribute.values()) {
                    if (random.nextBoolean()) {
                        attributes.add(attribute);
                    }
                }
                regions.add(
                        new Region(
                                index,
                                io ? Region.Space.IO_PORT : Region.Space.MEMORY,
                                1L << (4 + random.nextInt(40)),
                                attributes,
                                1 + random.nextInt(Region.MAX_ACCESS_BYTES)));
            }
        }
        regions.add(
                new Region(
                        Region.CONFIGURATION,
                        Region.Space.CONFIGURATION,
                        0x1000,
                        EnumSet.noneOf(Region.Attribute.class),
                        64));
        List<FunctionDescription.CapabilityPlace> capabilities = new ArrayList<>();
        for (int count = random.nextInt(20); count > 0; count--) {
            capabilities.add(
                    new FunctionDescription.CapabilityPlace(
                            random.nextInt(0x10000),
                            random.nextBoolean(),
                            random.nextInt(0x1000),
                            random.nextInt(0x1000)));
        }
        EnumSet<ResetKind> kinds = EnumSet.noneOf(ResetKind.class);
        kinds.add(ResetKind.ofCode(1 + random.nextInt(3)));
        EnumSet<Ability> abilities = EnumSet.noneOf(Ability.class);
        for (Ability ability : Ability.values()) {
            if (random.nextBoolean()) {
                abilities.add(ability);
            }
        }
        return new FunctionDescription(
                "kind" + random.nextInt(1000),
                new FunctionDescription.Identity(
                        random.nextInt(0x10000),
                        random.nextInt(0x10000),
                        random.nextInt(0x10000),
                        random.nextInt(0x10000),
                        random.nextInt(0x1000000),
                        random.nextInt(0x100)),
                regions,
                capabilities,
                random.nextInt(5),
                random.nextBoolean() ? 0 : 1 << random.nextInt(6),
                random.nextInt(2049),
                kinds,
                abilities);
    }

    @Property(tries = 300)
    void entriesComeBackTheSame(
            @ForAll @StringLength(max = 60) String name,
            @ForAll @StringLength(max = 200) String summary,
            @ForAll int generation,
            @ForAll long since,
            @ForAll @Size(max = 8) Map<@StringLength(max = 20) String, String> details)
            throws BrokenFrameException {
        Entry entry =
                new Entry(
                        wellFormed(name),
                        "kind",
                        wellFormed(summary),
                        generation,
                        "",
                        since,
                        details);
        Composer payload = new Composer().u16(2);
        Messages.compose(entry, payload);
        Messages.compose(entry, payload);
        boolean speakable =
                details.entrySet().stream()
                        .allMatch(pair ->
                                isWellFormed(pair.getKey()) && isWellFormed(pair.getValue()));
        if (speakable) {
            MemorySegment frame = frame(Messages.Listed.TYPE, payload);
            List<Entry> read = Messages.items(Messages.Listed.LAYOUT, frame, Messages::entry);
            assertEquals(List.of(entry, entry), read);
        }
    }

    /** A text whose surrogates come in pairs: others have no UTF-8. */
    private static String wellFormed(String text) {
        return isWellFormed(text) ? text : "";
    }

    private static boolean isWellFormed(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return new String(bytes, StandardCharsets.UTF_8).equals(text);
    }

    @Property(tries = 300)
    void eventsComeBackTheSame(
            @ForAll @IntRange(max = 6) int which, @ForAll long number, @ForAll boolean yes)
            throws BrokenFrameException {
        FunctionEvent event =
                switch (which) {
                    case 0 -> new FunctionEvent.Error(yes, "e" + number);
                    case 1 -> new FunctionEvent.PowerManagement();
                    case 2 -> new FunctionEvent.Presence(yes);
                    case 3 -> new FunctionEvent.DescriptionChanged();
                    case 4 -> new FunctionEvent.GoingAway("g" + number);
                    case 5 ->
                            new FunctionEvent.NewGeneration(
                                    (int) number, yes ? ResetKind.FLR : ResetKind.HOT);
                    default ->
                            new FunctionEvent.DmaRefused(
                                    number,
                                    number + 1,
                                    yes ? Direction.READ : Direction.WRITE,
                                    "d");
                };
        Composer payload = new Composer();
        Messages.compose(event, payload);
        MemorySegment frame = frame(Messages.Event.TYPE, payload);
        assertEquals(event, Messages.event(frame, 0, (int) frame.byteSize()));
    }

    @Property(tries = 300)
    void aTextIsCutBetweenCharacters(
            @ForAll @StringLength(max = 100) String text, @ForAll @IntRange(max = 60) int most)
            throws BrokenFrameException {
        String whole = wellFormed(text);
        MemorySegment frame = frame(Messages.Return.TYPE, new Composer().text(whole, most));
        Cursor cursor = Messages.tail(Messages.Return.LAYOUT, frame, 0, frame.byteSize());
        String read = cursor.text(most);
        cursor.finish();
        assertTrue(whole.startsWith(read));
        assertTrue(read.getBytes(StandardCharsets.UTF_8).length <= most);
    }

    /** No bytes whatever bring anything but a meaning or a named error. */
    @Property(tries = 3000)
    void anyBytesMeanSomethingOrAreRefusedByName(
            @ForAll long seed, @ForAll @IntRange(max = 300) int length) {
        Random random = new Random(seed);
        byte[] bytes = new byte[Header.BYTES + length];
        random.nextBytes(bytes);
        MemorySegment frame = MemorySegment.ofArray(bytes);
        Layout layout = Messages.ALL.get(random.nextInt(Messages.ALL.size()));
        Header.LENGTH.set(frame, 0, frame.byteSize());
        Header.TYPE.set(frame, 0, layout.type());
        Header.FLAGS.set(frame, 0, Integer.numberOfTrailingZeros(layout.classes()));
        if (random.nextBoolean()) {
            // Small counts and lengths get further.
            for (int at = layout.fixedEnd(); at < bytes.length; at++) {
                bytes[at] = (byte) (random.nextInt(4) == 0 ? random.nextInt(4) : 0);
            }
        }
        try {
            Meaning.of(frame);
        } catch (BrokenFrameException refused) {
            assertTrue(refused.getMessage().endsWith("."), refused.getMessage());
        }
    }
}

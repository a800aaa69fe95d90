package farslot.recorder;

import farslot.core.Ability;
import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.CapabilityPlace;
import farslot.core.FunctionDescription.Identity;
import farslot.core.Region;
import farslot.core.ResetKind;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A function's description as bytes (docs/trace-format.md, "The description").
 *
 * <p>The ordinals of {@code Region}'s enums are numbers on the wire and here.
 */
@SuppressWarnings("EnumOrdinal")
final class TraceDescription {
    private static final int MAX_KIND_BYTES = 64;
    private static final int MAX_BYTES = 1 << 20;

    /** What stands for a description that is damaged. */
    static final FunctionDescription UNKNOWN =
            new FunctionDescription(
                    "unknown",
                    new Identity(0, 0, 0, 0, 0, 0),
                    List.of(),
                    List.of(),
                    0,
                    0,
                    0,
                    Set.of(),
                    Set.of());

    private TraceDescription() {}

    static byte[] encode(FunctionDescription description) throws TraceException {
        byte[] kind = description.kind().getBytes(StandardCharsets.UTF_8);
        int size =
                2
                        + kind.length
                        + 24
                        + 20
                        + 4
                        + description.regions().size() * 24
                        + description.capabilities().size() * 12;
        if (kind.length > MAX_KIND_BYTES || size > MAX_BYTES) {
            throw new TraceException(
                    "The function's description takes "
                            + size
                            + " bytes and its kind's name "
                            + kind.length
                            + "; a trace has room for "
                            + MAX_BYTES
                            + " and 64.");
        }
        ByteBuffer out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        out.putShort((short) kind.length).put(kind);
        Identity identity = description.identity();
        out.putInt(identity.vendor()).putInt(identity.device());
        out.putInt(identity.subsystemVendor()).putInt(identity.subsystem());
        out.putInt(identity.classCode()).putInt(identity.revision());
        out.putInt(description.intxPin()).putInt(description.msiVectors());
        out.putInt(description.msixVectors());
        out.putInt(resetBits(description.resetKinds()))
                .putInt(abilityBits(description.abilities()));
        out.putShort((short) description.regions().size());
        out.putShort((short) description.capabilities().size());
        for (Region region : description.regions()) {
            out.putInt(region.index()).putInt(region.space().ordinal());
            out.putLong(region.sizeBytes()).putInt(attributeBits(region.attributes()));
            out.putInt(region.maxAccessBytes());
        }
        for (CapabilityPlace place : description.capabilities()) {
            out.putInt(place.id() | (place.extended() ? 1 << 31 : 0));
            out.putInt(place.offset()).putInt(place.lengthBytes());
        }
        return out.array();
    }

    /** The description, or null where the bytes are none. */
    static FunctionDescription decode(byte[] bytes) {
        try {
            return decode(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            return null;
        }
    }

    private static FunctionDescription decode(ByteBuffer in) {
        int kindLength = in.getShort() & 0xFFFF;
        if (kindLength > MAX_KIND_BYTES) {
            return null;
        }
        byte[] kind = new byte[kindLength];
        in.get(kind);
        Identity identity =
                new Identity(
                        in.getInt(),
                        in.getInt(),
                        in.getInt(),
                        in.getInt(),
                        in.getInt(),
                        in.getInt());
        int intxPin = in.getInt();
        int msiVectors = in.getInt();
        int msixVectors = in.getInt();
        int resets = in.getInt();
        int abilities = in.getInt();
        int regionCount = in.getShort() & 0xFFFF;
        int capabilityCount = in.getShort() & 0xFFFF;
        List<Region> regions = new ArrayList<>();
        for (int i = 0; i < regionCount; i++) {
            regions.add(region(in));
        }
        List<CapabilityPlace> places = new ArrayList<>();
        for (int i = 0; i < capabilityCount; i++) {
            int id = in.getInt();
            places.add(new CapabilityPlace(id & 0xFFFF, id < 0, in.getInt(), in.getInt()));
        }
        return new FunctionDescription(
                new String(kind, StandardCharsets.UTF_8),
                identity,
                regions,
                places,
                intxPin,
                msiVectors,
                msixVectors,
                resetKinds(resets),
                abilities(abilities));
    }

    private static Region region(ByteBuffer in) {
        int index = in.getInt();
        int space = in.getInt();
        if (space < 0 || space >= Region.Space.values().length) {
            throw new IllegalArgumentException("There is no space " + space + ".");
        }
        long size = in.getLong();
        int attributes = in.getInt();
        return new Region(
                index, Region.Space.values()[space], size, attributes(attributes), in.getInt());
    }

    private static int resetBits(Set<ResetKind> kinds) {
        return kinds.stream().mapToInt(kind -> 1 << kind.code()).sum();
    }

    private static Set<ResetKind> resetKinds(int bits) {
        Set<ResetKind> kinds = EnumSet.allOf(ResetKind.class);
        kinds.removeIf(kind -> (bits & 1 << kind.code()) == 0);
        return kinds;
    }

    private static int abilityBits(Set<Ability> abilities) {
        return abilities.stream().mapToInt(ability -> 1 << ability.bit()).sum();
    }

    private static Set<Ability> abilities(int bits) {
        Set<Ability> abilities = EnumSet.allOf(Ability.class);
        abilities.removeIf(ability -> (bits & 1 << ability.bit()) == 0);
        return abilities;
    }

    private static int attributeBits(Set<Region.Attribute> attributes) {
        return attributes.stream().mapToInt(attribute -> 1 << attribute.ordinal()).sum();
    }

    private static Set<Region.Attribute> attributes(int bits) {
        Set<Region.Attribute> attributes = EnumSet.allOf(Region.Attribute.class);
        attributes.removeIf(attribute -> (bits & 1 << attribute.ordinal()) == 0);
        return attributes;
    }
}

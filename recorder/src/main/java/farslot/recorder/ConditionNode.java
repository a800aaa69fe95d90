package farslot.recorder;

import farslot.registers.Register;
import farslot.registers.RegisterField;
import java.util.concurrent.atomic.AtomicLong;

/** A part of a condition that can be asked. Any thread may ask; asking allocates nothing. */
sealed interface ConditionNode {
    boolean holds(Occurrence event);

    /** In their order, until one does not hold. */
    @SuppressWarnings("ArrayRecordComponent") // made once, and compared nowhere
    record All(ConditionNode... parts) implements ConditionNode {
        @Override
        public boolean holds(Occurrence event) {
            for (ConditionNode part : parts) {
                if (!part.holds(event)) {
                    return false;
                }
            }
            return true;
        }
    }

    /** In their order, until one holds. */
    @SuppressWarnings("ArrayRecordComponent") // made once, and compared nowhere
    record Any(ConditionNode... parts) implements ConditionNode {
        @Override
        public boolean holds(Occurrence event) {
            for (ConditionNode part : parts) {
                if (part.holds(event)) {
                    return true;
                }
            }
            return false;
        }
    }

    record Not(ConditionNode part) implements ConditionNode {
        @Override
        public boolean holds(Occurrence event) {
            return !part.holds(event);
        }
    }

    record Constant(boolean holds) implements ConditionNode {
        @Override
        public boolean holds(Occurrence event) {
            return holds;
        }
    }

    /** A field's value, as far as the mask lets it through, is in a range. */
    record Field(ConditionField field, long mask, ConditionRanges ranges) implements ConditionNode {
        @Override
        public boolean holds(Occurrence event) {
            if (!event.has(field)) {
                return false;
            }
            return mask == -1
                    ? ranges.meets(event.low(field), event.high(field))
                    : ranges.has(event.low(field) & mask);
        }
    }

    /** The text is the wanted one, or has it in it. */
    record Text(String wanted, boolean within) implements ConditionNode {
        @Override
        public boolean holds(Occurrence event) {
            String text = event.text();
            return text != null && (within ? contains(text) : text.equals(wanted));
        }

        private boolean contains(String text) {
            for (int at = 0; at <= text.length() - wanted.length(); at++) {
                if (text.regionMatches(true, at, wanted, 0, wanted.length())) {
                    return true;
                }
            }
            return false;
        }
    }

    /** How often this was asked, this time included. */
    record Count(AtomicLong asked, ConditionRanges ranges) implements ConditionNode {
        @Override
        public boolean holds(Occurrence event) {
            return ranges.has(asked.incrementAndGet());
        }
    }

    /**
     * The access touches a register.
     *
     * @param element the offset of one element of an array, or -1 for all
     */
    record Touches(int region, Register register, long element) implements ConditionNode {
        /** Of a long access only what its first bytes reach is looked for among elements. */
        private static final int MAX_LOOKED_AT = 64;

        @Override
        public boolean holds(Occurrence event) {
            if (event.region() != region || event.length() <= 0) {
                return false;
            }
            long first = event.offset();
            long behind = first + event.length();
            if (element >= 0) {
                return element < behind && first < element + register.widthBytes();
            }
            long from = Math.max(first, register.offset());
            long to = Math.min(Math.min(behind, register.endOffset()), first + MAX_LOOKED_AT);
            for (long at = from; at < to; at++) {
                if (register.elementStart(at) >= 0) {
                    return true;
                }
            }
            return false;
        }
    }

    /**
     * An access has certain bits of a register, all of them, and their value is in a range.
     *
     * @param element the offset of one element of an array, or -1 for all
     */
    record Bits(int region, Register register, long element, BitsOf bits, ConditionRanges ranges)
            implements ConditionNode {
        @Override
        public boolean holds(Occurrence event) {
            if (event.region() != region || event.valueBytes() == 0) {
                return false;
            }
            if (element >= 0) {
                return bits.within(event, element) && ranges.has(bits.get(event, element));
            }
            long before = -1;
            for (int i = 0; i < event.valueBytes(); i++) {
                long start = register.elementStart(event.offset() + i);
                if (start >= 0
                        && start != before
                        && bits.within(event, start)
                        && ranges.has(bits.get(event, start))) {
                    return true;
                }
                before = start;
            }
            return false;
        }
    }

    /** Bytes of a region that nobody named, as a little-endian number, are in a range. */
    record Bytes(int region, long start, BitsOf bits, ConditionRanges ranges)
            implements ConditionNode {
        @Override
        public boolean holds(Occurrence event) {
            return event.region() == region
                    && bits.within(event, start)
                    && ranges.has(bits.get(event, start));
        }
    }

    /**
     * Bits of a register, and how their value is shown.
     *
     * @param low the lowest, within the register
     * @param width how many
     * @param shift the value is shifted left by this many
     * @param add and this is added then; 0 where there is a mask
     * @param signed whether it is two's complement; {@link #get} gives it with its sign turned
     *     then, so that it compares as an unsigned number
     * @param mask of the shifted value
     */
    record BitsOf(int low, int width, int shift, long add, boolean signed, long mask) {
        static BitsOf of(RegisterField field, int low, long mask, boolean signed) {
            return new BitsOf(
                    low, field.widthBits(), field.shift(), field.format().add(), signed, mask);
        }

        /** Whether the access has all bits that the mask lets through. */
        boolean within(Occurrence event, long start) {
            long wanted = mask == -1 ? -1 : mask >>> shift;
            wanted &= width >= Long.SIZE ? -1L : (1L << width) - 1;
            int first = low + Long.numberOfTrailingZeros(wanted);
            int last = low + Long.SIZE - 1 - Long.numberOfLeadingZeros(wanted);
            long firstByte = start + first / Byte.SIZE - event.offset();
            long lastByte = start + last / Byte.SIZE - event.offset();
            if (wanted == 0 || firstByte < 0 || lastByte >= event.valueBytes()) {
                return false;
            }
            long needed = (-1L >>> (Long.SIZE - 1 - (lastByte - firstByte))) << firstByte;
            return (event.byteEnables() & needed) == needed;
        }

        long get(Occurrence event, long start) {
            int by = (int) (start - event.offset()) * Byte.SIZE + low;
            long bits = by >= 0 ? event.value() >>> by : event.value() << -by;
            int unused = Long.SIZE - width;
            long shown = (signed ? bits << unused >> unused : bits << unused >>> unused) << shift;
            return (shown + add & mask) ^ (signed ? Long.MIN_VALUE : 0);
        }

        /** The largest value that there is, before something is added. */
        long most() {
            return (-1L >>> (Long.SIZE - width)) << shift;
        }
    }
}

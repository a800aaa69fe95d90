package farslot.analysis.diff;

import farslot.recorder.TraceEvent;
import farslot.registers.FieldType;
import farslot.registers.ReadEffect;
import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterField;

/** How reads of one place that follow one another are to be taken. */
enum Volatility {
    /** The register changes by itself: the driver waits, and only the last value matters. */
    POLLED,
    /** Each read takes something away: each matters. */
    CONSUMED,
    /** The map does not say. */
    UNKNOWN;

    static Volatility of(RegisterDomain domain, TraceEvent.Access access) {
        Register register = domain == null ? null : domain.find(access.offset());
        if (register == null) {
            return UNKNOWN;
        }
        if (register.readEffect() == ReadEffect.PRESENT) {
            return CONSUMED;
        }
        return changesByItself(register) ? POLLED : UNKNOWN;
    }

    private static boolean changesByItself(Register register) {
        return register.whole().changesByItself()
                || register.fields().stream().anyMatch(RegisterField::changesByItself);
    }

    /** Whether a register's value says nothing: a number that changes by itself. */
    static boolean isCounter(Register register) {
        return register != null
                && register.whole().changesByItself()
                && (register.whole().type() == FieldType.HEX
                        || register.whole().type() == FieldType.UINT
                        || register.whole().type() == FieldType.INT);
    }
}

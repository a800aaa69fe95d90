package farslot.integration;

import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * What one run is to be: everything that chance decides, drawn from one number.
 *
 * @param seed that number
 * @param byVmRun whether slot and machine are started by {@code farslot vm run}; else by hand
 * @param far whether the slot borrows over TCP; else by the lender's UNIX socket
 * @param victim what is killed
 * @param duringBoot whether that happens {@code bootMillis} after the machine's start; else after
 *     {@code flushes} told flushes and {@code moreMillis}
 * @param lenderIsBack when a killed lender is started again
 */
record KillPlan(
        long seed,
        boolean byVmRun,
        boolean far,
        Victim victim,
        boolean duringBoot,
        int bootMillis,
        int flushes,
        int moreMillis,
        Back lenderIsBack) {
    /** From the machine's start until its shell, on a machine that is not busy. */
    private static final int BOOT_MILLIS = 5000;

    private static final int MOST_FLUSHES = 80;

    enum Victim {
        LENDER,
        SLOT,
        QEMU,
        /** {@code farslot vm run}, which has a slot and a QEMU as children. */
        VM_RUN
    }

    enum Back {
        AT_ONCE,
        /** When the driver's accesses are held no more. */
        AFTER_THE_HOLD,
        NEVER
    }

    static KillPlan of(long seed) {
        Random random = new Random(seed);
        boolean byVmRun = random.nextInt(5) < 2;
        List<Victim> victims = List.of(Victim.values());
        return new KillPlan(
                seed,
                byVmRun,
                random.nextBoolean(),
                victims.get(random.nextInt(byVmRun ? 4 : 3)),
                random.nextInt(3) == 0,
                random.nextInt(BOOT_MILLIS),
                random.nextInt(MOST_FLUSHES),
                random.nextInt(30),
                Back.values()[random.nextInt(Back.values().length)]);
    }

    @Override
    public String toString() {
        String when =
                duringBoot
                        ? bootMillis + " ms after its start"
                        : moreMillis + " ms after " + flushes + " flushes";
        String back = victim == Victim.LENDER ? ", back: " + lenderIsBack : "";
        return String.format(
                "seed %d: %s, %s, %s killed %s%s",
                seed,
                byVmRun ? "vm run" : "by hand",
                far ? "TCP" : "UNIX",
                victim,
                when,
                back.toLowerCase(Locale.ROOT).replace('_', ' '));
    }
}

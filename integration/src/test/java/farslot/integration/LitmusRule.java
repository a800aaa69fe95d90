package farslot.integration;

/** The ordering rules that litmus tests hold, as docs/architecture.md lists them. */
enum LitmusRule {
    DATA_THEN_INTERRUPT(
            "a DMA write is visible before the interrupt that follows it",
            LitmusRounds::dataThenInterrupt),
    DATA_THEN_FLAG(
            "a DMA write is visible before the DMA write that follows it",
            LitmusRounds::dataThenFlag),
    WRITES_THEN_READ(
            "a read is done behind the posted writes before it", LitmusRounds::writesThenRead),
    READ_PUSHES_DMA(
            "what the device wrote before it answered a read is visible when the read returns",
            LitmusRounds::readPushesDma),
    WRITES_TO_TWO_REGIONS(
            "writes to several regions are done in the order in which they were made",
            LitmusRounds::writesToTwoRegions),
    INTERRUPT_THEN_ACKNOWLEDGE(
            "whether INTx is asserted again is decided behind the acknowledging write, so none is"
                    + " lost and none comes for nothing",
            LitmusRounds::interruptThenAcknowledge),
    ENTRY_AS_ONE(
            "an entry's last word, which has the phase bit, is visible after all others",
            LitmusRounds::entryAsOne),
    ACCESSES_BESIDE_DMA(
            "register accesses and the device's DMA beside them leave each other alone",
            LitmusRounds::accessesBesideDma);

    /** The driver's half of a test. */
    interface Rounds {
        LitmusRounds.Outcome run(LitmusDriver driver, long rounds) throws InterruptedException;
    }

    private final String sentence;

    @SuppressWarnings("ImmutableEnumChecker") // A method reference has no state.
    private final Rounds rounds;

    LitmusRule(String sentence, Rounds rounds) {
        this.sentence = sentence;
        this.rounds = rounds;
    }

    String sentence() {
        return sentence;
    }

    /**
     * Tries the rule at least so often, and until what it is about has happened under its eyes a
     * few times.
     *
     * @throws LitmusViolation where it is broken
     */
    LitmusRounds.Outcome run(LitmusDriver driver, long atLeast) throws InterruptedException {
        driver.begin(this);
        LitmusViolation found = null;
        try {
            LitmusRounds.Outcome outcome = rounds.run(driver, atLeast);
            driver.check(outcome.rounds());
            return outcome;
        } catch (LitmusViolation violation) {
            found = violation;
            throw violation;
        } finally {
            end(driver, found);
        }
    }

    private static void end(LitmusDriver driver, LitmusViolation found) {
        try {
            driver.end();
        } catch (LitmusViolation another) {
            if (found == null) {
                throw another;
            }
            found.addSuppressed(another);
        }
    }
}

package farslot.devices.nvme;

import farslot.core.InterruptKind;

/** The ways out for the controller's interrupts. No call waits for the driver; any thread. */
interface InterruptLines {
    /** The mechanism that the driver has enabled; the pin when neither MSI nor MSI-X is. */
    InterruptKind kind();

    /** How many vectors the driver may use with it, at least 1. */
    int vectors();

    /** Sends a message: MSI or MSI-X. */
    void message(int vector);

    /** Drives the pin's level. */
    void pin(boolean asserted);
}

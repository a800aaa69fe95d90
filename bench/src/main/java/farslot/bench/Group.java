package farslot.bench;

/** What can be measured by itself. */
public enum Group {
    /** The slot for emulators, with the device in the slot's process. */
    SLOT,
    /** The link, over both kinds of socket. */
    LINK,
    /** The recorder, and those who follow it. */
    RECORDER,
    /** SQL over a long trace. */
    QUERY,
    /** In a virtual machine, beside QEMU's own devices. */
    VM
}

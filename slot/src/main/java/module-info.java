/** Slots: borrowing and holding functions. */
module farslot.slot {
    requires transitive farslot.core;
    requires transitive farslot.link;
    requires farslot.recorder;

    exports farslot.slot;
}

/** Slots: borrowing and holding functions. */
module farslot.slot {
    requires transitive farslot.core;
    requires transitive farslot.link;
    requires transitive farslot.watch;

    exports farslot.slot;
}

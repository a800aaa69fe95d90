/** Recordings that are begun, followed and ended from elsewhere; see {@link farslot.watch}. */
module farslot.watch {
    requires transitive farslot.link;
    requires transitive farslot.recorder;

    exports farslot.watch;
}

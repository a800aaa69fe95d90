/** Reading what was recorded; see {@link farslot.analysis}. */
module farslot.analysis {
    requires transitive farslot.recorder;
    requires transitive farslot.sdk;

    exports farslot.analysis;
}

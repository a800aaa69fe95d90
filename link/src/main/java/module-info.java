/** Carries functions between processes and machines. */
module farslot.link {
    requires transitive farslot.core;
    requires farslot.posix;

    exports farslot.link;
}

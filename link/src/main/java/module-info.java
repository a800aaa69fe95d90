module farslot.link {
    requires transitive farslot.core;
    requires farslot.posix;
}

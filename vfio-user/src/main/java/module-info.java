module farslot.vfiouser {
    requires transitive farslot.core;
    requires farslot.posix;
    requires tools.jackson.databind;
}

module farslot.sdk {
    requires transitive farslot.core;
    requires farslot.registers;
}

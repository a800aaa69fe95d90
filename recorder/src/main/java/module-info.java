module farslot.recorder {
    requires transitive farslot.core;
    requires farslot.registers;
}

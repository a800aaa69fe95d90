module farslot.recorder {
    requires transitive farslot.core;
    requires transitive farslot.registers;

    exports farslot.recorder;
}

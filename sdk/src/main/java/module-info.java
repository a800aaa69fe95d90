module farslot.sdk {
    requires transitive farslot.core;
    requires transitive farslot.registers;

    exports farslot.sdk;
    exports farslot.sdk.decode;
    exports farslot.sdk.testbench;

    uses farslot.sdk.DeviceKind;
}

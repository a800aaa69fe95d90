module farslot.sdk {
    requires transitive farslot.core;
    requires transitive farslot.registers;

    exports farslot.sdk;

    uses farslot.sdk.DeviceKind;
}

module farslot.devices.edu {
    requires transitive farslot.sdk;

    exports farslot.devices.edu;

    provides farslot.sdk.DeviceKind with
            farslot.devices.edu.EduKind;
    provides farslot.registers.RegisterMapProvider with
            farslot.devices.edu.EduKind;
}

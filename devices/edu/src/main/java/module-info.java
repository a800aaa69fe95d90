module farslot.devices.edu {
    requires transitive farslot.sdk;
}

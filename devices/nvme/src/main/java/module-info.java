module farslot.devices.nvme {
    requires transitive farslot.sdk;
    requires farslot.block;
}

/** The slot for emulators: a vfio-user server that QEMU's vfio-user-pci uses. */
module farslot.vfiouser {
    requires transitive farslot.core;
    requires transitive farslot.posix;
    requires tools.jackson.databind;

    exports farslot.vfiouser;
}

module farslot.bench {
    requires farslot.lender;
    requires farslot.slot;
    requires farslot.vfiouser;
    requires farslot.devices.edu;
    requires farslot.devices.nvme;
    requires farslot.lab;
}

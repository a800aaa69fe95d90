/** The measurements behind "farslot bench". */
module farslot.bench {
    requires farslot.posix;
    requires farslot.link;
    requires farslot.recorder;
    requires farslot.sdk;
    requires farslot.lender;
    requires farslot.vfiouser;
    requires farslot.devices.edu;
    requires farslot.devices.nvme;

    exports farslot.bench;
}

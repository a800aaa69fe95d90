/** The measurements behind "farslot bench". */
module farslot.bench {
    requires java.logging;
    requires java.management;
    requires farslot.posix;
    requires farslot.link;
    requires java.sql;
    requires jdk.management;
    requires farslot.recorder;
    requires farslot.analysis;
    requires farslot.sdk;
    requires farslot.lender;
    requires farslot.trust;
    requires farslot.vfiouser;
    requires farslot.devices.edu;
    requires farslot.devices.nvme;
    requires farslot.lab;

    exports farslot.bench;
}

/** The command line; see {@link farslot.cli}. */
module farslot.cli {
    requires farslot.lender;
    requires farslot.slot;
    requires farslot.trust;
    requires farslot.vfiouser;
    requires farslot.recorder;
    requires farslot.watch;
    requires farslot.analysis;
    requires farslot.registers;
    requires farslot.devices.edu;
    requires farslot.devices.nvme;
    requires farslot.link;
    requires farslot.posix;
    requires farslot.lab;
    requires farslot.bench;
    requires java.logging;
    requires info.picocli;
    requires tools.jackson.databind;

    // picocli sets fields, Jackson reads records.
    opens farslot.cli to
            info.picocli,
            tools.jackson.databind;
}

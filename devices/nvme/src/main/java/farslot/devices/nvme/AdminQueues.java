package farslot.devices.nvme;

/**
 * Where the admin queues lie (NVMe 1.4, 3.1.8 to 3.1.10).
 *
 * @param attributes AQA
 * @param submissionBase ASQ
 * @param completionBase ACQ
 */
record AdminQueues(int attributes, long submissionBase, long completionBase) {
    int submissionEntries() {
        return (attributes & 0xFFF) + 1;
    }

    int completionEntries() {
        return (attributes >>> 16 & 0xFFF) + 1;
    }
}

package farslot.devices.nvme;

/**
 * What outlives a reset of the controller.
 *
 * @param vendor the PCI vendor
 * @param serial up to 20 ASCII characters
 * @param model up to 40 ASCII characters
 * @param queuePairs how many I/O queues of each kind there are
 * @param volatileWriteCache whether written data may wait for a Flush at all
 */
record ControllerState(
        Namespaces namespaces,
        int vendor,
        String serial,
        String model,
        int queuePairs,
        boolean volatileWriteCache,
        HealthCounters counters,
        ErrorLog errors,
        DataBuffers buffers) {}

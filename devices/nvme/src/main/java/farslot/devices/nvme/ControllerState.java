package farslot.devices.nvme;

/**
 * What outlives a reset of the controller.
 *
 * @param vendor the PCI vendor
 * @param serial up to 20 ASCII characters
 * @param model up to 40 ASCII characters
 * @param queuePairs how many I/O queues of each kind there are
 */
record ControllerState(
        Namespace namespace,
        int vendor,
        String serial,
        String model,
        int queuePairs,
        HealthCounters counters,
        ErrorLog errors,
        DataBuffers buffers) {

    /** Identify Controller's data structure. */
    byte[] identity() {
        return Identify.controller(vendor, serial, model, namespace.uuid());
    }
}

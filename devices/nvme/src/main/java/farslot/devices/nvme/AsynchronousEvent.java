package farslot.devices.nvme;

/**
 * What an asynchronous event request can be completed with (NVMe 1.4, 5.2): the events that can
 * occur in this controller. Notices cannot: its firmware and its namespaces stay as they are while
 * it is lent, so Identify's OAES offers none.
 */
enum AsynchronousEvent {
    INVALID_DOORBELL_REGISTER(Type.ERROR, 0x00),
    INVALID_DOORBELL_VALUE(Type.ERROR, 0x01),
    RELIABILITY(Type.HEALTH, 0x00),
    TEMPERATURE_THRESHOLD(Type.HEALTH, 0x01),
    SPARE_BELOW_THRESHOLD(Type.HEALTH, 0x02);

    /** The event types; reading its log page lets a type through again. */
    enum Type {
        ERROR(0, LogPages.ERROR_INFORMATION),
        HEALTH(1, LogPages.HEALTH);

        private final int code;
        private final int logPage;

        Type(int code, int logPage) {
            this.code = code;
            this.logPage = logPage;
        }

        int logPage() {
            return logPage;
        }
    }

    private final Type type;
    private final int information;

    AsynchronousEvent(Type type, int information) {
        this.type = type;
        this.information = information;
    }

    Type type() {
        return type;
    }

    /** Dword 0 of the completion (5.2). */
    int result() {
        return type.code | information << 8 | type.logPage << 16;
    }
}

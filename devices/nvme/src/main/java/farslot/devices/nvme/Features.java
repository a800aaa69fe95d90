package farslot.devices.nvme;

import farslot.core.StateException;
import farslot.sdk.StateReader;
import farslot.sdk.StateWriter;
import java.util.Arrays;

/**
 * The features that Get Features and Set Features name (NVMe 1.4, 5.13 and 5.21.1). None can be
 * saved; a reset of the controller brings the defaults back.
 */
final class Features {
    static final int ARBITRATION = 0x01;
    static final int POWER_MANAGEMENT = 0x02;
    static final int LBA_RANGE_TYPE = 0x03;
    static final int TEMPERATURE_THRESHOLD = 0x04;
    static final int ERROR_RECOVERY = 0x05;
    static final int VOLATILE_WRITE_CACHE = 0x06;
    static final int NUMBER_OF_QUEUES = 0x07;
    static final int INTERRUPT_COALESCING = 0x08;
    static final int INTERRUPT_VECTOR_CONFIGURATION = 0x09;
    static final int WRITE_ATOMICITY_NORMAL = 0x0A;
    static final int ASYNCHRONOUS_EVENT_CONFIGURATION = 0x0B;

    /** The temperature in kelvins that this controller reports: 300 K, a cool room. */
    static final int TEMPERATURE_KELVIN = 300;

    static final int WARNING_TEMPERATURE_KELVIN = 343;
    static final int CRITICAL_TEMPERATURE_KELVIN = 353;

    private static final int CHANGEABLE = 1 << 2;
    private static final int NAMESPACE_SPECIFIC = 1 << 1;
    private static final int ALL_SENSORS = 0xF;

    private final ControllerState state;
    private final int[] values = new int[ASYNCHRONOUS_EVENT_CONFIGURATION + 1];

    /** Error recovery is each namespace's own. */
    private final int[] errorRecovery;

    private final boolean[] coalescingDisabled;
    private int underTemperature;

    Features(ControllerState state) {
        this.state = state;
        this.errorRecovery = new int[state.namespaces().count()];
        // A vector for each I/O queue, and the admin queue's.
        this.coalescingDisabled = new boolean[state.queuePairs() + 1];
        for (int feature = 0; feature < values.length; feature++) {
            values[feature] = defaultOf(feature);
        }
    }

    private int defaultOf(int feature) {
        return switch (feature) {
            case TEMPERATURE_THRESHOLD -> WARNING_TEMPERATURE_KELVIN;
            case VOLATILE_WRITE_CACHE -> 1;
            case NUMBER_OF_QUEUES -> state.queuePairs() - 1 | (state.queuePairs() - 1) << 16;
            default -> 0;
        };
    }

    /** Whether written data may wait for a Flush. */
    synchronized boolean writeCacheEnabled() {
        return state.volatileWriteCache() && (values[VOLATILE_WRITE_CACHE] & 1) != 0;
    }

    /** The burst and the weights of arbitration. */
    synchronized int arbitration() {
        return values[ARBITRATION];
    }

    /** How many I/O submission queues the driver was given. */
    synchronized int submissionQueues() {
        return (values[NUMBER_OF_QUEUES] & 0xFFFF) + 1;
    }

    synchronized int completionQueues() {
        return (values[NUMBER_OF_QUEUES] >>> 16) + 1;
    }

    synchronized boolean isTemperaturePastThreshold() {
        return TEMPERATURE_KELVIN >= values[TEMPERATURE_THRESHOLD]
                || TEMPERATURE_KELVIN <= underTemperature;
    }

    /** The critical warnings that the driver wants to be told of. */
    synchronized int criticalWarningsWanted() {
        return values[ASYNCHRONOUS_EVENT_CONFIGURATION] & 0xFF;
    }

    /** Get Features: the completion's dword 0. */
    synchronized int get(Command command) throws CommandException {
        int feature = feature(command);
        if (feature == ERROR_RECOVERY) {
            state.namespaces().get(command.namespace());
        }
        int select = command.dword(10) >>> 8 & 7;
        return switch (select) {
            case 0 -> current(feature, command);
            // What cannot be saved has its default as the saved value (5.13).
            case 1, 2 -> selectedDefault(feature, command);
            case 3 -> CHANGEABLE | (feature == ERROR_RECOVERY ? NAMESPACE_SPECIFIC : 0);
            default -> throw CommandException.invalidField(10, 8);
        };
    }

    synchronized void save(StateWriter saved) {
        for (int feature = 0; feature < values.length; feature++) {
            saved.put("feature " + feature, values[feature]);
        }
        for (int namespace = 0; namespace < errorRecovery.length; namespace++) {
            saved.put("error recovery " + (namespace + 1), errorRecovery[namespace]);
        }
        saved.put("under temperature", underTemperature);
        for (int vector = 0; vector < coalescingDisabled.length; vector++) {
            saved.put("coalescing disabled " + vector, coalescingDisabled[vector]);
        }
    }

    synchronized void load(StateReader saved) throws StateException {
        for (int feature = 0; feature < values.length; feature++) {
            values[feature] = saved.bits32("feature " + feature);
        }
        if (submissionQueues() > state.queuePairs() || completionQueues() > state.queuePairs()) {
            throw saved.wrong("feature " + NUMBER_OF_QUEUES, "gives more queues than there are");
        }
        for (int namespace = 0; namespace < errorRecovery.length; namespace++) {
            errorRecovery[namespace] = saved.bits32("error recovery " + (namespace + 1));
        }
        underTemperature = saved.int32("under temperature", 0, 0xFFFF);
        for (int vector = 0; vector < coalescingDisabled.length; vector++) {
            coalescingDisabled[vector] = saved.flag("coalescing disabled " + vector);
        }
    }

    private int current(int feature, Command command) throws CommandException {
        return switch (feature) {
            case TEMPERATURE_THRESHOLD ->
                    isUnderThreshold(command, false)
                            ? underTemperature
                            : values[TEMPERATURE_THRESHOLD];
            case INTERRUPT_VECTOR_CONFIGURATION -> {
                int vector = vector(command);
                yield vector | (coalescingDisabled[vector] ? 1 << 16 : 0);
            }
            case ERROR_RECOVERY -> errorRecovery[command.namespace() - 1];
            default -> values[feature];
        };
    }

    private int selectedDefault(int feature, Command command) throws CommandException {
        return switch (feature) {
            case TEMPERATURE_THRESHOLD ->
                    isUnderThreshold(command, false) ? 0 : WARNING_TEMPERATURE_KELVIN;
            case INTERRUPT_VECTOR_CONFIGURATION -> vector(command);
            default -> defaultOf(feature);
        };
    }

    /**
     * Set Features: the completion's dword 0.
     *
     * @param queuesExist whether an I/O queue was created since the controller was enabled
     */
    synchronized int set(Command command, boolean queuesExist) throws CommandException {
        int feature = feature(command);
        if (command.dword(10) < 0) {
            throw CommandException.at(StatusCode.FEATURE_IDENTIFIER_NOT_SAVEABLE, 43, 7);
        }
        checkNamespace(feature, command.namespace());
        int value = command.dword(11);
        switch (feature) {
            case POWER_MANAGEMENT -> {
                if ((value & 0x1F) != 0) {
                    throw CommandException.invalidField(11, 0);
                }
            }
            case TEMPERATURE_THRESHOLD -> {
                setThreshold(command, value & 0xFFFF);
                return 0;
            }
            case ERROR_RECOVERY -> {
                setErrorRecovery(command.namespace(), value);
                return 0;
            }
            case NUMBER_OF_QUEUES -> {
                return setQueues(value, queuesExist);
            }
            case INTERRUPT_VECTOR_CONFIGURATION -> {
                coalescingDisabled[vector(command)] = (value & 1 << 16) != 0;
                return 0;
            }
            case ASYNCHRONOUS_EVENT_CONFIGURATION -> {
                // Identify's OAES offers no notices.
                if ((value & ~0xFF) != 0) {
                    throw CommandException.invalidField(11, 8);
                }
            }
            default -> {}
        }
        values[feature] = value;
        return 0;
    }

    private int feature(Command command) throws CommandException {
        int feature = command.dword(10) & 0xFF;
        boolean known =
                feature >= ARBITRATION
                        && feature <= ASYNCHRONOUS_EVENT_CONFIGURATION
                        && feature != LBA_RANGE_TYPE
                        && (feature != VOLATILE_WRITE_CACHE || state.volatileWriteCache());
        if (!known) {
            throw CommandException.invalidField(10, 0);
        }
        return feature;
    }

    private void checkNamespace(int feature, int namespace) throws CommandException {
        boolean general = namespace == Command.ALL_NAMESPACES;
        if (feature == ERROR_RECOVERY) {
            general |= state.namespaces().has(namespace);
        } else {
            general |= namespace == 0;
        }
        if (general) {
            return;
        }
        state.namespaces().get(namespace);
        throw CommandException.at(StatusCode.FEATURE_NOT_NAMESPACE_SPECIFIC, 4, 0);
    }

    /** Deallocated blocks read as they are: no error for them (DULBE) is offered. */
    private void setErrorRecovery(int namespace, int value) throws CommandException {
        if ((value & 1 << 16) != 0) {
            throw CommandException.invalidField(11, 16);
        }
        if (namespace == Command.ALL_NAMESPACES) {
            Arrays.fill(errorRecovery, value);
        } else {
            errorRecovery[namespace - 1] = value;
        }
    }

    private int vector(Command command) throws CommandException {
        int vector = command.dword(11) & 0xFFFF;
        if (vector >= coalescingDisabled.length) {
            throw CommandException.invalidField(11, 0);
        }
        return vector;
    }

    /** Only the composite temperature is measured; "all sensors" means it too, for setting. */
    private static boolean isUnderThreshold(Command command, boolean setting)
            throws CommandException {
        int sensor = command.dword(11) >>> 16 & 0xF;
        int select = command.dword(11) >>> 20 & 3;
        if (sensor != 0 && !(setting && sensor == ALL_SENSORS)) {
            throw CommandException.invalidField(11, 16);
        }
        if (select > 1) {
            throw CommandException.invalidField(11, 20);
        }
        return select == 1;
    }

    private void setThreshold(Command command, int kelvin) throws CommandException {
        if (isUnderThreshold(command, true)) {
            underTemperature = kelvin;
        } else {
            values[TEMPERATURE_THRESHOLD] = kelvin;
        }
    }

    private int setQueues(int value, boolean queuesExist) throws CommandException {
        int submission = value & 0xFFFF;
        int completion = value >>> 16;
        if (submission == 0xFFFF) {
            throw CommandException.invalidField(11, 0);
        }
        if (completion == 0xFFFF) {
            throw CommandException.invalidField(11, 16);
        }
        if (queuesExist) {
            throw new CommandException(StatusCode.COMMAND_SEQUENCE_ERROR);
        }
        int most = state.queuePairs() - 1;
        values[NUMBER_OF_QUEUES] = Math.min(submission, most) | Math.min(completion, most) << 16;
        return values[NUMBER_OF_QUEUES];
    }
}

package farslot.devices.nvme;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The admin command set (NVMe 1.4, 5). One command at a time is executed. */
final class AdminCommands {
    private final Enablement enablement;
    private final ControllerState state;
    private final QueueCommands queues;

    AdminCommands(Enablement enablement, ControllerState state) {
        this.enablement = enablement;
        this.state = state;
        this.queues = new QueueCommands(enablement);
    }

    QueueCommands queues() {
        return queues;
    }

    /**
     * Executes a command.
     *
     * @return the completion's dword 0, or null where the completion comes later
     */
    Integer execute(Command command) throws CommandException {
        AdminOpcode opcode = AdminOpcode.ofCode(command.opcode());
        if (opcode == null) {
            throw CommandException.at(StatusCode.INVALID_COMMAND_OPCODE, 0, 0);
        }
        checkFirstDword(command);
        if (!opcode.usesNamespace()) {
            checkNoNamespace(command);
        }
        return switch (opcode) {
            case IDENTIFY -> identify(command);
            case GET_LOG_PAGE -> getLogPage(command);
            case GET_FEATURES -> enablement.features().get(command);
            case SET_FEATURES -> setFeatures(command);
            case CREATE_IO_COMPLETION_QUEUE -> queues.createCompletionQueue(command);
            case CREATE_IO_SUBMISSION_QUEUE -> queues.createSubmissionQueue(command);
            case DELETE_IO_SUBMISSION_QUEUE -> queues.deleteSubmissionQueue(command);
            case DELETE_IO_COMPLETION_QUEUE -> queues.deleteCompletionQueue(command);
            case ABORT -> enablement.abort().execute(command);
            case ASYNCHRONOUS_EVENT_REQUEST -> {
                enablement.keep(command);
                yield null;
            }
        };
    }

    /** No admin command is fused, and none has its data by SGLs on PCI Express (4.2). */
    private static void checkFirstDword(Command command) throws CommandException {
        if (command.fuse() != 0) {
            throw CommandException.at(StatusCode.INVALID_FIELD_IN_COMMAND, 1, 0);
        }
        if (command.psdt() != DataPointer.PRP) {
            throw CommandException.at(StatusCode.INVALID_FIELD_IN_COMMAND, 1, 6);
        }
    }

    /** A namespace for a command that is of none (4.2). */
    private static void checkNoNamespace(Command command) throws CommandException {
        if (command.namespace() != 0) {
            throw CommandException.at(StatusCode.INVALID_FIELD_IN_COMMAND, 4, 0);
        }
    }

    /** NVMe 1.4, 5.15: CNS 00h to 03h; what belongs to other capabilities is refused. */
    private Integer identify(Command command) throws CommandException {
        int id = command.namespace();
        byte[] data =
                switch (command.dword(10) & 0xFF) {
                    case Identify.NAMESPACE -> Identify.namespace(state.namespaces().get(id));
                    case Identify.CONTROLLER -> {
                        checkNoNamespace(command);
                        yield Identify.controller(state);
                    }
                    case Identify.ACTIVE_NAMESPACES -> {
                        // FFFFFFFEh and FFFFFFFFh have nothing above them (5.15.2.3).
                        if (id == -1 || id == -2) {
                            throw CommandException.invalidNamespace();
                        }
                        yield Identify.activeNamespaces(state.namespaces(), id);
                    }
                    case Identify.DESCRIPTORS -> Identify.descriptors(state.namespaces().get(id));
                    default -> throw CommandException.invalidField(10, 0);
                };
        send(command, data, data.length);
        return 0;
    }

    /** NVMe 1.4, 5.14. */
    private Integer getLogPage(Command command) throws CommandException {
        int page = command.dword(10) & 0xFF;
        byte[] log = logPage(page);
        // No log is a namespace's own.
        if (command.namespace() != 0 && command.namespace() != Command.ALL_NAMESPACES) {
            throw CommandException.at(StatusCode.INVALID_FIELD_IN_COMMAND, 4, 0);
        }
        long dwords = (command.dword(10) >>> 16 | (long) (command.dword(11) & 0xFFFF) << 16) + 1;
        long offset = Integer.toUnsignedLong(command.dword(12)) | (long) command.dword(13) << 32;
        if (offset < 0 || offset > log.length || (offset & 3) != 0) {
            throw CommandException.invalidField(12, 0);
        }
        if (dwords * 4 > Identify.MAX_TRANSFER_BYTES) {
            throw CommandException.invalidField(10, 16);
        }
        byte[] rest = Arrays.copyOfRange(log, (int) offset, log.length);
        send(command, rest, (int) Math.min(dwords * 4, rest.length));
        boolean retain = (command.dword(10) & 1 << 15) != 0;
        if (!retain) {
            enablement.logRead(page);
        }
        return 0;
    }

    private byte[] logPage(int page) throws CommandException {
        return switch (page) {
            case LogPages.ERROR_INFORMATION -> state.errors().page();
            case LogPages.HEALTH ->
                    LogPages.health(state.counters(), state.errors(), enablement.warnings());
            case LogPages.FIRMWARE_SLOT -> LogPages.firmwareSlots();
            case LogPages.COMMANDS_SUPPORTED -> LogPages.commandsSupported();
            default -> throw CommandException.at(StatusCode.INVALID_LOG_PAGE, 40, 0);
        };
    }

    private void send(Command command, byte[] data, int bytes) throws CommandException {
        if (bytes > 0) {
            MemorySegment sent = MemorySegment.ofArray(data).asSlice(0, bytes);
            DataPointer.send(enablement, DataPointer.segments(enablement, command, sent));
        }
    }

    private Integer setFeatures(Command command) throws CommandException {
        int result = enablement.features().set(command, queues.anyCreated());
        enablement.featuresChanged();
        return result;
    }
}

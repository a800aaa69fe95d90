package farslot.devices.nvme;

import farslot.core.DmaSegment;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * The admin command set (NVMe 1.4, 5). One command at a time is executed, since they change the
 * queues that each other's checks look at.
 */
final class AdminCommands {
    private static final int PHYSICALLY_CONTIGUOUS = 1;

    private final Enablement enablement;
    private final ControllerState state;
    private boolean queuesExist;

    AdminCommands(Enablement enablement, ControllerState state) {
        this.enablement = enablement;
        this.state = state;
    }

    /**
     * Executes a command.
     *
     * @return the completion's dword 0, or null where the completion comes later
     */
    synchronized Integer execute(Command command) throws CommandException {
        AdminOpcode opcode = AdminOpcode.ofCode(command.opcode());
        if (opcode == null) {
            throw CommandException.at(StatusCode.INVALID_COMMAND_OPCODE, 0, 0);
        }
        Enablement.checkFirstDword(command);
        return switch (opcode) {
            case IDENTIFY -> identify(command);
            case GET_LOG_PAGE -> getLogPage(command);
            case GET_FEATURES -> enablement.features().get(command);
            case SET_FEATURES -> setFeatures(command);
            case CREATE_IO_COMPLETION_QUEUE -> createCompletionQueue(command);
            case CREATE_IO_SUBMISSION_QUEUE -> createSubmissionQueue(command);
            case DELETE_IO_SUBMISSION_QUEUE -> deleteSubmissionQueue(command);
            case DELETE_IO_COMPLETION_QUEUE -> deleteCompletionQueue(command);
            case ABORT -> abort(command);
            case ASYNCHRONOUS_EVENT_REQUEST -> {
                enablement.keep(command);
                yield null;
            }
        };
    }

    /** NVMe 1.4, 5.15: CNS 00h to 03h; what belongs to other command sets is refused. */
    private Integer identify(Command command) throws CommandException {
        int namespace = command.namespace();
        byte[] data =
                switch (command.dword(10) & 0xFF) {
                    case 0x00 -> {
                        checkNamespace(namespace);
                        yield Identify.namespace(state.namespace());
                    }
                    case 0x01 -> state.identity();
                    case 0x02 -> {
                        // FFFFFFFEh and FFFFFFFFh have nothing above them.
                        if (namespace == -1 || namespace == -2) {
                            throw CommandException.at(StatusCode.INVALID_NAMESPACE_OR_FORMAT, 4, 0);
                        }
                        yield Identify.activeNamespaces(namespace < 0 ? 1 : namespace);
                    }
                    case 0x03 -> {
                        checkNamespace(namespace);
                        yield Identify.descriptors(state.namespace());
                    }
                    default -> throw CommandException.invalidField(10, 0);
                };
        send(command, data, data.length);
        return 0;
    }

    private static void checkNamespace(int namespace) throws CommandException {
        if (namespace != Identify.NAMESPACE) {
            throw CommandException.at(StatusCode.INVALID_NAMESPACE_OR_FORMAT, 4, 0);
        }
    }

    /** NVMe 1.4, 5.14. */
    private Integer getLogPage(Command command) throws CommandException {
        int page = command.dword(10) & 0xFF;
        byte[] log =
                switch (page) {
                    case LogPages.ERROR_INFORMATION -> state.errors().page();
                    case LogPages.HEALTH ->
                            LogPages.health(
                                    state.counters(), state.errors(), enablement.features());
                    case LogPages.FIRMWARE_SLOT -> LogPages.firmwareSlots();
                    case LogPages.COMMANDS_SUPPORTED -> LogPages.commandsSupported();
                    default -> throw CommandException.at(StatusCode.INVALID_LOG_PAGE, 40, 0);
                };
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

    private void send(Command command, byte[] data, int bytes) throws CommandException {
        if (bytes == 0) {
            return;
        }
        List<DmaSegment> segments =
                PrpWalk.segments(
                        enablement.memory(),
                        enablement.pageBytes(),
                        command.prp1(),
                        command.prp2(),
                        MemorySegment.ofArray(data).asSlice(0, bytes));
        if (!enablement.memory().writeAll(segments).isSuccess()) {
            throw CommandException.at(StatusCode.DATA_TRANSFER_ERROR, 24, 0);
        }
    }

    private Integer setFeatures(Command command) throws CommandException {
        int result = enablement.features().set(command, queuesExist);
        if (enablement.features().healthEventWanted()) {
            enablement.raise(AsyncEvent.TEMPERATURE_THRESHOLD);
        }
        return result;
    }

    /** NVMe 1.4, 5.3. */
    private Integer createCompletionQueue(Command command) throws CommandException {
        int id = command.dword(10) & 0xFFFF;
        int size = command.dword(10) >>> 16;
        int vector = command.dword(11) >>> 16;
        if (id == 0
                || id > enablement.features().completionQueues()
                || enablement.completionQueue(id) != null) {
            throw CommandException.at(StatusCode.INVALID_QUEUE_IDENTIFIER, 40, 0);
        }
        if (size == 0
                || size > Controller.MAX_QUEUE_ENTRIES - 1
                || enablement.completionEntryBytes() != CompletionQueue.ENTRY_BYTES) {
            throw CommandException.at(StatusCode.INVALID_QUEUE_SIZE, 42, 0);
        }
        if (vector >= enablement.vectors()) {
            throw CommandException.at(StatusCode.INVALID_INTERRUPT_VECTOR, 46, 0);
        }
        checkPlace(command);
        boolean interruptsEnabled = (command.dword(11) & 2) != 0;
        queuesExist = true;
        enablement.add(
                new CompletionQueue(
                        id,
                        enablement.memory(),
                        command.prp1(),
                        size + 1,
                        interruptsEnabled,
                        vector));
        return 0;
    }

    /** NVMe 1.4, 5.4. */
    private Integer createSubmissionQueue(Command command) throws CommandException {
        int id = command.dword(10) & 0xFFFF;
        int size = command.dword(10) >>> 16;
        int completionId = command.dword(11) >>> 16;
        if (id == 0
                || id > enablement.features().submissionQueues()
                || enablement.submissionQueue(id) != null) {
            throw CommandException.at(StatusCode.INVALID_QUEUE_IDENTIFIER, 40, 0);
        }
        if (size == 0
                || size > Controller.MAX_QUEUE_ENTRIES - 1
                || enablement.submissionEntryBytes() != Command.ENTRY_BYTES) {
            throw CommandException.at(StatusCode.INVALID_QUEUE_SIZE, 42, 0);
        }
        if (completionId == 0 || completionId > enablement.features().completionQueues()) {
            throw CommandException.at(StatusCode.INVALID_QUEUE_IDENTIFIER, 46, 0);
        }
        CompletionQueue completionQueue = enablement.completionQueue(completionId);
        if (completionQueue == null) {
            throw CommandException.at(StatusCode.COMPLETION_QUEUE_INVALID, 46, 0);
        }
        checkPlace(command);
        queuesExist = true;
        enablement.add(new SubmissionQueue(id, command.prp1(), size + 1, completionQueue));
        return 0;
    }

    /** CAP.CQR asks for contiguous queues, and the page's offset must be 0 (figure 157). */
    private void checkPlace(Command command) throws CommandException {
        if ((command.dword(11) & PHYSICALLY_CONTIGUOUS) == 0) {
            throw CommandException.invalidField(11, 0);
        }
        if ((command.prp1() & (enablement.pageBytes() - 1)) != 0) {
            throw CommandException.at(StatusCode.PRP_OFFSET_INVALID, 24, 0);
        }
    }

    /** NVMe 1.4, 5.6: completes when all commands of the queue have. */
    private Integer deleteSubmissionQueue(Command command) throws CommandException {
        int id = command.dword(10) & 0xFFFF;
        if (id == 0 || enablement.submissionQueue(id) == null) {
            throw CommandException.at(StatusCode.INVALID_QUEUE_IDENTIFIER, 40, 0);
        }
        enablement.delete(enablement.submissionQueue(id), command);
        return null;
    }

    /** NVMe 1.4, 5.5. */
    private Integer deleteCompletionQueue(Command command) throws CommandException {
        int id = command.dword(10) & 0xFFFF;
        CompletionQueue queue = id == 0 ? null : enablement.completionQueue(id);
        if (queue == null) {
            throw CommandException.at(StatusCode.INVALID_QUEUE_IDENTIFIER, 40, 0);
        }
        if (!queue.submissionQueues().isEmpty()) {
            throw CommandException.at(StatusCode.INVALID_QUEUE_DELETION, 40, 0);
        }
        enablement.remove(queue);
        return 0;
    }

    /** NVMe 1.4, 5.1: bit 0 of the result says that the command was not aborted. */
    private Integer abort(Command command) {
        SubmissionQueue queue = enablement.submissionQueue(command.dword(10) & 0xFFFF);
        Command target = queue == null ? null : queue.underWay(command.dword(10) >>> 16);
        return target != null && enablement.abort(target) ? 0 : 1;
    }
}

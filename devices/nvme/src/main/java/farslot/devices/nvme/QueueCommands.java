package farslot.devices.nvme;

/** The admin commands that make and delete I/O queues (NVMe 1.4, 5.3 to 5.6). */
final class QueueCommands {
    private static final int PHYSICALLY_CONTIGUOUS = 1;
    private static final int INTERRUPTS_ENABLED = 1 << 1;

    private final Enablement enablement;
    private boolean anyCreated;

    QueueCommands(Enablement enablement) {
        this.enablement = enablement;
    }

    /** Whether an I/O queue was created since the controller was enabled. */
    boolean anyCreated() {
        return anyCreated;
    }

    void setAnyCreated(boolean created) {
        anyCreated = created;
    }

    /** NVMe 1.4, 5.3. */
    int createCompletionQueue(Command command) throws CommandException {
        int id = command.dword(10) & 0xFFFF;
        int vector = command.dword(11) >>> 16;
        if (id == 0
                || id > enablement.features().completionQueues()
                || enablement.completionQueue(id) != null) {
            throw CommandException.at(StatusCode.INVALID_QUEUE_IDENTIFIER, 40, 0);
        }
        checkSize(
                command,
                enablement.configuration().completionEntryBytes(),
                CompletionQueue.ENTRY_BYTES);
        if (vector >= enablement.vectors()) {
            throw CommandException.at(StatusCode.INVALID_INTERRUPT_VECTOR, 46, 0);
        }
        checkPlace(command);
        anyCreated = true;
        enablement.add(
                new CompletionQueue(
                        id,
                        enablement.memory(),
                        command.prp1(),
                        entries(command),
                        (command.dword(11) & INTERRUPTS_ENABLED) != 0,
                        vector));
        return 0;
    }

    /** NVMe 1.4, 5.4. */
    int createSubmissionQueue(Command command) throws CommandException {
        int id = command.dword(10) & 0xFFFF;
        int completionId = command.dword(11) >>> 16;
        if (id == 0
                || id > enablement.features().submissionQueues()
                || enablement.submissionQueue(id) != null) {
            throw CommandException.at(StatusCode.INVALID_QUEUE_IDENTIFIER, 40, 0);
        }
        checkSize(command, enablement.configuration().submissionEntryBytes(), Command.ENTRY_BYTES);
        if (completionId == 0 || completionId > enablement.features().completionQueues()) {
            throw CommandException.at(StatusCode.INVALID_QUEUE_IDENTIFIER, 46, 0);
        }
        CompletionQueue completionQueue = enablement.completionQueue(completionId);
        if (completionQueue == null) {
            throw CommandException.at(StatusCode.COMPLETION_QUEUE_INVALID, 46, 0);
        }
        checkPlace(command);
        anyCreated = true;
        enablement.add(
                new SubmissionQueue(
                        id, command.prp1(), entries(command), completionQueue, priority(command)));
        return 0;
    }

    /** QPRIO counts only where weighted round robin was chosen. */
    private Arbitration.Priority priority(Command command) {
        return enablement.isWeighted()
                ? Arbitration.Priority.ofCode(command.dword(11) >>> 1 & 3)
                : Arbitration.Priority.MEDIUM;
    }

    /** QSIZE is 0's based. */
    private static int entries(Command command) {
        return (command.dword(10) >>> 16) + 1;
    }

    private static void checkSize(Command command, int entryBytesSet, int entryBytes)
            throws CommandException {
        int entries = entries(command);
        if (entries < 2 || entries > Controller.MAX_QUEUE_ENTRIES || entryBytesSet != entryBytes) {
            throw CommandException.at(StatusCode.INVALID_QUEUE_SIZE, 42, 0);
        }
    }

    /** CAP.CQR asks for contiguous queues, and each begins at a page. */
    private void checkPlace(Command command) throws CommandException {
        if ((command.dword(11) & PHYSICALLY_CONTIGUOUS) == 0) {
            throw CommandException.invalidField(11, 0);
        }
        if ((command.prp1() & (enablement.configuration().pageBytes() - 1)) != 0) {
            throw CommandException.dataPointer(StatusCode.PRP_OFFSET_INVALID);
        }
    }

    /** NVMe 1.4, 5.6: completes when all commands of the queue have. */
    Integer deleteSubmissionQueue(Command command) throws CommandException {
        int id = command.dword(10) & 0xFFFF;
        SubmissionQueue queue = id == 0 ? null : enablement.submissionQueue(id);
        if (queue == null) {
            throw CommandException.at(StatusCode.INVALID_QUEUE_IDENTIFIER, 40, 0);
        }
        enablement.delete(queue, command);
        return null;
    }

    /** NVMe 1.4, 5.5. */
    int deleteCompletionQueue(Command command) throws CommandException {
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
}

package farslot.vfiouser;

import farslot.core.FunctionDescription;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.posix.Descriptor;
import farslot.posix.Errno;
import farslot.posix.EventFd;
import farslot.posix.ReceivedDescriptors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The event descriptors by which a client hears of interrupts: DEVICE_SET_IRQS. They are signalled
 * whatever any MSI-X table says: the emulator owns the table, and forwards neither masks nor
 * unmasks.
 *
 * <p>Changed by the thread that serves; any thread may signal, without a lock.
 */
final class ClientInterrupts {
    /** How the function is told, in the order of everything else. */
    interface Teller {
        void interrupts(InterruptKind kind, int first, int count, InterruptAction action);

        /** A descriptor on which each signal is the end of an INTx interrupt; null for none. */
        void resample(EventFd event);
    }

    private final int[] counts = new int[Messages.IRQ_COUNT];
    private final List<AtomicReferenceArray<EventFd>> events = new ArrayList<>();
    private final Teller teller;
    private final Complaints complaints;
    private volatile boolean intxMasked;

    ClientInterrupts(FunctionDescription description, Teller teller, Complaints complaints) {
        this.teller = teller;
        this.complaints = complaints;
        for (InterruptKind kind : InterruptKind.values()) {
            counts[kind.code()] = description.vectors(kind);
        }
        counts[Messages.IRQ_ERR] = 1;
        counts[Messages.IRQ_REQ] = 1;
        for (int count : counts) {
            events.add(new AtomicReferenceArray<>(count));
        }
    }

    int count(int index) {
        return counts[index];
    }

    /** VFIO_IRQ_INFO flags as the kernel's vfio-pci gives them. */
    static int flags(int index) {
        return switch (index) {
            case Messages.IRQ_INTX ->
                    Messages.IRQ_FLAG_EVENTFD
                            | Messages.IRQ_FLAG_MASKABLE
                            | Messages.IRQ_FLAG_AUTOMASKED;
            case Messages.IRQ_MSIX -> Messages.IRQ_FLAG_EVENTFD;
            default -> Messages.IRQ_FLAG_EVENTFD | Messages.IRQ_FLAG_NORESIZE;
        };
    }

    /** Signals one vector; nothing where the client has given no descriptor for it. */
    void fire(int index, int vector) {
        if (vector < 0 || vector >= counts[index]) {
            complaints.say(
                    "The function signals vector "
                            + vector
                            + " of interrupt index "
                            + index
                            + ", which has "
                            + counts[index]
                            + "; ignored.");
            return;
        }
        if (index == Messages.IRQ_INTX && intxMasked) {
            return;
        }
        EventFd event = events.get(index).get(vector);
        while (event != null) {
            try {
                event.signal();
                return;
            } catch (IOException closed) {
                EventFd now = events.get(index).get(vector);
                if (now == event) {
                    complaints.say(closed.getMessage());
                    return;
                }
                event = now;
            }
        }
    }

    boolean isArmed(int index) {
        return counts[index] > 0 && events.get(index).get(0) != null;
    }

    /** Does what a SET_IRQS asks for. */
    void set(Message message) throws Refused {
        ClientMemory.checkSize(message, Messages.SET_IRQS_DATA, Messages.SET_IRQS_ARGSZ);
        int flags = message.u32(Messages.SET_IRQS_FLAGS);
        int index = message.u32(Messages.SET_IRQS_INDEX);
        long start = message.u32(Messages.SET_IRQS_START) & 0xffffffffL;
        long count = message.u32(Messages.SET_IRQS_VECTORS) & 0xffffffffL;
        if (index < 0 || index >= Messages.IRQ_COUNT) {
            throw new Refused(
                    Errno.EINVAL,
                    "DEVICE_SET_IRQS for index " + (index & 0xffffffffL) + "; 0 to 4 are known.");
        }
        if (start + count > counts[index]) {
            throw new Refused(
                    Errno.EINVAL,
                    String.format(
                            "DEVICE_SET_IRQS for vectors %d to %d of index %d, which has %d.",
                            start, start + count - 1, index, counts[index]));
        }
        int data = flags & Messages.IRQ_DATA_MASK;
        int action = flags & ~Messages.IRQ_DATA_MASK;
        checkDescriptors(message.descriptors(), data, (int) count);
        switch (action) {
            case Messages.IRQ_ACTION_TRIGGER ->
                    trigger(message, data, index, (int) start, (int) count);
            case Messages.IRQ_ACTION_MASK -> mask(message, data, index, (int) start, (int) count);
            case Messages.IRQ_ACTION_UNMASK ->
                    unmask(message, data, index, (int) start, (int) count);
            default ->
                    throw new Refused(
                            Errno.EINVAL,
                            String.format(
                                    "DEVICE_SET_IRQS with flags 0x%x names not one action.",
                                    flags));
        }
    }

    private static void checkDescriptors(ReceivedDescriptors arrived, int data, int count)
            throws Refused {
        int most = data == Messages.IRQ_DATA_EVENTFD ? count : 0;
        if (arrived.count() != 0 && arrived.count() != most) {
            throw new Refused(
                    Errno.EINVAL,
                    "DEVICE_SET_IRQS with "
                            + arrived.count()
                            + " descriptors; none or "
                            + most
                            + " belong to it.");
        }
    }

    private void trigger(Message message, int data, int index, int start, int count)
            throws Refused {
        switch (data) {
            case Messages.IRQ_DATA_NONE -> {
                if (count == 0) {
                    assign(index, 0, counts[index], List.of());
                } else {
                    for (int vector = start; vector < start + count; vector++) {
                        fire(index, vector);
                    }
                }
            }
            case Messages.IRQ_DATA_BOOL -> {
                checkBools(message, count);
                for (int at = 0; at < count; at++) {
                    if (message.u8(Messages.SET_IRQS_DATA + at) != 0) {
                        fire(index, start + at);
                    }
                }
            }
            case Messages.IRQ_DATA_EVENTFD ->
                    assign(index, start, count, takeEvents(message.descriptors()));
            default -> throw notOneKindOfData(data);
        }
    }

    private static List<EventFd> takeEvents(ReceivedDescriptors arrived) throws Refused {
        List<EventFd> taken = new ArrayList<>(arrived.count());
        while (arrived.count() > 0) {
            Descriptor descriptor = arrived.take();
            try {
                taken.add(EventFd.own(descriptor));
            } catch (IOException notAnEvent) {
                descriptor.close();
                taken.forEach(EventFd::close);
                throw new Refused(
                        Errno.EINVAL, "DEVICE_SET_IRQS is refused. " + notAnEvent.getMessage());
            }
        }
        return taken;
    }

    /** Gives vectors new descriptors, or none where the list is empty; closes the old ones. */
    private void assign(int index, int start, int count, List<EventFd> given) {
        boolean enable = !given.isEmpty();
        boolean any = enable;
        if (index == Messages.IRQ_INTX) {
            intxMasked = false;
            if (!enable) {
                teller.resample(null);
            }
        }
        for (int at = 0; at < count; at++) {
            EventFd old = events.get(index).getAndSet(start + at, enable ? given.get(at) : null);
            if (old != null) {
                any = true;
                old.close();
            }
        }
        InterruptKind kind = InterruptKind.ofCode(index);
        if (any && kind != null) {
            InterruptAction action = enable ? InterruptAction.ENABLE : InterruptAction.DISABLE;
            teller.interrupts(kind, start, count, action);
        }
    }

    private void mask(Message message, int data, int index, int start, int count) throws Refused {
        change(message, data, index, start, count, InterruptAction.MASK);
    }

    private void unmask(Message message, int data, int index, int start, int count) throws Refused {
        if (data != Messages.IRQ_DATA_EVENTFD) {
            change(message, data, index, start, count, InterruptAction.UNMASK);
            return;
        }
        if (index != Messages.IRQ_INTX) {
            throw new Refused(
                    Errno.EINVAL,
                    "DEVICE_SET_IRQS gives a descriptor to unmask index "
                            + index
                            + "; INTx alone has one.");
        }
        List<EventFd> given = takeEvents(message.descriptors());
        teller.resample(given.isEmpty() ? null : given.getFirst());
    }

    private void change(
            Message message, int data, int index, int start, int count, InterruptAction action)
            throws Refused {
        InterruptKind kind = InterruptKind.ofCode(index);
        if (kind == null) {
            throw new Refused(
                    Errno.EINVAL, "DEVICE_SET_IRQS masks index " + index + ", which has no mask.");
        }
        if (data == Messages.IRQ_DATA_BOOL) {
            checkBools(message, count);
        } else if (data != Messages.IRQ_DATA_NONE) {
            throw notOneKindOfData(data);
        }
        for (int at = 0; at < count; at++) {
            if (data == Messages.IRQ_DATA_BOOL && message.u8(Messages.SET_IRQS_DATA + at) == 0) {
                continue;
            }
            if (kind == InterruptKind.INTX) {
                intxMasked = action == InterruptAction.MASK;
            }
            teller.interrupts(kind, start + at, 1, action);
        }
    }

    private static void checkBools(Message message, int count) throws Refused {
        if (message.payloadBytes() < Messages.SET_IRQS_DATA + count) {
            throw new Refused(
                    Errno.EINVAL,
                    "DEVICE_SET_IRQS has "
                            + message.payloadBytes()
                            + " bytes, too few for "
                            + count
                            + " vectors.");
        }
    }

    private static Refused notOneKindOfData(int data) {
        return new Refused(
                Errno.EINVAL,
                String.format("DEVICE_SET_IRQS with data flags 0x%x is not possible.", data));
    }

    /** Tells the function again what the client takes; a reset may have made it forget. */
    void tellAgain() {
        for (InterruptKind kind : InterruptKind.values()) {
            AtomicReferenceArray<EventFd> vectors = events.get(kind.code());
            for (int vector = 0; vector < vectors.length(); vector++) {
                if (vectors.get(vector) != null) {
                    teller.interrupts(kind, vector, 1, InterruptAction.ENABLE);
                }
            }
        }
    }

    /** Closes all; the function hears nothing of it. */
    void close() {
        for (AtomicReferenceArray<EventFd> vectors : events) {
            for (int vector = 0; vector < vectors.length(); vector++) {
                EventFd event = vectors.getAndSet(vector, null);
                if (event != null) {
                    event.close();
                }
            }
        }
    }
}

package farslot.sdk;

import farslot.core.ResetKind;

/**
 * An emulated device, as its author writes it: one function's registers and behaviour.
 *
 * <p><b>Order and threads.</b> Handlers of registers and areas, {@link #reset} and what runs by
 * {@link Tasks#inOrder} never run at the same time, so what they share needs no lock. They should
 * be short, since the driver's next access waits for them: long work, and DMA wherever possible,
 * belongs in {@link Tasks#start}, which runs beside them.
 *
 * <p>A {@link RuntimeException} out of a handler is logged and ends the access as a completer
 * abort; the device goes on.
 */
public interface Device extends AutoCloseable {
    /**
     * Says what the function consists of. Called once, before anything else; the builder gives the
     * {@link Interrupts}, {@link Dma} and {@link Tasks} to keep.
     */
    void assemble(FunctionBuilder function);

    /**
     * Makes the device's own state as after power came on. Its registers have their reset values
     * already, nothing it had begun has any effect any more, and no task is running. Not called
     * before the first use: a device begins in that state.
     */
    default void reset(ResetKind kind) {}

    /**
     * Asks the device to begin nothing more by itself until {@link #resume} or a reset. What it has
     * begun is waited for afterwards, timers included: those that would take long, or begin again
     * and again, it cancels here.
     */
    default void quiesce() {}

    /**
     * What {@link #quiesce} has stopped goes on. Also the first word to a device that was loaded
     * ({@link Savable#load}), which begins what it has to do.
     */
    default void resume() {}

    /** Gives back what the device has taken. No handler or task runs any more. */
    @Override
    default void close() {}
}

package farslot.core;

/**
 * Something on the path that sees, and may change, what passes: a recorder, a breakpoint, a guard,
 * a fault injector. It is a function around another and, towards that one, a host around the real
 * one, so taps stack in any order at either end of a link.
 *
 * <p>A tap overrides what it cares about here, and gives its own {@link ForwardingHost} for the
 * other way.
 */
public abstract class Tap extends ForwardingFunction {
    protected Tap(PciFunction next) {
        super(next);
    }

    /** The host that the function below is to see. Called at each attach with a host. */
    protected abstract PciHost around(PciHost host);

    /** Called when the function below has lost its host. */
    protected void detached() {}

    @Override
    public final void attach(PciHost host) {
        if (host == null) {
            super.attach(null);
            detached();
        } else {
            super.attach(around(host));
        }
    }
}

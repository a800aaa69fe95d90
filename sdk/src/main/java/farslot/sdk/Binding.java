package farslot.sdk;

import farslot.core.PciHost;

/**
 * What a device's work belongs to: the host it had and the generation it was in. A reset, another
 * host, or {@link Tasks#abandon} makes a new one; whatever holds an older one has no effect any
 * more. Compared by identity.
 */
final class Binding {
    final PciHost host;
    final int generation;

    Binding(PciHost host, int generation) {
        this.host = host;
        this.generation = generation;
    }
}

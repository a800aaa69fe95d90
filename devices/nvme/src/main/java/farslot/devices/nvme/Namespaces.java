package farslot.devices.nvme;

import java.io.IOException;
import java.util.List;

/**
 * The namespaces, whose identifiers count from 1 and are all active (NVMe 1.4, 6.1).
 *
 * @param all at least one
 */
record Namespaces(List<Namespace> all) {
    Namespaces {
        all = List.copyOf(all);
    }

    /** How many there are, which is the highest identifier too. */
    int count() {
        return all.size();
    }

    boolean has(int id) {
        return id > 0 && id <= all.size();
    }

    /** The namespace with this identifier. */
    Namespace get(int id) throws CommandException {
        if (!has(id)) {
            throw CommandException.invalidNamespace();
        }
        return all.get(id - 1);
    }

    Namespace first() {
        return all.getFirst();
    }

    /** Flushes all. */
    void flush() throws IOException {
        for (Namespace namespace : all) {
            namespace.flush();
        }
    }

    /** Closes all; throws what the last that failed threw. */
    void close() throws IOException {
        IOException failed = null;
        for (Namespace namespace : all) {
            try {
                namespace.close();
            } catch (IOException e) {
                failed = e;
            }
        }
        if (failed != null) {
            throw failed;
        }
    }
}

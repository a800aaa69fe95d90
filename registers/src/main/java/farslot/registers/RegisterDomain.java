package farslot.registers;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One space of addresses with registers in it: a region ("BAR0", "CFG"), or a structure in memory.
 *
 * <p>Immutable, so any thread may use it.
 */
public final class RegisterDomain {
    private final String name;
    private final long sizeBytes;
    private final long baseAddress;
    private final Doc doc;
    private final List<Register> registers;
    private final Map<String, Register> byName = new LinkedHashMap<>();

    /** By rising offset; an implicit balanced tree whose node [from, to) is at its middle. */
    private final Register[] sorted;

    /** The furthest end within the subtree of each node of {@link #sorted}. */
    private final long[] furthestEnd;

    /** A domain of these registers, at an address that is not known. */
    public RegisterDomain(String name, long sizeBytes, Doc doc, List<Register> registers) {
        this(name, sizeBytes, 0, doc, registers);
    }

    /**
     * A domain.
     *
     * @param sizeBytes 0 where it is not known
     * @param baseAddress where it lies in the space that it shares with the map's other domains
     * @param registers in the order in which they are listed; lookups need none
     */
    public RegisterDomain(
            String name, long sizeBytes, long baseAddress, Doc doc, List<Register> registers) {
        this.name = name;
        this.sizeBytes = sizeBytes;
        this.baseAddress = baseAddress;
        this.doc = doc;
        this.registers = List.copyOf(registers);
        for (Register register : registers) {
            byName.putIfAbsent(register.name(), register);
        }
        List<Register> byOffset = new ArrayList<>(registers);
        byOffset.sort(Comparator.comparingLong(Register::offset));
        this.sorted = byOffset.toArray(new Register[0]);
        this.furthestEnd = new long[sorted.length];
        measure(0, sorted.length);
    }

    public String name() {
        return name;
    }

    /** The size in bytes, or 0 where the map does not say. */
    public long sizeBytes() {
        return sizeBytes;
    }

    /** One line of documentation, or "". */
    public String brief() {
        return doc.line();
    }

    /** All that the map says of it in words. */
    public Doc doc() {
        return doc;
    }

    /**
     * Where it lies in the space that it shares with the map's other domains, as the peripherals of
     * a chip do; 0 where the map does not say.
     */
    public long baseAddress() {
        return baseAddress;
    }

    /** All registers, in the map's order. */
    public List<Register> registers() {
        return registers;
    }

    /**
     * The register with this name.
     *
     * @throws IllegalArgumentException where there is none: a device's own map is at fault
     */
    public Register register(String registerName) {
        Register register = byName.get(registerName);
        if (register == null) {
            throw new IllegalArgumentException(
                    "Register domain " + name + " has no register named " + registerName + ".");
        }
        return register;
    }

    public boolean has(String registerName) {
        return byName.containsKey(registerName);
    }

    /**
     * The register that holds the byte at {@code offset}, or null. Where definitions overlap, one
     * that begins there comes first, then the one with fewer elements, then the map's order.
     * Allocates nothing.
     */
    public Register find(long offset) {
        return find(offset, 0, sorted.length, null);
    }

    /** Domains are equal where their names, sizes, texts and registers in order are. */
    @Override
    public boolean equals(Object other) {
        return other instanceof RegisterDomain that
                && sizeBytes == that.sizeBytes
                && name.equals(that.name)
                && baseAddress == that.baseAddress
                && doc.equals(that.doc)
                && registers.equals(that.registers);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, sizeBytes, registers.size());
    }

    /** All registers that hold the byte at {@code offset}, in the order of {@link #find}. */
    public List<Register> findAll(long offset) {
        List<Register> found = new ArrayList<>();
        collect(offset, 0, sorted.length, found);
        found.sort(
                Comparator.comparing((Register r) -> r.elementStart(offset) != offset)
                        .thenComparingLong(Register::elements));
        return found;
    }

    private void collect(long offset, int from, int to, List<Register> into) {
        if (from >= to || furthestEnd[(from + to) >>> 1] <= offset) {
            return;
        }
        int middle = (from + to) >>> 1;
        collect(offset, from, middle, into);
        if (sorted[middle].offset() <= offset) {
            if (sorted[middle].elementStart(offset) >= 0) {
                into.add(sorted[middle]);
            }
            collect(offset, middle + 1, to, into);
        }
    }

    /** The same registers under another domain's name. */
    public RegisterDomain as(String otherName) {
        return new RegisterDomain(otherName, sizeBytes, baseAddress, doc, registers);
    }

    /**
     * As it is on the hardware that is chosen ({@link Variants#has}): without what that does not
     * have.
     */
    public RegisterDomain on(Map<String, String> chosen) {
        List<Register> some =
                registers.stream()
                        .filter(register -> register.variants().has(chosen))
                        .map(register -> register.on(chosen))
                        .toList();
        return new RegisterDomain(name, sizeBytes, baseAddress, doc, some);
    }

    private Register find(long offset, int from, int to, Register best) {
        if (from >= to) {
            return best;
        }
        int middle = (from + to) >>> 1;
        if (furthestEnd[middle] <= offset) {
            return best;
        }
        Register found = find(offset, from, middle, best);
        Register here = sorted[middle];
        if (here.offset() > offset) {
            return found;
        }
        if (here.endOffset() > offset && here.elementStart(offset) >= 0) {
            found = better(found, here, offset);
        }
        return find(offset, middle + 1, to, found);
    }

    private static Register better(Register a, Register b, long offset) {
        if (a == null) {
            return b;
        }
        boolean aBegins = a.elementStart(offset) == offset;
        boolean bBegins = b.elementStart(offset) == offset;
        if (aBegins != bBegins) {
            return aBegins ? a : b;
        }
        return b.elements() < a.elements() ? b : a;
    }

    private long measure(int from, int to) {
        if (from >= to) {
            return Long.MIN_VALUE;
        }
        int middle = (from + to) >>> 1;
        long end = sorted[middle].endOffset();
        end = Math.max(end, measure(from, middle));
        end = Math.max(end, measure(middle + 1, to));
        furthestEnd[middle] = end;
        return end;
    }
}

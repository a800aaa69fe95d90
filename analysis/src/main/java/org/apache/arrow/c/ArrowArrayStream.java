package org.apache.arrow.c;

/**
 * The name under which DuckDB's Java driver takes a stream of the Arrow C stream interface
 * (https://arrow.apache.org/docs/format/CStreamInterface.html): it looks for a class of this name
 * and asks it for the address of the C structure, and for nothing else. Arrow's own library, which
 * has such a class, is not used: it stands on {@code sun.misc.Unsafe}.
 */
public interface ArrowArrayStream {
    /** Where the C structure {@code ArrowArrayStream} is. */
    long memoryAddress();
}

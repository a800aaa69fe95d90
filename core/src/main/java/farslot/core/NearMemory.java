package farslot.core;

import java.lang.foreign.MemorySegment;

/**
 * Driver's memory that this process can reach as memory, and how another process of the same
 * computer could.
 *
 * @param segment as long as the map it belongs to. Once the map is gone an access through it throws
 *     {@link IllegalStateException}, or {@link InternalError} when the owner has cut the file
 *     short: what copies must take both for "gone"
 * @param descriptor the memory's file descriptor, open as long as the map is, or -1 where there is
 *     none to pass on
 * @param descriptorOffset where the map begins in that file, in bytes
 */
public record NearMemory(MemorySegment segment, int descriptor, long descriptorOffset) {}

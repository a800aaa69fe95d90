/**
 * The few system calls that the JDK lacks, called by java.lang.foreign: UNIX stream sockets that
 * pass descriptors and know their peer, memory that two processes share, event descriptors, and
 * waiting for several of them at once. Linux only, no native code of our own.
 *
 * <p>Uses the JDK alone, and needs {@code --enable-native-access} for this module. What is opened
 * here is owned by exactly one object and closed with it; no descriptor is inherited by a child
 * process. Blocking calls belong on platform threads.
 *
 * <p>Begin with {@link farslot.posix.UnixStream}.
 */
package farslot.posix;

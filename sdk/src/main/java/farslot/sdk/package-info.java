/**
 * What the author of an emulated device needs, and no more: registers and behaviour, in blocking
 * style, and nothing about sockets.
 *
 * <p>A {@link farslot.sdk.DeviceKind} is found by {@link java.util.ServiceLoader} and makes a
 * {@link farslot.sdk.Device}, which says in {@link farslot.sdk.Device#assemble} what its function
 * consists of: identity, BARs, registers with their handlers, interrupts. A {@link
 * farslot.sdk.DeviceFunction} makes it a {@link farslot.core.PciFunction}. {@code devices/edu} is
 * the example to read; {@link farslot.sdk.testbench.TestBench} drives a device in a test.
 *
 * <p>Uses {@code core} and {@code registers}. Begin with {@code Device}.
 */
package farslot.sdk;

/**
 * Tests of devices without a link, an emulator or a kernel: a {@link
 * farslot.sdk.testbench.TestBench} plays the driver's side of one device, and lets time pass as the
 * test likes.
 */
package farslot.sdk.testbench;

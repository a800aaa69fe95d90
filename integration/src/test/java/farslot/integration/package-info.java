/**
 * Real Linux drivers against real processes: what the acceptance of the whole is decided by.
 *
 * <p>Each test starts the program as a user does (lenders, slots: processes of their own, by {@link
 * farslot.integration.Bench}), boots the lab's machine with QEMU's vfio-user-pci, and lets Linux
 * move data that is checked byte by byte. These are tagged "qemu"; one machine runs at a time.
 * Without machines {@link farslot.integration.LitmusTest} tries the order of what passes, and
 * {@link farslot.integration.LeakTest} whether all is given back.
 *
 * <p>Begin with {@link farslot.integration.InterruptKindsTest}, the plainest.
 */
package farslot.integration;

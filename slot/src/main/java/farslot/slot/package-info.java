/**
 * What every kind of slot shares: borrowing a function from a lender, holding accesses while the
 * lender is away, giving the driver's side the function again when it is back, and the control
 * socket of the process.
 *
 * <p>Uses {@code core}, {@code link} and {@code recorder}; knows no emulator. What has a driver (a
 * vfio-user server, Java code) is put around {@link farslot.slot.Slot#function} by who makes the
 * slot.
 *
 * <p>Begin with {@link farslot.slot.Slot}; the rules of holding are in {@link
 * farslot.slot.HeldFunction}.
 */
package farslot.slot;

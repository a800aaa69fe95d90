/**
 * The lender: the process that has devices and lends their functions, each to one slot at a time,
 * under leases that only it grants and enforces.
 *
 * <p>Uses {@code core}, {@code link}, {@code recorder} and {@code sdk}; knows devices only through
 * {@code farslot.sdk.DeviceKind}.
 *
 * <p>Begin with {@link farslot.lender.Lender}; the rules of leases are in {@code LeaseState}, what
 * a slot can reach under one in {@code Fence}, what {@code farslot lend} takes in {@link
 * farslot.lender.Specification}.
 */
package farslot.lender;

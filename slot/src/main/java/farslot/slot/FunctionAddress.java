package farslot.slot;

import farslot.link.Address;

/**
 * Where a function is lent: {@code NAME[@MACHINE[:PORT]]}, everywhere on the command line. Without
 * a machine it is lent by a process of the same user on this one; {@code NAME@unix:PATH} names a
 * lender's socket. The port is {@link Address#DEFAULT_PORT} where none is given.
 *
 * @param name the function's, or "" where only a machine was given
 * @param address the lender's, or null for this user's own lenders
 */
public record FunctionAddress(String name, Address address) {
    /**
     * Reads an address with a name.
     *
     * @throws IllegalArgumentException with the sentence that says what is wrong
     */
    public static FunctionAddress parse(String text) {
        FunctionAddress address = parseAny(text);
        if (address.name.isEmpty()) {
            throw new IllegalArgumentException(
                    "\"" + text + "\" names no function; write NAME[@MACHINE[:PORT]].");
        }
        return address;
    }

    /** Reads {@code [NAME][@MACHINE[:PORT]]}: {@code farslot list} needs no name. */
    public static FunctionAddress parseAny(String text) {
        int at = text.indexOf('@');
        String name = at < 0 ? text : text.substring(0, at);
        if (!name.chars().allMatch(FunctionAddress::belongsInName)) {
            throw new IllegalArgumentException(
                    "\""
                            + text
                            + "\" is no address; write NAME[@MACHINE[:PORT]], as in n0@machine:"
                            + Address.DEFAULT_PORT
                            + ".");
        }
        if (at < 0) {
            return new FunctionAddress(name, null);
        }
        Address address = Address.parse(text.substring(at + 1));
        if (address instanceof Address.Tcp tcp && tcp.port() == 0) {
            throw new IllegalArgumentException(
                    "\"" + text + "\" has port 0, where nobody listens; ports are 1 to 65535.");
        }
        return new FunctionAddress(name, address);
    }

    private static boolean belongsInName(int c) {
        return c > ' ' && c < 0x7f && "/:,\"'\\".indexOf(c) < 0;
    }

    /** Whether the lender is to be sought among this user's own on this machine. */
    public boolean isHere() {
        return address == null;
    }

    @Override
    public String toString() {
        return isHere() ? name : name + "@" + address;
    }
}

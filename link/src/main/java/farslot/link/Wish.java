package farslot.link;

/**
 * What a slot asks for when it borrows.
 *
 * @param function the name under which the lender lists it, at most 255 bytes of UTF-8
 */
public record Wish(String function) {}

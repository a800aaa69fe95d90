package farslot.lender;

/**
 * Under which conditions a {@link Lender} lends.
 *
 * @param policy or null where there is no file: then the user who lends may do everything, and over
 *     insecure links anybody may borrow and observe
 * @param audit is told of every grant, refusal and end
 */
public record Conditions(PolicyFile policy, Audit audit) {
    /** No policy file, nothing written down. */
    public static final Conditions NONE = new Conditions(null, Audit.NONE);
}

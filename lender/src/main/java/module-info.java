/** Lenders: hosting devices under leases. */
@SuppressWarnings("requires-automatic") // org.tomlj
module farslot.lender {
    requires transitive farslot.core;
    requires transitive farslot.link;
    requires farslot.posix;
    requires transitive farslot.watch;
    requires transitive farslot.sdk;
    requires org.tomlj;

    exports farslot.lender;
}

/** Lenders: hosting devices under leases. */
module farslot.lender {
    requires transitive farslot.core;
    requires transitive farslot.link;
    requires farslot.recorder;
    requires transitive farslot.sdk;

    exports farslot.lender;
}

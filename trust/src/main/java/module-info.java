/** Who is who over the network; see {@link farslot.trust}. */
module farslot.trust {
    requires transitive farslot.link;
    // The authority alone makes certificates; whoever only checks them loads nothing of these.
    requires org.bouncycastle.provider;
    requires org.bouncycastle.pkix;

    exports farslot.trust;
}

package farslot.trust;

import static farslot.trust.TestPlaces.clock;
import static farslot.trust.TestPlaces.connect;
import static farslot.trust.TestPlaces.member;
import static farslot.trust.TestPlaces.server;
import static farslot.trust.TestPlaces.site;
import static farslot.trust.TestPlaces.whoAmI;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.ControlLink;
import farslot.link.LinkException;
import farslot.link.LinkServer;
import farslot.link.Trust;
import farslot.trust.TestPlaces.Gullible;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whom a lender and a slot believe over the network, and what they say to whom they do not. */
@Timeout(120)
class BelievingTest {
    private static final Duration DAYS = Duration.ofDays(5);

    @TempDir Path folder;

    /** The lender does not take this client's certificate, and the client is told so. */
    private static void assertTurnedAway(LinkServer server, Trust client) {
        LinkException why = assertThrows(LinkException.class, () -> whoAmI(server, client));
        assertEquals(LinkException.Cause.UNTRUSTED, why.what(), why.getMessage());
        assertTrue(why.getMessage().contains("does not take this side's cert"), why.getMessage());
    }

    private static void assertDisbelieved(LinkServer server, Trust client, String... words) {
        LinkException why = assertThrows(LinkException.class, () -> whoAmI(server, client));
        assertEquals(LinkException.Cause.UNTRUSTED, why.what(), why.getMessage());
        for (String word : words) {
            assertTrue(why.getMessage().contains(word), why.getMessage());
        }
    }

    /** What a lender with this folder logs of that client. */
    private static String logged(Path lender, X509Certificate client) throws TrustException {
        Identity own = Identity.read(lender.resolve(TrustFolder.IDENTITY));
        PeerCheck check =
                new PeerCheck(
                        own,
                        RevokedList.read(lender.resolve(TrustFolder.REVOKED), own.authority()),
                        clock());
        return assertThrows(
                        CertificateException.class,
                        () ->
                                check.checkClientTrusted(
                                        new X509Certificate[] {client},
                                        "EC",
                                        (javax.net.ssl.SSLEngine) null))
                .getMessage();
    }

    @Test
    void eachSideKnowsWhoTheOtherIs() throws Exception {
        TrustSetup site = site(folder.resolve("a"), "lab", clock());
        Path bob = member(site, folder.resolve("b"), "bob", clock());
        try (TrustFolder alice = TrustFolder.open(folder.resolve("a"));
                TrustFolder client = TrustFolder.open(bob);
                LinkServer server = server(alice);
                ControlLink link = connect(server, client, "127.0.0.1")) {
            assertEquals("bob", whoAmI(link));
            assertEquals("alice", link.peer().subject());
            assertTrue(link.peer().known());
            assertEquals("alice", whoAmI(server, alice));
        }
    }

    @Test
    void anotherSitesIdentityIsNotBelievedByEitherSide() throws Exception {
        site(folder.resolve("a"), "lab", clock());
        site(folder.resolve("o"), "other", clock());
        site(folder.resolve("s"), "lab", clock());
        try (TrustFolder alice = TrustFolder.open(folder.resolve("a"));
                TrustFolder other = TrustFolder.open(folder.resolve("o"));
                TrustFolder same = TrustFolder.open(folder.resolve("s"));
                LinkServer server = server(alice)) {
            assertDisbelieved(server, other, "\"lab\"", "\"other\"", "of another site");
            assertDisbelieved(server, same, "another authority of the same name");
            Identity theirs = Identity.read(folder.resolve("o").resolve(TrustFolder.IDENTITY));
            assertTurnedAway(server, new Gullible(theirs));
            assertTrue(
                    logged(folder.resolve("a"), theirs.certificate())
                            .contains("issued by \"other\""));
            assertEquals("alice", whoAmI(server, alice));
        }
    }

    @Test
    void anIdentityThatItsHolderMadeIsNotBelieved() throws Exception {
        site(folder.resolve("a"), "lab", clock());
        Authority selfMade = Authority.create(folder.resolve("m"), "mallory", 30, clock());
        PemFile pem = PemFile.read(folder.resolve("m").resolve(Authority.FILE));
        Identity mallory =
                new Identity(pem.key(), selfMade.certificate(), selfMade.certificate(), null);
        try (TrustFolder alice = TrustFolder.open(folder.resolve("a"));
                LinkServer honest = server(alice);
                LinkServer hostile = server(new Gullible(mallory))) {
            assertDisbelieved(hostile, alice, "\"mallory\" was made by its holder", "\"lab\"");
            assertTurnedAway(honest, new Gullible(mallory));
            // Nor is the authority itself anybody.
            PemFile authority = PemFile.read(folder.resolve("a").resolve(Authority.FILE));
            X509Certificate own = authority.certificates().getFirst();
            assertTurnedAway(honest, new Gullible(new Identity(authority.key(), own, own, null)));
        }
    }

    @Test
    void nobodyIsBelievedWhoseTimeIsOverOrHasNotCome() throws Exception {
        TrustSetup site = site(folder.resolve("a"), "lab", clock());
        TrustSetup ofOld = new TrustSetup(folder.resolve("a"), clock(Duration.ofDays(-100)));
        Path old = member(ofOld, folder.resolve("b"), "bob", clock(Duration.ofDays(-100)));
        TrustSetup ahead = new TrustSetup(folder.resolve("a"), clock(DAYS));
        Path early = member(ahead, folder.resolve("c"), "carol", clock(DAYS));
        Path dave = member(site, folder.resolve("d"), "dave", clock());
        // Their own clocks tell bob and carol that all is well.
        try (TrustFolder alice = TrustFolder.open(folder.resolve("a"));
                TrustFolder bob = TrustFolder.open(old, clock(Duration.ofDays(-100)));
                TrustFolder carol = TrustFolder.open(early, clock(DAYS));
                LinkServer server = server(alice);
                LinkServer ofBob = server(bob);
                LinkServer ofCarol = server(carol);
                TrustFolder friend = TrustFolder.open(dave)) {
            assertDisbelieved(ofBob, friend, "\"bob\" expired at", "clock");
            assertDisbelieved(ofCarol, friend, "\"carol\" is good from", "clock");
            assertTurnedAway(
                    server, new Gullible(Identity.read(old.resolve(TrustFolder.IDENTITY))));
            assertTurnedAway(
                    server, new Gullible(Identity.read(early.resolve(TrustFolder.IDENTITY))));
            assertEquals("dave", whoAmI(server, friend));
        }
    }

    @Test
    void aClockThatIsWrongByDaysIsNamedOnBothSides() throws Exception {
        TrustSetup site = site(folder.resolve("a"), "lab", clock());
        Path bob = member(site, folder.resolve("b"), "bob", clock());
        Duration months = Duration.ofDays(100);
        try (TrustFolder alice = TrustFolder.open(folder.resolve("a"));
                TrustFolder behind = TrustFolder.open(bob, clock(DAYS.negated()));
                TrustFolder ahead = TrustFolder.open(bob, clock(months));
                LinkServer server = server(alice)) {
            for (TrustFolder wrong : List.of(behind, ahead)) {
                IOException why = assertThrows(IOException.class, () -> whoAmI(server, wrong));
                assertTrue(why.getMessage().contains("clock"), why.getMessage());
                assertTrue(why.getMessage().contains("\"bob\" is good"), why.getMessage());
            }
            // A lender whose clock is wrong cannot begin.
            IOException why = assertThrows(IOException.class, () -> server(ahead));
            assertTrue(why.getMessage().contains("clock"), why.getMessage());
        }
        // One that was set wrong while it ran turns everybody away, and says why.
        try (TrustFolder late = TrustFolder.open(folder.resolve("a"), clock());
                TrustFolder client = TrustFolder.open(bob)) {
            Identity old = Identity.read(bob.resolve(TrustFolder.IDENTITY));
            PeerCheck check =
                    new PeerCheck(
                            Identity.read(folder.resolve("a").resolve(TrustFolder.IDENTITY)),
                            null,
                            clock(months));
            CertificateException said =
                    assertThrows(
                            CertificateException.class,
                            () ->
                                    check.checkClientTrusted(
                                            new X509Certificate[] {old.certificate()},
                                            "EC",
                                            (javax.net.ssl.SSLEngine) null));
            assertTrue(said.getMessage().contains("expired"), said.getMessage());
            try (LinkServer server = server(late)) {
                assertEquals("bob", whoAmI(server, client));
            }
        }
    }

    @Test
    void aLenderIsOnlyTheMachinesThatItsCertificateNamesOrOneself() throws Exception {
        TrustSetup site = site(folder.resolve("a"), "lab", clock());
        site.issue("box", List.of("127.0.0.2", "box.lab.example"), 30, folder.resolve("x.pem"));
        new TrustSetup(folder.resolve("x")).take(folder.resolve("x.pem"), false);
        Path bob = member(site, folder.resolve("b"), "bob", clock());
        try (TrustFolder box = TrustFolder.open(folder.resolve("x"));
                TrustFolder client = TrustFolder.open(bob);
                LinkServer server = server(box)) {
            assertDisbelieved(
                    server,
                    client,
                    "proves to be \"box\"",
                    "127.0.0.2",
                    "not for 127.0.0.1",
                    "farslot trust issue box --host 127.0.0.1");
            // Whoever lends to himself knows himself, whatever the machine is called.
            assertEquals("box", whoAmI(server, box));
        }
        X509Certificate box =
                Identity.read(folder.resolve("x").resolve(TrustFolder.IDENTITY)).certificate();
        for (String good : List.of("box", "BOX.lab.example", "box.lab.example.", "127.0.0.2")) {
            assertTrue(Certificates.isFor(box, good), good);
        }
        for (String bad : List.of("lab.example", "a.box.lab.example", "127.0.0.20", "::1", "")) {
            assertFalse(Certificates.isFor(box, bad), bad);
        }
    }

    @Test
    void whoIsRevokedGetsNoLinkAndLosesTheOnesThatThereAre() throws Exception {
        TrustSetup site = site(folder.resolve("a"), "lab", clock());
        Path bob = member(site, folder.resolve("b"), "bob", clock());
        Path carol = member(site, folder.resolve("c"), "carol", clock());
        try (TrustFolder alice = TrustFolder.open(folder.resolve("a"));
                TrustFolder hers = TrustFolder.open(carol);
                TrustFolder his = TrustFolder.open(bob);
                LinkServer server = server(alice);
                LinkServer ofBob = server(his);
                ControlLink fromBob = connect(server, his, "127.0.0.1");
                ControlLink fromCarol = connect(server, hers, "127.0.0.1");
                ControlLink toBob = connect(ofBob, alice, "127.0.0.1")) {
            assertEquals(1, site.revoke("bob"));
            LinkException cut =
                    assertThrows(
                            LinkException.class,
                            () -> {
                                while (true) {
                                    whoAmI(fromBob);
                                }
                            });
            assertEquals(LinkException.Cause.GOODBYE, cut.what());
            assertTrue(cut.getMessage().contains("\"bob\" was revoked at"), cut.getMessage());
            LinkException left =
                    assertThrows(
                            LinkException.class,
                            () -> {
                                while (true) {
                                    whoAmI(toBob);
                                }
                            });
            assertEquals(LinkException.Cause.UNTRUSTED, left.what());
            assertTurnedAway(server, his);
            assertDisbelieved(ofBob, alice, "\"bob\" was revoked");
            assertEquals("carol", whoAmI(fromCarol));
            // Carol's machine learns of it by the list.
            Path list = folder.resolve("revoked.crl");
            Files.writeString(list, site.revokedList());
            assertTrue(new TrustSetup(carol).take(list, false).contains("revoked"));
            assertTrue(new TrustSetup(carol).take(list, false).contains("nothing was changed"));
        }
        try (TrustFolder hers = TrustFolder.open(carol);
                TrustFolder his = TrustFolder.open(bob);
                LinkServer ofBob = server(his)) {
            assertDisbelieved(ofBob, hers, "\"bob\" was revoked");
        }
        // Issued anew, bob is believed again: it was a certificate that was revoked, not a person.
        site.issue("bob", List.of("127.0.0.1"), 30, folder.resolve("b2.pem"));
        new TrustSetup(bob).take(folder.resolve("b2.pem"), false);
        try (TrustFolder alice = TrustFolder.open(folder.resolve("a"));
                TrustFolder his = TrustFolder.open(bob);
                LinkServer server = server(alice)) {
            assertEquals("bob", whoAmI(server, his));
        }
    }

    @Test
    void aRunningLenderTakesARenewedCertificateAndKeepsTheLastGoodOne() throws Exception {
        TrustSetup site = site(folder.resolve("a"), "lab", clock());
        Path identity = folder.resolve("a").resolve(TrustFolder.IDENTITY);
        Path bob = member(site, folder.resolve("b"), "bob", clock());
        try (TrustFolder alice = TrustFolder.open(folder.resolve("a"));
                TrustFolder client = TrustFolder.open(bob);
                LinkServer server = server(alice);
                ControlLink before = connect(server, client, "127.0.0.1")) {
            assertEquals("alice", site.renew(60));
            X509Certificate fresh = Identity.read(identity).certificate();
            while (!alice.certificate().equals(fresh)) {
                assertEquals("bob", whoAmI(before));
            }
            assertEquals("bob", whoAmI(server, client));
            Files.writeString(identity, "-----BEGIN CERTIFICATE-----\nspoilt\n");
            while (!alice.hasTrouble()) {
                assertEquals("bob", whoAmI(before));
            }
            assertEquals("bob", whoAmI(server, client));
            Files.delete(identity);
            assertEquals("bob", whoAmI(server, client));
        }
    }
}

package farslot.trust;

import static farslot.trust.TestPlaces.clock;
import static farslot.trust.TestPlaces.site;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What "farslot trust" makes and takes, and what it refuses without changing anything. */
@Timeout(60)
class TrustSetupTest {
    @TempDir Path folder;

    private static void assertSays(TrustException why, String... words) {
        for (String word : words) {
            assertTrue(why.getMessage().contains(word), why.getMessage());
        }
    }

    private Path home(String name) {
        return folder.resolve(name);
    }

    private Path bundle(TrustSetup site) throws TrustException {
        Path bundle = folder.resolve("theirs.pem");
        site.issue("them", List.of(), 30, bundle);
        return bundle;
    }

    @Test
    void whatIsMadeIsItsOwnersAlone() throws Exception {
        TrustSetup site = site(home("a"), "lab", clock());
        site.issue("bob", List.of(), 30, folder.resolve("bob.pem"));
        new TrustSetup(home("b")).take(folder.resolve("bob.pem"), false);
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                assertEquals(
                        "rw-------",
                        PosixFilePermissions.toString(Files.getPosixFilePermissions(file)),
                        file.toString());
            }
        }
        for (String name : List.of("a", "b")) {
            assertEquals(
                    "rwx------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(home(name))));
        }
    }

    @Test
    void aKeyThatOthersCanReadIsRefused() throws Exception {
        TrustSetup site = site(home("a"), "lab", clock());
        Path identity = home("a").resolve(TrustFolder.IDENTITY);
        for (String wide : List.of("rw-r-----", "rw----r--", "rw--w----", "rwx------")) {
            Files.setPosixFilePermissions(identity, PosixFilePermissions.fromString(wide));
            TrustException why =
                    assertThrows(TrustException.class, () -> TrustFolder.open(home("a")));
            assertSays(why, identity.toString(), wide, "chmod 600 " + identity);
        }
        Files.setPosixFilePermissions(identity, PosixFilePermissions.fromString("rw-------"));
        Path authority = home("a").resolve(Authority.FILE);
        Files.setPosixFilePermissions(authority, PosixFilePermissions.fromString("rw-r--r--"));
        TrustException why = assertThrows(TrustException.class, () -> site.revoke("alice"));
        assertSays(why, "chmod 600 " + authority);
        assertFalse(Files.exists(home("a").resolve(TrustFolder.REVOKED)));
    }

    @Test
    void aBrokenFileIsNamedWithItsLine() throws Exception {
        TrustSetup site = site(home("a"), "lab", clock());
        Path bundle = folder.resolve("bob.pem");
        site.issue("bob", List.of(), 30, bundle);
        String good = Files.readString(bundle);
        List<String> lines = good.lines().toList();
        int second = lines.indexOf("-----BEGIN CERTIFICATE-----") + 1;
        String key = good.substring(0, good.indexOf("-----BEGIN CERT"));
        String certificate =
                good.substring(key.length(), good.indexOf("-----BEGIN CERT", key.length() + 1));
        assertBroken(bundle, "", "no line that begins with");
        assertBroken(bundle, "\u00ff\u00fe", "no line that begins with");
        assertBroken(bundle, key.replaceFirst("\n", "\n?"), "line 2: this is no base64");
        assertBroken(bundle, key.replaceFirst("\nM", "\n"), "line 1:");
        assertBroken(bundle, good.replace("-----END PRIVATE KEY-----\n", ""), "line 1: PRIVATE");
        assertBroken(bundle, good.substring(good.indexOf('\n') + 1), "ends what did not begin");
        assertBroken(bundle, key + key, "2 private keys");
        assertBroken(bundle, key, "0 certificates");
        assertBroken(bundle, key + certificate, "1 certificates");
        assertBroken(
                bundle,
                good.replaceFirst("(CERTIFICATE-----\n.{40}).", "$1" + "?"),
                "line " + (second + 1));
        assertBroken(
                bundle,
                good.replaceFirst("(CERTIFICATE-----\n).{8}", "$1AAAAAAAA"),
                "line " + second + ": the certificate is broken");
        assertBroken(bundle, key + certificate + certificate, "not issued by the second");
        String other = Files.readString(bundle(site(home("o"), "other", clock())));
        String otherKey = other.substring(0, other.indexOf("-----BEGIN CERT"));
        assertBroken(bundle, good.replace(key, otherKey), "not that of the certificate");
        assertBroken(bundle, good.replace(key, ""), "neither a private key nor a list");
        assertFalse(Files.exists(home("b")));
        Files.writeString(bundle, good);
        new TrustSetup(home("b")).take(bundle, false);
    }

    private void assertBroken(Path bundle, String text, String... words) throws Exception {
        Files.writeString(bundle, text);
        TrustException why =
                assertThrows(
                        TrustException.class, () -> new TrustSetup(home("b")).take(bundle, false));
        assertSays(why, words);
        assertSays(why, bundle.toString());
    }

    @Test
    void whatIsThereIsNotLostByMistake() throws Exception {
        TrustSetup site = site(home("a"), "lab", clock());
        assertSays(
                assertThrows(TrustException.class, () -> site(home("a"), "new", clock())),
                "has an identity already");
        Path bundle = folder.resolve("bob.pem");
        site.issue("bob", List.of(), 30, bundle);
        assertSays(
                assertThrows(TrustException.class, () -> site.issue("bob", List.of(), 30, bundle)),
                "exists already");
        TrustSetup bob = new TrustSetup(home("b"));
        bob.take(bundle, false);
        TrustSetup other = site(home("o"), "other", clock());
        Path theirs = bundle(other);
        assertSays(
                assertThrows(TrustException.class, () -> bob.take(theirs, false)),
                "\"lab\"",
                "\"other\"",
                "--replace");
        assertEquals("lab", bob.show().site());
        bob.take(theirs, true);
        assertEquals("other", bob.show().site());
        // The authority itself would be lost with its folder's identity.
        assertSays(
                assertThrows(TrustException.class, () -> site.take(theirs, true)),
                "Move that folder away");
    }

    @Test
    void onlyTheAuthorityIssuesAndItsListsAloneCount() throws Exception {
        TrustSetup site = site(home("a"), "lab", clock());
        Path bundle = folder.resolve("bob.pem");
        site.issue("bob", List.of(), 30, bundle);
        TrustSetup bob = new TrustSetup(home("b"));
        bob.take(bundle, false);
        assertSays(
                assertThrows(TrustException.class, () -> bob.revoke("alice")),
                "authority is not here");
        assertSays(assertThrows(TrustException.class, () -> bob.renew(30)), "is not here");
        assertSays(
                assertThrows(TrustException.class, () -> site.revoke("nobody")),
                "issued nothing to \"nobody\"");
        TrustSetup other = site(home("o"), "other", clock());
        other.revoke("alice");
        Path list = folder.resolve("list.crl");
        Files.writeString(list, other.revokedList());
        assertSays(
                assertThrows(TrustException.class, () -> bob.take(list, false)),
                "not signed by the authority");
        // An older list brings nobody back.
        site.issue("eve", List.of(), 30, folder.resolve("eve.pem"));
        site.revoke("eve");
        Path older = folder.resolve("older.crl");
        Files.writeString(older, site.revokedList());
        site.issue("mallory", List.of(), 30, folder.resolve("mallory.pem"));
        site.revoke("mallory");
        Files.writeString(list, site.revokedList());
        bob.take(list, false);
        assertTrue(bob.take(older, false).contains("nothing was changed"));
        assertEquals(2, bob.show().revoked());
        assertSays(assertThrows(TrustException.class, () -> site.revoke("eve")), "already");
        // Who is revoked cannot even import what was issued to him.
        assertSays(
                assertThrows(
                        TrustException.class,
                        () -> new TrustSetup(home("a")).take(folder.resolve("eve.pem"), true)),
                "was revoked at");
        assertEquals(
                List.of("good", "good", "revoked", "revoked"),
                site.show().issued().stream().map(TrustSetup.Shown::state).toList());
    }

    @Test
    void nobodyIsForgottenWhoIsRevokedWhileOthersAre() throws Exception {
        TrustSetup site = site(home("a"), "lab", clock());
        List<String> names = IntStream.range(0, 16).mapToObj(i -> "eve" + i).toList();
        for (String name : names) {
            site.issue(name, List.of(), 30, folder.resolve(name + ".pem"));
        }
        CountDownLatch all = new CountDownLatch(names.size());
        try (ExecutorService people = Executors.newFixedThreadPool(names.size())) {
            List<Callable<String>> revoking =
                    names.stream()
                            .<Callable<String>>map(name ->
                                    () -> {
                                        all.countDown();
                                        all.await();
                                        return String.valueOf(
                                                new TrustSetup(home("a")).revoke(name));
                                    })
                            .toList();
            for (Future<String> one : people.invokeAll(revoking)) {
                one.get();
            }
        }
        assertEquals(names.size(), site.show().revoked());
    }

    @Test
    void namesThatCannotBeAreRefused() throws Exception {
        TrustSetup site = site(home("a"), "lab", clock());
        Path to = folder.resolve("x.pem");
        for (String name : List.of("", "-x", "a b", "a,O=b", "../x", "a/b", "x".repeat(64))) {
            assertSays(
                    assertThrows(TrustException.class, () -> site.issue(name, List.of(), 30, to)),
                    "no name for an identity");
        }
        for (String machine : List.of("", "a b", "*.lab", "a..b", "300.1.1.1", ":::")) {
            assertSays(
                    assertThrows(
                            TrustException.class,
                            () -> site.issue("bob", List.of(machine), 30, to)),
                    "neither the name nor the address");
        }
        assertFalse(Files.exists(to));
        site.issue("bob", List.of("fe80::1", "10.0.0.1", "box.lab"), 30, to);
        assertEquals(
                List.of("fe80:0:0:0:0:0:0:1", "10.0.0.1", "box.lab", "bob"),
                Certificates.machines(Identity.read(to).certificate()));
    }
}

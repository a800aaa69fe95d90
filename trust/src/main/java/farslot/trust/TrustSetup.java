package farslot.trust;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What "farslot trust" does, in a folder. One thread uses it. */
public final class TrustSetup {
    /** How long identities are good where nobody says otherwise. */
    public static final int IDENTITY_DAYS = Authority.IDENTITY_DAYS;

    /** An identity that is to last longer ends with its authority anyway. */
    public static final int MOST_DAYS = Authority.AUTHORITY_DAYS;

    private final Path folder;
    private final InstantSource clock;

    public TrustSetup(Path folder) {
        this(folder, InstantSource.system());
    }

    TrustSetup(Path folder, InstantSource clock) {
        this.folder = folder;
        this.clock = clock;
    }

    /**
     * A certificate for people and programs.
     *
     * @param name whom it names
     * @param machines on which its holder may be a server
     * @param state "good", "expired", "not yet valid" or "revoked"
     */
    public record Shown(
            String name, List<String> machines, Instant from, Instant until, String state) {}

    /**
     * What is in the folder.
     *
     * @param identity null where there is none
     * @param site the authority's name
     * @param fingerprint of the authority's certificate, SHA-256
     * @param authorityHere whether this user issues and revokes
     * @param revoked how many certificates the list has that this side heeds
     * @param issued by the authority, where it is here
     */
    public record Summary(
            String folder,
            Shown identity,
            String site,
            Instant siteUntil,
            String fingerprint,
            boolean authorityHere,
            int revoked,
            List<Shown> issued) {}

    /**
     * Makes a site's authority and the identity of this user.
     *
     * @param machines besides the names of this computer
     */
    public void init(String site, String user, List<String> machines, int days)
            throws TrustException {
        Certificates.requireName(site);
        Certificates.requireName(user);
        for (String machine : machines) {
            Certificates.requireMachine(machine);
        }
        if (Authority.isIn(folder) || TrustFolder.isSetUp(folder)) {
            throw new TrustException(
                    folder
                            + " has an identity already, which would be lost; \"farslot trust show\""
                            + " shows it. To begin anew, move that folder away first.");
        }
        Authority authority = Authority.create(folder, site, Authority.AUTHORITY_DAYS, clock);
        Set<String> all = new LinkedHashSet<>(namesOfThisComputer());
        all.addAll(machines);
        take(authority.issue(user, List.copyOf(all), days));
    }

    /** As others call it; what cannot be in a certificate is left out. */
    private static List<String> namesOfThisComputer() {
        List<String> names = new ArrayList<>();
        try {
            InetAddress own = InetAddress.getLocalHost();
            for (String name : List.of(own.getHostName(), own.getCanonicalHostName())) {
                if (!Certificates.isAddress(name)) {
                    Certificates.requireMachine(name);
                    names.add(name);
                }
            }
        } catch (UnknownHostException | TrustException nameless) {
            // Then --host says how others call it.
        }
        return names;
    }

    private void take(Identity identity) throws TrustException {
        PemFile.write(folder.resolve(TrustFolder.IDENTITY), identity.text());
    }

    /**
     * Issues an identity and writes its bundle, which only this user can read.
     *
     * @param to a file that must not exist
     */
    public void issue(String name, List<String> machines, int days, Path to) throws TrustException {
        Authority authority = Authority.open(folder, clock);
        if (Files.exists(to)) {
            throw new TrustException(to + " exists already. Choose another file with -o.");
        }
        PemFile.write(to, authority.issue(name, machines, days).text());
    }

    /** Issues this user's own identity anew, for the same machines; returns its name. */
    public String renew(int days) throws TrustException {
        Authority authority = Authority.open(folder, clock);
        Identity now = Identity.read(folder.resolve(TrustFolder.IDENTITY));
        take(authority.issue(now.name(), Certificates.machines(now.certificate()), days));
        return now.name();
    }

    /** Revokes what was issued under a name; returns how many certificates that were. */
    public int revoke(String name) throws TrustException {
        int count = Authority.open(folder, clock).revoke(name);
        if (count > 0) {
            return count;
        }
        boolean known =
                Authority.open(folder, clock).issued().stream()
                        .anyMatch(one -> Certificates.name(one).equals(name));
        throw new TrustException(
                known
                        ? "All certificates of \"" + name + "\" are expired or revoked already."
                        : "This authority has issued nothing to \""
                                + name
                                + "\"; \"farslot trust show\" lists what it has.");
    }

    /** The names under which something was issued here; none where the authority is elsewhere. */
    public List<String> names() throws TrustException {
        return Authority.isIn(folder)
                ? Authority.open(folder, clock).issued().stream()
                        .map(Certificates::name)
                        .distinct()
                        .toList()
                : List.of();
    }

    /**
     * Takes over a bundle, or a list of revoked certificates.
     *
     * @param replace whether an identity of another site may be lost
     * @return a sentence that says what was done
     */
    public String take(Path file, boolean replace) throws TrustException {
        PemFile pem = PemFile.read(file);
        return pem.has(PemFile.KEY) ? takeBundle(pem, replace) : takeList(pem);
    }

    private String takeBundle(PemFile pem, boolean replace) throws TrustException {
        Identity fresh = Identity.of(pem);
        if (TrustFolder.isSetUp(folder)) {
            Identity before = Identity.read(folder.resolve(TrustFolder.IDENTITY));
            boolean same = before.authority().equals(fresh.authority());
            if (!same && Authority.isIn(folder)) {
                throw new TrustException(
                        "The authority of \""
                                + Certificates.name(before.authority())
                                + "\" is in "
                                + folder
                                + ", and the bundle is of another site, \""
                                + Certificates.name(fresh.authority())
                                + "\". Move that folder away first, if that is what you want.");
            }
            if (!same && !replace) {
                throw new TrustException(
                        "You are \""
                                + before.name()
                                + "\" of the site \""
                                + Certificates.name(before.authority())
                                + "\"; the bundle is of another site, \""
                                + Certificates.name(fresh.authority())
                                + "\", and only one counts. --replace takes it all the same.");
            }
            if (!same) {
                delete(folder.resolve(TrustFolder.REVOKED));
            }
        }
        if (fresh.revoked() != null) {
            RevokedList.requireFrom(fresh.authority(), fresh.revoked(), pem.path());
            takeIfLater(fresh.authority(), fresh.revoked());
        }
        TrustFolder.requireGood(fresh, heeded(fresh.authority()), clock);
        take(fresh);
        return "You are \""
                + fresh.name()
                + "\" of the site \""
                + Certificates.name(fresh.authority())
                + "\" until "
                + Certificates.date(fresh.certificate().getNotAfter().toInstant())
                + ".";
    }

    private static void delete(Path file) throws TrustException {
        try {
            Files.deleteIfExists(file);
        } catch (java.io.IOException e) {
            throw new TrustException(file + " cannot be removed: " + e + ".", e);
        }
    }

    private X509CRL heeded(X509Certificate authority) throws TrustException {
        return RevokedList.read(folder.resolve(TrustFolder.REVOKED), authority);
    }

    private boolean takeIfLater(X509Certificate authority, X509CRL list) throws TrustException {
        if (RevokedList.number(list).compareTo(RevokedList.number(heeded(authority))) <= 0) {
            return false;
        }
        PemFile.write(folder.resolve(TrustFolder.REVOKED), RevokedList.text(list));
        return true;
    }

    private String takeList(PemFile pem) throws TrustException {
        X509CRL list = pem.revoked();
        if (list == null) {
            throw new TrustException(
                    pem.path()
                            + " has neither a private key nor a list of revoked certificates."
                            + " Bundles are made by \"farslot trust issue\", lists by \"farslot"
                            + " trust show --crl\".");
        }
        Identity own = Identity.read(folder.resolve(TrustFolder.IDENTITY));
        RevokedList.requireFrom(own.authority(), list, pem.path());
        if (!takeIfLater(own.authority(), list)) {
            return "The list in use is as new or newer; nothing was changed.";
        }
        return "Certificates that count as revoked from now on: " + count(list) + ".";
    }

    private static int count(X509CRL list) {
        Set<? extends X509CRLEntry> entries = list == null ? null : list.getRevokedCertificates();
        return entries == null ? 0 : entries.size();
    }

    /** The list of revoked certificates that this side heeds, as text; null where there is none. */
    public String revokedList() throws TrustException {
        X509CRL list = heeded(Identity.read(folder.resolve(TrustFolder.IDENTITY)).authority());
        return list == null ? null : RevokedList.text(list);
    }

    public Summary show() throws TrustException {
        if (!TrustFolder.isSetUp(folder)) {
            throw new TrustException(
                    "There is no identity in "
                            + folder
                            + ". \"farslot trust init\" makes a site's authority and its first"
                            + " identity; \"farslot trust import\" takes one that was issued for"
                            + " you.");
        }
        Identity own = Identity.read(folder.resolve(TrustFolder.IDENTITY));
        X509CRL revoked = heeded(own.authority());
        List<Shown> issued = new ArrayList<>();
        boolean here = Authority.isIn(folder);
        if (here) {
            for (X509Certificate one : Authority.open(folder, clock).issued()) {
                issued.add(shown(one, revoked));
            }
        }
        return new Summary(
                folder.toString(),
                shown(own.certificate(), revoked),
                Certificates.name(own.authority()),
                own.authority().getNotAfter().toInstant(),
                Certificates.fingerprint(own.authority()),
                here,
                count(revoked),
                issued);
    }

    private Shown shown(X509Certificate one, X509CRL revoked) {
        Instant now = clock.instant();
        Instant from = one.getNotBefore().toInstant();
        Instant until = one.getNotAfter().toInstant();
        String state =
                revoked != null && revoked.getRevokedCertificate(one) != null
                        ? "revoked"
                        : now.isAfter(until)
                                ? "expired"
                                : now.isBefore(from) ? "not yet valid" : "good";
        return new Shown(Certificates.name(one), Certificates.machines(one), from, until, state);
    }
}

package farslot.trust;

import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import javax.security.auth.x500.X500Principal;

/** What certificates of a site say; docs/protocol.md, "Transport". */
final class Certificates {
    /** Subject alternative names: RFC 5280, 4.2.1.6. */
    static final int DNS_NAME = 2;

    static final int IP_ADDRESS = 7;

    /** Short names: of identities and sites, good in tables, files and policies. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,62})");

    private static final Pattern MACHINE =
            Pattern.compile("[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})*");

    private static final Pattern IPV4 = Pattern.compile("[0-9]+(\\.[0-9]+){3}");

    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm 'UTC'").withZone(ZoneOffset.UTC);

    private Certificates() {}

    static String date(Instant at) {
        return DATE.format(at);
    }

    /** Whether it can be in a certificate as the name or the address of a machine. */
    static void requireMachine(String machine) throws TrustException {
        boolean good =
                isAddress(machine)
                        ? address(machine) != null
                        : machine.length() <= 253 && MACHINE.matcher(machine).matches();
        if (!good) {
            throw new TrustException(
                    "\"" + machine + "\" is neither the name nor the address of a machine.");
        }
    }

    static void requireName(String name) throws TrustException {
        if (!NAME.matcher(name).matches()) {
            throw new TrustException(
                    "\""
                            + name
                            + "\" is no name for an identity: give 1 to 63 letters, digits, dots,"
                            + " dashes and underscores, the first a letter or digit.");
        }
    }

    /** The common name alone, as it is written; empty where it is no name of ours. */
    static String name(X500Principal principal) {
        String text = principal.getName();
        String name = text.startsWith("CN=") ? text.substring("CN=".length()) : "";
        return NAME.matcher(name).matches() ? name : "";
    }

    static String name(X509Certificate certificate) {
        return name(certificate.getSubjectX500Principal());
    }

    /** The machines that its holder may be a server on: names and addresses. */
    static List<String> machines(X509Certificate certificate) {
        List<String> machines = new ArrayList<>();
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            for (List<?> name : names == null ? List.<List<?>>of() : names) {
                int kind = (Integer) name.getFirst();
                if (kind == DNS_NAME || kind == IP_ADDRESS) {
                    machines.add((String) name.get(1));
                }
            }
        } catch (CertificateParsingException broken) {
            // Then it is for no machine.
            return List.of();
        }
        return machines;
    }

    /** Whether it is for the machine that somebody called by this name or address. */
    static boolean isFor(X509Certificate certificate, String machine) {
        InetAddress address = isAddress(machine) ? address(machine) : null;
        for (String name : machines(certificate)) {
            boolean same =
                    isAddress(machine)
                            ? address != null && isAddress(name) && address.equals(address(name))
                            : name.equalsIgnoreCase(withoutLastDot(machine));
            if (same) {
                return true;
            }
        }
        return false;
    }

    private static String withoutLastDot(String machine) {
        return machine.endsWith(".") ? machine.substring(0, machine.length() - 1) : machine;
    }

    static boolean isAddress(String machine) {
        return machine.indexOf(':') >= 0 || IPV4.matcher(machine).matches();
    }

    /** Without asking anybody for a name; null where it is none. */
    private static InetAddress address(String literal) {
        int scope = literal.indexOf('%');
        try {
            return InetAddress.ofLiteral(scope < 0 ? literal : literal.substring(0, scope));
        } catch (IllegalArgumentException none) {
            return null;
        }
    }

    /** By which people compare certificates: SHA-256, in groups. */
    static String fingerprint(X509Certificate certificate) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
            return HexFormat.ofDelimiter(":").formatHex(digest).toUpperCase(Locale.ROOT);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}

package farslot.registers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class RegisterMapPropertyTest {
    private static final int TRIES =
            "full".equals(System.getProperty("farslot.rounds")) ? 5000 : 300;

    /** Whatever is done to a map, it is loaded or refused in a sentence. */
    @Property(tries = 1)
    void aDamagedMapIsLoadedOrRefused(@ForAll long seed) throws IOException {
        byte[] intact;
        try (InputStream stream = ConfigurationMap.class.getResourceAsStream("pci.xml")) {
            intact = stream.readAllBytes();
        }
        for (int round = 0; round < TRIES; round++) {
            byte[] bytes = damaged(intact, new Random(seed + round));
            RegisterMapLoader loader =
                    round % 4 == 0 ? RegisterMapLoader.strict() : RegisterMapLoader.lenient();
            try {
                RegisterMap map = loader.load("pci.xml", new ByteArrayInputStream(bytes));
                for (RegisterDomain domain : map.domains()) {
                    RegisterText.name(domain, 4, 8);
                    StringBuilder text = new StringBuilder();
                    RegisterText.appendFields(text, domain, 4, 8, -1);
                }
            } catch (RegisterMapException e) {
                assertTrue(e.getMessage().startsWith("pci.xml"), e.getMessage());
            }
        }
    }

    /** Numbers, names and tags exchanged for others of the map's own, or a few bytes changed. */
    private static byte[] damaged(byte[] intact, Random random) {
        byte[] bytes = intact.clone();
        for (int n = random.nextInt(8); n >= 0; n--) {
            int at = random.nextInt(bytes.length);
            if (random.nextInt(6) == 0) {
                bytes[at] = (byte) random.nextInt();
                continue;
            }
            while (bytes[at] < '0' || bytes[at] > '9') {
                at = (at + 1) % bytes.length;
            }
            bytes[at] = (byte) "0123456789xf-".charAt(random.nextInt(13));
        }
        return random.nextInt(10) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
    }

    /** A lookup finds what counting through every element finds. */
    @Property(tries = 200)
    void aLookupAgreesWithCountingThrough(@ForAll long seed) {
        Random random = new Random(seed);
        StringBuilder xml = new StringBuilder("<domain name='D'>");
        for (int i = random.nextInt(6); i >= 0; i--) {
            xml.append(
                    String.format(
                            "<stripe offset='%d' stride='%d' length='%d'>"
                                    + "<stripe offset='%d' stride='%d' length='%d'>"
                                    + "<reg%d name='R%d' offset='%d'/></stripe></stripe>",
                            random.nextInt(64),
                            1 + random.nextInt(40),
                            1 + random.nextInt(5),
                            random.nextInt(16),
                            1 + random.nextInt(60),
                            1 + random.nextInt(5),
                            8 << random.nextInt(4),
                            i,
                            random.nextInt(16)));
        }
        RegisterDomain domain = RegisterMapLoaderTest.load(xml + "</domain>").domain("D");
        Map<Long, Integer> held = new HashMap<>();
        for (Register register : domain.registers()) {
            count(register, new long[register.dimensions()], 0, held);
        }
        for (long at = 0; at < 800; at++) {
            Register found = domain.find(at);
            assertEquals(held.containsKey(at), found != null, "at " + at + " in " + xml);
            if (found != null) {
                long start = found.elementStart(at);
                assertTrue(start <= at && at < start + found.widthBytes());
                assertNotNull(found.nameAt(at));
                long[] indexes = new long[found.dimensions()];
                for (int d = 0; d < indexes.length; d++) {
                    indexes[d] = found.index(d, at);
                }
                assertEquals(start, found.offset(indexes));
            }
        }
    }

    private static void count(
            Register register, long[] indexes, int dimension, Map<Long, Integer> held) {
        if (dimension == indexes.length) {
            long start = register.offset(indexes);
            for (long at = start; at < start + register.widthBytes(); at++) {
                held.merge(at, 1, Integer::sum);
            }
            return;
        }
        for (long i = 0; i < register.length(dimension); i++) {
            indexes[dimension] = i;
            count(register, indexes, dimension + 1, held);
        }
    }
}

package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.ConfigurationSpace;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.devices.edu.EduKind;
import farslot.posix.EventFd;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import farslot.vfiouser.RawClient;
import farslot.vfiouser.VfioUserServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The pin as QEMU drives it: any access to a BAR unmasks, also the handler's look at the status
 * before its acknowledging write (docs/dangers.md). A device that may be far away.
 */
@Timeout(300)
class InterruptDangersTest {
    private static final String ROUNDS = System.getProperty("farslot.rounds", "short");
    private static final int UNMASK_NONE = 0x11;
    private static final int STATUS = 0x24;
    private static final int RAISE = 0x60;
    private static final int ACKNOWLEDGE = 0x64;
    private static final int ENABLED = 0x7;

    private Path runtime;
    private DeviceFunction device;
    private Linked linked;
    private VfioUserServer server;
    private RawClient client;
    private EventFd event;

    @BeforeEach
    void begin() throws Exception {
        runtime = Files.createTempDirectory("fs-");
        EduKind kind = new EduKind();
        device = DeviceFunction.of("edu", kind.create(Options.check(kind, Map.of())));
    }

    private void connect(boolean far) throws Exception {
        PciFunction function = device;
        if (far) {
            linked = new Linked(device, runtime, true, UnaryOperator.identity());
            function = linked.function();
        }
        server =
                VfioUserServer.start(
                        function, runtime.resolve("v"), VfioUserServer.ClientListener.NONE);
        client = RawClient.start(server.socket());
        event = EventFd.create();
        client.events(InterruptKind.INTX.code(), 0, 1, event);
        command(ENABLED);
    }

    @AfterEach
    void end() throws IOException {
        client.close();
        event.close();
        server.close();
        if (linked != null) {
            linked.close();
        }
        device.close();
        try (var all = Files.walk(runtime)) {
            for (Path path : all.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(path);
            }
        }
    }

    private void command(int bits) throws IOException {
        client.write(Region.CONFIGURATION, ConfigurationSpace.COMMAND, 2, bits);
    }

    private boolean statusBit() throws IOException {
        long status = client.value(Region.CONFIGURATION, ConfigurationSpace.STATUS, 2);
        return (status & ConfigurationSpace.STATUS_INTERRUPT) != 0;
    }

    /** What QEMU sends behind each access to a BAR while INTx is masked by an assertion. */
    private void unmask() throws IOException {
        client.setInterrupts(UNMASK_NONE, InterruptKind.INTX.code(), 0, 1);
    }

    @ParameterizedTest(name = "far: {0}")
    @ValueSource(booleans = {false, true})
    void shouldNeitherStormNorLoseAnInterruptWhenAnyAccessUnmasks(boolean far) throws Exception {
        connect(far);
        int rounds = ROUNDS.equals("few") ? 20 : ROUNDS.equals("full") ? 100_000 : 1000;
        long came = 0;
        for (int round = 0; round < rounds; round++) {
            client.post(0, RAISE, 4, 1);
            assertTrue(event.await(60_000), "round " + round);
            came += event.drain();
            assertEquals(1, client.value(0, STATUS, 4));
            unmask();
            // Not served yet: asserted once more, and no oftener however often it is looked at.
            assertTrue(event.await(60_000));
            came += event.drain();
            assertTrue(statusBit());
            client.post(0, ACKNOWLEDGE, 4, 1);
            unmask();
            assertEquals(0, client.value(0, STATUS, 4));
            unmask();
            assertEquals(false, statusBit());
            assertEquals(0, event.drain(), "asserted for nothing");
        }
        assertEquals(2L * rounds, came);
    }

    @ParameterizedTest(name = "far: {0}")
    @ValueSource(booleans = {false, true})
    void shouldHoldThePinBackWhileTheCommandRegisterSaysSo(boolean far) throws Exception {
        connect(far);
        command(ENABLED | ConfigurationSpace.COMMAND_INTX_DISABLE);
        client.post(0, RAISE, 4, 1);
        assertTrue(statusBit(), "wanted, also while it is disabled");
        assertEquals(0, event.drain());
        command(ENABLED);
        assertTrue(event.await(60_000));
        assertEquals(1, event.drain());
        client.post(0, ACKNOWLEDGE, 4, 1);
        unmask();
        assertEquals(false, statusBit());
        assertEquals(0, event.drain());
    }
}

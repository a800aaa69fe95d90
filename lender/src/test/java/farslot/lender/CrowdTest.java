package farslot.lender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many who connect and do nothing. */
@Timeout(120)
class CrowdTest {
    @TempDir Path folder;

    @Test
    void shouldServeTheOperatorWhileAThousandStrangersAreConnected() throws Exception {
        Path rules = folder.resolve("policy.toml");
        Files.writeString(rules, "[limits]\nconnections = 10\n");
        BlockingQueue<AuditEntry> written = new LinkedBlockingQueue<>();
        List<Socket> crowd = new ArrayList<>();
        try (Lender lender =
                Lender.open(
                        RuntimeDirectory.at(folder),
                        List.of(new Lender.Lendable("n0", new CountingFunction())),
                        List.of(new Address.Tcp("127.0.0.1", 0)),
                        LinkOptions.named("n0").withInsecure(true),
                        new Conditions(PolicyFile.open(rules), written::add),
                        sentence -> {},
                        () -> {})) {
            Address.Tcp tcp = (Address.Tcp) lender.addresses().get(1);
            for (int i = 0; i < 1000; i++) {
                crowd.add(new Socket(tcp.host(), tcp.port()));
            }
            try (ControlLink operator =
                    ControlLink.connect(
                            lender.addresses().getFirst(), LinkOptions.named("operator"))) {
                assertEquals("n0", operator.list().getFirst().name());
                operator.operate("reset", Map.of("kind", "cold"));
            }
            AuditEntry first = written.poll(60, TimeUnit.SECONDS);
            while (!first.action().equals("connect")) {
                first = written.poll(60, TimeUnit.SECONDS);
            }
            assertTrue(
                    first.why().contains("whoever comes from 127.0.0.1 may have 10 connections"),
                    first.why());
        } finally {
            for (Socket socket : crowd) {
                socket.close();
            }
        }
    }
}

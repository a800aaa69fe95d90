package farslot.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelModulesTest {
    @TempDir Path folder;

    @BeforeEach
    void modulesOfAKernel() throws IOException {
        module("drivers/nvme.ko", "depends=nvme-core");
        module("drivers/nvme-core.ko", "depends=nvme-auth,built-in");
        module("drivers/nvme-auth.ko", "depends=");
        module("fs/ext4.ko", "depends=jbd2\0softdep=pre: crc32c post: other");
        module("fs/jbd2.ko", "depends=ext4");
        module("lib/crc32c.ko", "depends=");
    }

    @Test
    void whatIsNeededComesFirst() throws IOException {
        assertEquals(
                List.of("nvme_auth", "nvme_core", "nvme"),
                List.copyOf(modules().closure(List.of("nvme")).keySet()));
    }

    @Test
    void softDependenciesComeToo() throws IOException {
        assertEquals(
                List.of("jbd2", "crc32c", "ext4"),
                List.copyOf(modules().closure(List.of("ext4")).keySet()));
    }

    @Test
    void writesModulesDepAsModprobeReadsIt() throws IOException {
        assertEquals(
                """
                drivers/nvme-auth.ko:
                drivers/nvme-core.ko: drivers/nvme-auth.ko
                drivers/nvme.ko: drivers/nvme-core.ko drivers/nvme-auth.ko
                """,
                KernelModules.modulesDep(modules().closure(List.of("nvme"))));
    }

    @Test
    void writesWhatTheKernelAsksForByAnotherName() throws IOException {
        module("crypto/crc32c_generic.ko", "depends=\0alias=crypto-crc32c\0alias=crc32c");
        assertEquals(
                "alias crypto-crc32c crc32c_generic\nalias crc32c crc32c_generic\n",
                KernelModules.modulesAlias(modules().closure(List.of("crc32c-generic"))));
    }

    private KernelModules modules() throws IOException {
        return new KernelModules(folder, path -> path);
    }

    private void module(String path, String modinfo) throws IOException {
        Path file = folder.resolve(path);
        Files.createDirectories(file.getParent());
        byte[] content =
                ("\177ELF\0license=GPL\0" + modinfo + "\0vermagic=6.12\0")
                        .getBytes(StandardCharsets.ISO_8859_1);
        Files.write(file, content);
    }
}

package farslot.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The program itself: its name, its version, and how to start it once more. */
final class Program {
    static final String NAME = "farslot";
    static final String VERSION = "0.1.0";

    /** What a slot's supervisor is started with; no verb for people. */
    static final String SUPERVISE = "supervise";

    private Program() {}

    /** Whether stack traces are wanted. */
    static boolean debugging() {
        return "1".equals(System.getenv("FARSLOT_DEBUG"));
    }

    /**
     * The command that runs another {@code farslot} process with these arguments: the same Java,
     * the same build (even when a newer one has appeared meanwhile), no launcher in between, so its
     * process id is the verb's own.
     */
    static List<String> command(String... arguments) {
        return command(List.of(), arguments);
    }

    /** The command of a slot's supervisor, which waits all its life and is to cost little. */
    static List<String> supervisor() {
        return command(
                List.of(
                        "-Xmx24m",
                        "-Xss256k",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:-UsePerfData"),
                SUPERVISE);
    }

    private static List<String> command(List<String> javaOptions, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(javaOptions);
        String launched = System.getProperty("farslot.arguments");
        if (launched != null) {
            // The launcher's own argument file; it ends with the main class.
            command.add("@" + launched);
        } else {
            command.addAll(sameJava());
        }
        command.addAll(List.of(arguments));
        return command;
    }

    /** The options of a Java that was started by hand or by a test. */
    private static List<String> sameJava() {
        List<String> options = new ArrayList<>();
        String home = System.getProperty("farslot.home");
        if (home != null) {
            options.add("-Dfarslot.home=" + home);
        }
        if (Program.class.getModule().isNamed()) {
            options.add("--enable-native-access=farslot.posix,farslot.block");
            options.add("--module-path");
            options.add(System.getProperty("jdk.module.path"));
            options.add("-m");
            options.add(Program.class.getModule().getName() + "/" + Main.class.getName());
        } else {
            options.add("--enable-native-access=ALL-UNNAMED");
            options.add("-cp");
            options.add(System.getProperty("java.class.path"));
            options.add(Main.class.getName());
        }
        return options;
    }
}

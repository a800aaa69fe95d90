package farslot.bench;

import farslot.lab.ChildProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Another process of the measurement, in C or in Java, that is told what to do in lines and answers
 * in lines. It ends when closed. One thread uses it.
 */
final class Peer implements AutoCloseable {
    private final String name;
    private final ChildProcess process;
    private final BufferedReader answers;
    private final OutputStream orders;

    private Peer(String name, List<String> command) {
        this.name = name;
        ProcessBuilder builder = new ProcessBuilder(command);
        process = ChildProcess.start(builder.redirectError(ProcessBuilder.Redirect.INHERIT));
        answers = process.process().inputReader(StandardCharsets.UTF_8);
        orders = process.process().getOutputStream();
    }

    /** Starts a program of {@link Baselines}. */
    static Peer program(Path program, Object... arguments) {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        return new Peer(program.getFileName().toString(), command);
    }

    /** Starts a {@link FarSide}, by the Java and from the classes that run here. */
    static Peer farSide(String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // As the launcher starts every farslot.
        command.add("-XX:+UseSerialGC");
        if (Peer.class.getModule().isNamed()) {
            command.add(
                    "--enable-native-access=farslot.posix,farslot.block,farslot.analysis,duckdb.jdbc");
            command.addAll(List.of("--module-path", System.getProperty("jdk.module.path")));
            command.addAll(List.of("-m", "farslot.bench/" + FarSide.class.getName()));
        } else {
            command.add("--enable-native-access=ALL-UNNAMED");
            command.addAll(List.of("-cp", System.getProperty("java.class.path")));
            command.add(FarSide.class.getName());
        }
        command.addAll(List.of(arguments));
        return new Peer("the other side, \"" + arguments[0] + "\"", command);
    }

    /** The next line that it says. */
    String line() throws IOException {
        String line = answers.readLine();
        if (line == null) {
            throw new IOException("The process of " + name + " ended before it answered.");
        }
        return line;
    }

    /** Orders a round and returns what it came to. */
    double round(String order) throws IOException {
        orders.write((order + "\n").getBytes(StandardCharsets.UTF_8));
        orders.flush();
        return Double.parseDouble(line());
    }

    @Override
    public void close() {
        process.close();
    }
}

package farslot.cli;

import farslot.recorder.TraceException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** The file of a verb's {@code -o}: it is what it was until all that it is to hold is written. */
final class OutputFile {
    private static final int BUFFER_BYTES = 1 << 16;

    private OutputFile() {}

    /**
     * What is to be in it.
     *
     * @param <A> why there is nothing to write
     * @param <B> another such reason
     */
    @FunctionalInterface
    interface Content<A extends Exception, B extends Exception> {
        /** Writes all of it; a {@link TraceException} is no fault of the file. */
        void writeTo(OutputStream out) throws IOException, A, B;
    }

    /**
     * Writes the file, or the pipe or device of that name.
     *
     * @throws CommandFailure where it cannot be written
     */
    static <A extends Exception, B extends Exception> void write(Path output, Content<A, B> content)
            throws TraceException, A, B {
        if (Files.isDirectory(output)) {
            throw new CommandFailure(ExitCode.USAGE, output + " is a folder; name a file in it.");
        }
        try {
            if (Files.exists(output) && !Files.isRegularFile(output)) {
                writeTo(output, content);
                return;
            }
            Path folder = output.toAbsolutePath().getParent();
            Path unfinished = Files.createTempFile(folder, ".farslot-", ".unfinished");
            try {
                writeTo(unfinished, content);
                Files.move(unfinished, output, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(unfinished);
            }
        } catch (TraceException e) {
            throw e;
        } catch (IOException e) {
            String why =
                    e instanceof NoSuchFileException ? "its folder does not exist" : e.getMessage();
            throw new CommandFailure(
                    ExitCode.FAILED, output + " cannot be written: " + why + ".", e);
        }
    }

    private static <A extends Exception, B extends Exception> void writeTo(
            Path file, Content<A, B> content) throws IOException, A, B {
        try (OutputStream out =
                new BufferedOutputStream(Files.newOutputStream(file), BUFFER_BYTES)) {
            content.writeTo(out);
        }
    }
}

package farslot.cli;

import farslot.lab.TemporaryFolder;
import farslot.link.ControlLink;
import farslot.link.FollowRequest;
import farslot.link.LinkException;
import farslot.link.RefusedException;
import farslot.posix.FileHole;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceFollower;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceReader;
import farslot.watch.RemoteTrace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A trace that is read while it is written: a file that grows, or what is recorded by another
 * process, here or on another machine.
 */
final class LiveTrace implements AutoCloseable {
    private static final long REST_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /** How much may be on this machine's disk that is not shown yet. */
    private static final long UNREAD_BYTES = 64L << 20;

    /** Of what is shown, at least so much is given back at once. */
    private static final long GIVEN_BACK_BYTES = 4L << 20;

    /** How long its file may become, most of which is a hole. */
    private static final TraceOptions KEEP = TraceOptions.DEFAULT.withLimitBytes(1L << 40);

    /** The same where files cannot have holes: then it ends. */
    private static final TraceOptions KEEP_ALL = TraceOptions.DEFAULT.withLimitBytes(1L << 30);

    private final TraceFollower follower;

    /** Null for a file. */
    private final RemoteTrace remote;

    private final TemporaryFolder folder;
    private final Runnable beforeRest;
    private long missed;
    private long givenBackBytes;

    private LiveTrace(
            TraceFollower follower,
            RemoteTrace remote,
            TemporaryFolder folder,
            Runnable beforeRest) {
        this.follower = follower;
        this.remote = remote;
        this.folder = folder;
        this.beforeRest = beforeRest;
    }

    /** Whether an argument means a file, and no name of something that is lent. */
    static boolean isFile(String argument) {
        return argument.contains("/")
                || argument.endsWith(".fst")
                || Files.exists(Path.of(argument));
    }

    /**
     * A file that grows.
     *
     * @param beforeRest is run before each wait for more
     */
    static LiveTrace of(Path file, Runnable beforeRest) throws TraceException {
        return new LiveTrace(TraceFollower.open(file), null, null, beforeRest);
    }

    /**
     * What is recorded elsewhere; where nothing is, a recording is begun for this one.
     *
     * @param verb that says what is to be said
     */
    static LiveTrace of(Recorder recorder, boolean insecure, Verb verb, Runnable beforeRest)
            throws TraceException {
        TemporaryFolder folder = null;
        boolean ready = false;
        try {
            folder = TemporaryFolder.create("farslot-follow-");
            Path file = folder.path().resolve("t.fst");
            boolean holes = canHaveHoles(folder.path());
            TraceOptions keep = holes ? KEEP : KEEP_ALL;
            RemoteTrace remote = follow(recorder, insecure, file, verb, keep);
            if (holes) {
                remote.keepUnread(UNREAD_BYTES);
            }
            LiveTrace trace = new LiveTrace(TraceFollower.open(file), remote, folder, beforeRest);
            trace.givenBackBytes = holes ? trace.follower.headerBytes() : Long.MAX_VALUE;
            ready = true;
            return trace;
        } catch (TraceException e) {
            if (Files.notExists(folder.path())) {
                throw new CommandFailure(
                        ExitCode.INTERRUPTED,
                        "Ended before there was anything to show: " + folder.path() + " is gone.",
                        e);
            }
            throw e;
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, "No temporary folder can be made: " + e.getMessage(), e);
        } finally {
            if (!ready && folder != null) {
                folder.close();
            }
        }
    }

    private static boolean canHaveHoles(Path folder) throws IOException {
        Path probe = Files.write(folder.resolve("hole"), new byte[8192]);
        try {
            FileHole.make(probe, 0, 4096);
            return true;
        } catch (IOException e) {
            return false;
        } finally {
            Files.delete(probe);
        }
    }

    private static RemoteTrace follow(
            Recorder recorder, boolean insecure, Path file, Verb verb, TraceOptions keep)
            throws TraceException {
        try {
            try {
                FollowRequest there = new FollowRequest(recorder.function(), false, Map.of());
                return RemoteTrace.follow(recorder.connect(insecure), there, file, keep);
            } catch (RefusedException nothing) {
                if (nothing.reason() != RefusedException.Reason.NOT_FOUND) {
                    throw nothing;
                }
                ControlLink link = recorder.connect(insecure);
                FollowRequest begin =
                        new FollowRequest(recorder.function(), true, Map.of("dma", "head:16"));
                try {
                    RemoteTrace trace = RemoteTrace.follow(link, begin, file, keep);
                    verb.say(
                            "Nothing was recorded of "
                                    + recorder.name()
                                    + ": it is from now on, until this ends.");
                    return trace;
                } catch (RefusedException refused) {
                    throw new CommandFailure(
                            ExitCode.REFUSED,
                            nothing.getMessage() + " " + refused.getMessage(),
                            refused);
                }
            }
        } catch (RefusedException e) {
            throw Processes.failure(e);
        } catch (LinkException e) {
            throw Processes.failure(e);
        }
    }

    /** For what the trace says of itself. */
    TraceReader reader() {
        return follower.reader();
    }

    /** The next event, however long that takes; null where no more comes. */
    TraceEvent next() throws TraceException {
        try {
            return awaitNext();
        } catch (TraceException e) {
            if (remote != null && Files.notExists(remote.file())) {
                return null; // this program is being ended, and its temporary files went first
            }
            throw e;
        }
    }

    private TraceEvent awaitNext() throws TraceException {
        while (true) {
            // Asked first: what came before the end is read then.
            boolean over = remote == null ? follower.isOver() : remote.why() != null;
            TraceEvent event = follower.next();
            if (remote != null && follower.readBytes() - givenBackBytes >= GIVEN_BACK_BYTES) {
                giveBack();
            }
            if (event != null) {
                return event;
            }
            if (over) {
                return null;
            }
            beforeRest.run();
            LockSupport.parkNanos(this, REST_NANOS);
            if (Thread.interrupted()) {
                return null;
            }
        }
    }

    /** What was read needs no room any more. */
    private void giveBack() throws TraceException {
        long read = follower.readBytes();
        try {
            FileHole.make(remote.file(), givenBackBytes, read - givenBackBytes);
        } catch (IOException e) {
            throw new TraceException("What was shown cannot be forgotten: " + e.getMessage(), e);
        }
        givenBackBytes = read;
        remote.readTo(read);
    }

    /** Asks for no more of what is recorded elsewhere: what is there still comes, then the end. */
    void stop() {
        remote.stop();
    }

    /**
     * Of what is recorded elsewhere: says what is to be done when this program is ended, while what
     * has come can still be read.
     */
    void whenEnded(Runnable action) {
        folder.beforeRemoval(action);
    }

    /** How many records have been missed since this was asked last. */
    long newlyMissed() {
        long now = remote == null ? 0 : remote.figures().missed();
        long more = now - missed;
        missed = now;
        return more;
    }

    /** What is to be known of all that was read, in sentences. */
    List<String> remarks() {
        List<String> remarks = new ArrayList<>(follower.remarks());
        if (remote != null) {
            RemoteTrace.Figures figures = remote.figures();
            if (figures.missed() > 0) {
                remarks.add(
                        figures.missed()
                                + " records were missed: they came faster than they could be sent"
                                + " or read here.");
            }
            if (remote.why() != null) {
                remarks.add(remote.why());
            }
        }
        return remarks;
    }

    @Override
    public void close() {
        follower.close();
        if (remote != null) {
            try {
                remote.close();
            } catch (TraceException e) {
                // It goes with its folder.
            }
            folder.close();
        }
    }
}

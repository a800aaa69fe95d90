package farslot.link;

import java.time.Duration;

/**
 * How a link is made; one for a server, one for each client. Immutable: {@code
 * LinkOptions.named("v1").withInsecure(true)}.
 *
 * @param name what this side calls itself to the other, at most 255 bytes of UTF-8
 * @param insecure whether TCP is used as it is, though then nothing proves who the peer is and
 *     nothing is encrypted
 * @param passDescriptors whether the memory's descriptors travel with DMA maps where the link is a
 *     UNIX socket (zero-copy DMA); when false all DMA is messages, seen by the slot's taps
 * @param accessTimeout how long a slot's access waits for its completion before it ends in
 *     TIMED_OUT; zero waits for ever
 * @param keepAlive the longest silence before a sign of life is sent
 * @param deadAfter the silence after which a peer is dead: 1 s unless a test says otherwise
 * @param grace how long a session may be without a connection before it ends, where this side
 *     lends; zero, at either side, ends it with its first connection
 * @param trust who this side is over TCP, and whom it believes; null where nothing was set up
 */
public record LinkOptions(
        String name,
        boolean insecure,
        boolean passDescriptors,
        Duration accessTimeout,
        Duration keepAlive,
        Duration deadAfter,
        Duration grace,
        Trust trust) {

    /**
     * The defaults: TCP refused until there is trust, descriptors passed, accesses wait 4 s, peers
     * are dead after 1 s, sessions go on within 30 s.
     */
    public static LinkOptions named(String name) {
        return new LinkOptions(
                name,
                false,
                true,
                Duration.ofSeconds(4),
                Duration.ofMillis(250),
                Duration.ofSeconds(1),
                Duration.ofSeconds(30),
                null);
    }

    public LinkOptions withInsecure(boolean allowed) {
        return new LinkOptions(
                name, allowed, passDescriptors, accessTimeout, keepAlive, deadAfter, grace, trust);
    }

    public LinkOptions withPassDescriptors(boolean passed) {
        return new LinkOptions(
                name, insecure, passed, accessTimeout, keepAlive, deadAfter, grace, trust);
    }

    public LinkOptions withAccessTimeout(Duration timeout) {
        return new LinkOptions(
                name, insecure, passDescriptors, timeout, keepAlive, deadAfter, grace, trust);
    }

    public LinkOptions withKeepAlive(Duration silence, Duration dead) {
        return new LinkOptions(
                name, insecure, passDescriptors, accessTimeout, silence, dead, grace, trust);
    }

    public LinkOptions withGrace(Duration longest) {
        return new LinkOptions(
                name,
                insecure,
                passDescriptors,
                accessTimeout,
                keepAlive,
                deadAfter,
                longest,
                trust);
    }

    public LinkOptions withTrust(Trust given) {
        return new LinkOptions(
                name, insecure, passDescriptors, accessTimeout, keepAlive, deadAfter, grace, given);
    }

    /** Whether a session goes on over another connection, as far as this side can say. */
    boolean resumes() {
        return !grace.isZero();
    }
}

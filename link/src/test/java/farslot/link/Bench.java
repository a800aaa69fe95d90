package farslot.link;

import farslot.core.PciFunction;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A lender of fake functions and what a test needs to borrow them, over each kind of wire. */
final class Bench implements AutoCloseable {
    /** Which wires a test runs over. */
    enum Over {
        UNIX,
        TCP,
        TLS
    }

    static final LinkOptions SLOT = LinkOptions.named("s1").withInsecure(true);

    private static final TestSite.Member ALICE = TestSite.SITE.member("alice");
    private static final TestSite.Member BOB = TestSite.SITE.member("bob");

    final Lender lender = new Lender();
    final LinkServer server;
    final Address address;
    private final Over over;
    private final List<Runnable> open = new ArrayList<>();

    Bench(Over over, Path folder) throws IOException {
        this(over, folder, LinkOptions.named("lender").withInsecure(true));
    }

    Bench(Over over, Path folder, LinkOptions options) throws IOException {
        this.over = over;
        Address at =
                over == Over.UNIX
                        ? new Address.Unix(folder.resolve("l"))
                        : new Address.Tcp("127.0.0.1", 0);
        server = LinkServer.open(proven(options, ALICE), lender, List.of(at));
        address = server.addresses().getFirst();
    }

    private LinkOptions proven(LinkOptions options, Trust trust) {
        return over == Over.TLS ? options.withInsecure(false).withTrust(trust) : options;
    }

    /** By hand, over this kind of wire. */
    RawPeer peer() throws IOException {
        return over == Over.TLS
                ? new RawPeer(Connector.connect(address, proven(SLOT, BOB)).wire())
                : RawPeer.connect(address);
    }

    RemoteFunction borrow(String name) throws Exception {
        return borrow(name, SLOT, new Hearing());
    }

    RemoteFunction borrow(String name, LinkOptions options, RemoteFunction.Listener listener)
            throws Exception {
        return borrow(address, name, options, listener);
    }

    /** Through a proxy. */
    RemoteFunction borrow(
            Address at, String name, LinkOptions options, RemoteFunction.Listener listener)
            throws Exception {
        RemoteFunction function =
                RemoteFunction.borrow(at, new Wish(name), proven(options, BOB), listener);
        open.add(function::close);
        return function;
    }

    ControlLink control() throws LinkException {
        return control(SLOT);
    }

    ControlLink control(LinkOptions options) throws LinkException {
        ControlLink control = ControlLink.connect(address, proven(options, BOB));
        open.add(control::close);
        return control;
    }

    @Override
    public void close() {
        open.reversed().forEach(Runnable::run);
        server.close();
    }

    /** How a borrowed function ended, and what was held. */
    static final class Hearing implements RemoteFunction.Listener {
        final CompletableFuture<LinkException> why = new CompletableFuture<>();
        final BlockingQueue<String> held = new LinkedBlockingQueue<>();

        @Override
        public void ended(LinkException because) {
            why.complete(because);
        }

        @Override
        public void held(HeldAccess access) {
            held.add(access.what());
        }

        LinkException await() throws Exception {
            return why.get(20, TimeUnit.SECONDS);
        }
    }

    /** Lends "f0" and "f1". */
    static final class Lender implements Offer {
        final Map<String, FakeFunction> functions =
                Map.of("f0", new FakeFunction(), "f1", new FakeFunction());
        final Map<String, String> taken = new ConcurrentHashMap<>();
        final Map<String, Lease> leases = new ConcurrentHashMap<>();
        final BlockingQueue<String> endings = new LinkedBlockingQueue<>();
        final BlockingQueue<String> changes = new LinkedBlockingQueue<>();

        /** What its functions hold. */
        final BlockingQueue<String> held = new LinkedBlockingQueue<>();

        final List<Consumer<ObservedEvent>> observers =
                Collections.synchronizedList(new ArrayList<>());
        final BlockingQueue<Consumer<ObservedEvent>> observing = new LinkedBlockingQueue<>();
        final BlockingQueue<RecordFeed> feeds = new LinkedBlockingQueue<>();
        final BlockingQueue<FollowRequest> followed = new LinkedBlockingQueue<>();
        long epochs;

        FakeFunction f0() {
            return functions.get("f0");
        }

        /** The next time that a connection broke, or the session went on. */
        String change() throws InterruptedException {
            return changes.poll(20, TimeUnit.SECONDS);
        }

        String ending() throws InterruptedException {
            return endings.poll(20, TimeUnit.SECONDS);
        }

        @Override
        public List<Entry> list(Peer peer) {
            List<Entry> entries = new ArrayList<>();
            for (String name : List.of("f0", "f1")) {
                String borrower = taken.getOrDefault(name, "");
                entries.add(
                        new Entry(
                                name,
                                "fake",
                                "a fake function",
                                functions.get(name).generation(),
                                borrower,
                                borrower.isEmpty() ? 0 : 12345,
                                Map.of("regions", "3")));
            }
            return entries;
        }

        @Override
        public synchronized Grant borrow(Peer peer, Wish wish, Lease lease)
                throws RefusedException {
            FakeFunction function = functions.get(wish.function());
            if (function == null) {
                throw new RefusedException(
                        RefusedException.Reason.NOT_FOUND,
                        "There is no function \"" + wish.function() + "\" here; \"f0\" is near.");
            }
            String holder = taken.putIfAbsent(wish.function(), peer.toString());
            if (holder != null) {
                throw new RefusedException(
                        RefusedException.Reason.TAKEN, wish.function() + " is taken by " + holder);
            }
            leases.put(wish.function(), lease);
            return grant(wish.function(), ++epochs);
        }

        @Override
        public synchronized Grant adopt(Peer peer, SavedSession session, Lease lease) {
            taken.put(session.function(), peer.toString());
            leases.put(session.function(), lease);
            return grant(session.function(), session.epoch());
        }

        private Grant grant(String name, long epoch) {
            return new Grant() {
                @Override
                public PciFunction function() {
                    return functions.get(name);
                }

                @Override
                public long epoch() {
                    return epoch;
                }

                @Override
                public void held(HeldAccess access) {
                    held.add(access.what());
                }

                @Override
                public void heldNoMore() {
                    held.add("no more");
                }

                @Override
                public void detached(String why) {
                    changes.add("detached");
                }

                @Override
                public void resumed() {
                    changes.add("resumed");
                }

                @Override
                public void ended(Ending how, String sentence) {
                    taken.remove(name);
                    endings.add(how + " " + name);
                }
            };
        }

        @Override
        public List<Map<String, String>> operate(
                Peer peer, String action, Map<String, String> arguments) throws RefusedException {
            return switch (action) {
                case "echo" -> List.of(arguments);
                case "many" ->
                        Collections.nCopies(
                                Integer.parseInt(arguments.get("rows")),
                                Map.of("text", arguments.get("text")));
                case "crash" -> throw new IllegalStateException("by order of a test");
                default ->
                        throw new RefusedException(
                                RefusedException.Reason.NOT_FOUND, "No action " + action);
            };
        }

        @Override
        public AutoCloseable observe(Peer peer, Consumer<ObservedEvent> observer) {
            observing.add(observer);
            return () -> observing.remove(observer);
        }

        @Override
        public RecordFeed follow(Peer peer, FollowRequest request) throws RefusedException {
            followed.add(request);
            RecordFeed feed = feeds.poll();
            if (feed == null) {
                throw new RefusedException(
                        RefusedException.Reason.NOT_FOUND, "Nothing is recorded.");
            }
            return feed;
        }
    }
}

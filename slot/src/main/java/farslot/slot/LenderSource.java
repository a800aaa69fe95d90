package farslot.slot;

import farslot.core.PciFunction;
import farslot.link.Address;
import farslot.link.ClockRelation;
import farslot.link.HeldAccess;
import farslot.link.LinkException;
import farslot.link.LinkOptions;
import farslot.link.RefusedException;
import farslot.link.RemoteFunction;
import farslot.link.RuntimeDirectory;
import farslot.link.Wish;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** A function lent under one name by one lender, borrowed by a link. */
public final class LenderSource implements Source {
    private final FunctionAddress address;
    private final RuntimeDirectory directory;
    private final LinkOptions options;
    private final Supervision supervision;
    private final Consumer<String> talk;
    private Duration patience;

    /** What was borrowed last. */
    private RemoteFunction last;

    /** One that waits for nobody. */
    public LenderSource(FunctionAddress address, RuntimeDirectory directory, LinkOptions options) {
        this(address, directory, options, Duration.ZERO, Supervision.none(), sentence -> {});
    }

    /**
     * @param directory where lenders of this machine are found
     * @param options how links are made, and the slot's name
     * @param patience how long the first borrow waits for its turn where others have the function;
     *     later ones, after a loss, do not wait
     * @param supervision hears of sessions, so that they end with this process
     * @param talk is told where that stands; must not block
     */
    public LenderSource(
            FunctionAddress address,
            RuntimeDirectory directory,
            LinkOptions options,
            Duration patience,
            Supervision supervision,
            Consumer<String> talk) {
        this.supervision = supervision;
        this.address = address;
        this.directory = directory;
        this.options = options;
        this.patience = patience;
        this.talk = talk;
    }

    @Override
    public String address() {
        return address.toString();
    }

    /**
     * {@inheritDoc}
     *
     * <p>What an earlier session of this slot has still it takes over, unless the lender took it
     * from that: it may be another slot of the same name, and they would take it from each other
     * for ever.
     */
    @Override
    public Borrow borrow(LossListener lost) throws BorrowException {
        Wish wish = new Wish(address.name(), patience, !wasTakenAway());
        patience = Duration.ZERO;
        try {
            Address lender = resolve(address, directory);
            AtomicReference<byte[]> session = new AtomicReference<>();
            RemoteFunction remote =
                    RemoteFunction.borrow(
                            lender,
                            wish,
                            options,
                            new RemoteFunction.Listener() {
                                @Override
                                public void ended(LinkException why) {
                                    supervision.over(session.get());
                                    lost.lost(why.getMessage());
                                }

                                @Override
                                public void waiting(int place, int of, String sentence) {
                                    talk.accept(sentence);
                                }

                                @Override
                                public void held(HeldAccess access) {
                                    lost.held(access);
                                }

                                @Override
                                public void detached(String why) {
                                    lost.detached(why);
                                }

                                @Override
                                public void resumed() {
                                    lost.resumed();
                                }
                            });
            last = remote;
            session.set(remote.session());
            supervision.begun(remote.session(), lender, options);
            if (remote.isEnded()) {
                supervision.over(remote.session());
            }
            return new LinkBorrow(remote, supervision);
        } catch (RefusedException e) {
            throw new BorrowException(reason(e), e.getMessage(), e);
        } catch (LinkException e) {
            throw new BorrowException(reason(e), e.getMessage(), e);
        }
    }

    /** Whether the lender has ended the last borrow by its own decision. */
    private boolean wasTakenAway() {
        LinkException why = last == null ? null : last.ending();
        return why != null && why.what() == LinkException.Cause.GOODBYE;
    }

    /**
     * Where to connect for this address.
     *
     * @throws BorrowException where it is to be here and is not
     */
    public static Address resolve(FunctionAddress address, RuntimeDirectory directory)
            throws BorrowException {
        if (!address.isHere()) {
            return address.address();
        }
        Path socket = directory.socket(address.name(), RuntimeDirectory.Role.LENDER);
        if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS)) {
            throw new BorrowException(
                    BorrowException.Reason.NOT_FOUND,
                    "Nobody lends \""
                            + address.name()
                            + "\" on this machine"
                            + lentHere(directory)
                            + " For another machine write "
                            + address.name()
                            + "@MACHINE.",
                    null);
        }
        return new Address.Unix(socket);
    }

    private static String lentHere(RuntimeDirectory directory) {
        try {
            var names =
                    directory.places().stream()
                            .filter(place -> place.role() == RuntimeDirectory.Role.LENDER)
                            .map(RuntimeDirectory.Place::name)
                            .toList();
            return names.isEmpty() ? "." : "; there are: " + String.join(", ", names) + ".";
        } catch (IOException e) {
            return ".";
        }
    }

    private static BorrowException.Reason reason(RefusedException e) {
        return switch (e.reason()) {
            case NOT_FOUND -> BorrowException.Reason.NOT_FOUND;
            case BAD_ARGUMENT -> BorrowException.Reason.BAD_INPUT;
            default -> BorrowException.Reason.REFUSED;
        };
    }

    private static BorrowException.Reason reason(LinkException e) {
        return switch (e.what()) {
            case INSECURE -> BorrowException.Reason.BAD_INPUT;
            case UNTRUSTED, OTHER_VERSION, GOODBYE, PROTOCOL -> BorrowException.Reason.REFUSED;
            case UNREACHABLE, NO_FARSLOT, LOST, CLOSED -> BorrowException.Reason.NOT_FOUND;
        };
    }

    private record LinkBorrow(RemoteFunction remote, Supervision supervision) implements Borrow {
        @Override
        public PciFunction function() {
            return remote;
        }

        @Override
        public long epoch() {
            return remote.epoch();
        }

        @Override
        public ClockRelation clock() {
            return remote.clock();
        }

        @Override
        public boolean isLost() {
            return remote.isEnded();
        }

        @Override
        public String whyLost() {
            LinkException why = remote.ending();
            return why == null ? "" : why.getMessage();
        }

        @Override
        public void giveBack() {
            remote.close();
            supervision.over(remote.session());
        }
    }
}

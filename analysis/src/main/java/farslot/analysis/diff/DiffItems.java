package farslot.analysis.diff;

import farslot.analysis.ConfigurationDecoderProvider;
import farslot.analysis.Decoders;
import farslot.analysis.TraceObservations;
import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.Region;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.registers.FieldType;
import farslot.registers.Register;
import farslot.sdk.decode.Decoder;
import farslot.sdk.decode.DecoderProvider;
import farslot.sdk.decode.Observation;
import farslot.sdk.decode.Transaction;
import farslot.sdk.decode.Transaction.Meaning;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Makes the items of one trace: without times, with polling loops as one read of their last value,
 * and with addresses in the driver's memory by name. What belongs to a decoder's transactions is
 * one item a transaction.
 *
 * <p>Shown the same trace twice, it gives the same items twice. For one thread.
 */
final class DiffItems {
    static final String CONFIGURATION = "config";
    static final String REGISTERS = "registers";
    static final String DMA = "dma";
    static final String MAPS = "maps";
    static final String EVENTS = "events";
    static final String CONTROLS = "irq-ctl";
    static final String MARKS = "marks";

    private final FunctionDescription function;
    private final TraceNames names;
    private final DmaPages pages;
    private final Consumer<Item> items;
    private final List<Decoder> decoders = new ArrayList<>();
    private final Map<String, Long> orders = new HashMap<>();
    private final Polls configurationReads = new Polls(this::give);
    private final Polls registerReads = new Polls(this::give);

    /** The lower halves that were written last, for the upper ones that follow them. */
    private final Map<Long, Long> lowHalves = new HashMap<>();

    private TraceEvent.InterruptControl lastControl;

    /**
     * @param pages of the whole trace, not asked for names yet
     * @param items takes them; those of one stream by their order, but for a decoder's
     */
    DiffItems(
            FunctionDescription function, TraceNames names, DmaPages pages, Consumer<Item> items) {
        this.function = function;
        this.names = names;
        this.pages = pages;
        this.items = items;
        for (DecoderProvider provider : Decoders.of(function)) {
            if (!provider.name().equals(ConfigurationDecoderProvider.NAME)) {
                decoders.add(provider.decoder(function, this::transaction));
            }
        }
    }

    /** Whether a stream is one of a decoder, whose items may come in another order. */
    static boolean isConcurrent(String stream) {
        return switch (stream) {
            case CONFIGURATION, REGISTERS, DMA, MAPS, EVENTS, CONTROLS, MARKS -> false;
            default -> !stream.startsWith("irq ");
        };
    }

    void add(TraceEvent event) {
        Observation observation = TraceObservations.of(event);
        boolean taken = false;
        for (Decoder decoder : decoders) {
            taken |= observation != null && decoder.observe(observation);
        }
        if (!taken) {
            plain(event);
        }
    }

    /** The trace is over. */
    void end() {
        decoders.forEach(Decoder::end);
        configurationReads.flush();
        registerReads.flush();
    }

    /** What the decoders say of the whole. */
    List<String> remarks() {
        List<String> remarks = new ArrayList<>();
        decoders.forEach(decoder -> remarks.addAll(decoder.remarks()));
        return remarks;
    }

    private void plain(TraceEvent event) {
        switch (event) {
            case TraceEvent.Access e -> access(e);
            case TraceEvent.Dma e -> dma(e);
            case TraceEvent.Interrupt e ->
                    give("irq " + e.kind() + " " + e.vector(), event, "interrupt", List.of());
            case TraceEvent.InterruptControl e -> control(e);
            case TraceEvent.Reset e -> {
                registerReads.flush();
                give(REGISTERS, event, "reset " + e.kind(), status(e.status()));
            }
            case TraceEvent.Mapped e ->
                    give(
                            MAPS,
                            event,
                            "map",
                            List.of(
                                    value("bytes", Long.toString(e.length())),
                                    value("direction", e.direction().name()),
                                    value("near", Boolean.toString(e.near()))));
            case TraceEvent.Unmapped e ->
                    give(MAPS, event, "unmap", List.of(value("bytes", Long.toString(e.length()))));
            case TraceEvent.Told e -> give(EVENTS, event, told(e.event()), List.of());
            case TraceEvent.Mark e -> give(MARKS, event, e.words(), List.of());
            case TraceEvent.Attached e ->
                    give(EVENTS, event, e.attached() ? "host given" : "host taken", List.of());
            case TraceEvent.State e ->
                    give(EVENTS, event, e.operation().name(), status(e.status()));
            case TraceEvent.Near e ->
                    give(DMA, event, "memory itself", List.of(value("given", "" + e.given())));
            case TraceEvent.Lost e -> give(EVENTS, event, "events lost", List.of());
            case TraceEvent.Lease e ->
                    give(EVENTS, event, e.begun() ? "lease begun" : "lease ended", List.of());
            case TraceEvent.Changed e -> changed(e);
            case TraceEvent.Setting e -> give(EVENTS, event, e.setting(), List.of());
            case TraceEvent.Counted e -> {} // how often is a matter of time
        }
    }

    private void changed(TraceEvent.Changed e) {
        registerReads.flush();
        boolean memory = e.region() == TraceEvent.Changed.MEMORY;
        String where =
                memory ? "memory" : names.label(e.region()) + " 0x" + Long.toHexString(e.address());
        HexFormat hex = HexFormat.of();
        give(
                memory ? DMA : REGISTERS,
                e,
                e.tap() + " changed " + where,
                List.of(
                        value("before", hex.formatHex(e.before())),
                        value("after", hex.formatHex(e.after()))));
    }

    private static Item.Value value(String name, String text) {
        return new Item.Value(name, text, true);
    }

    private static List<Item.Value> status(CompletionStatus status) {
        return status == null || status.isSuccess()
                ? List.of()
                : List.of(value("status", status.name()));
    }

    /** Without its numbers, which depend on where a trace begins. */
    private static String told(FunctionEvent event) {
        return switch (event) {
            case FunctionEvent.Error e -> "error: " + e.sentence();
            case FunctionEvent.Presence e -> e.present() ? "present" : "gone";
            case FunctionEvent.NewGeneration e -> "reset by itself, " + e.kind();
            case FunctionEvent.DmaRefused e -> "DMA refused, " + e.direction();
            default -> event.getClass().getSimpleName();
        };
    }

    /** Vectors that are masked again and again are one item, as they follow the interrupts. */
    private void control(TraceEvent.InterruptControl e) {
        boolean again =
                lastControl != null
                        && lastControl.kind() == e.kind()
                        && lastControl.action() == e.action()
                        && lastControl.first() == e.first()
                        && lastControl.count() == e.count();
        boolean follows =
                e.action() == InterruptAction.MASK || e.action() == InterruptAction.UNMASK;
        lastControl = e;
        if (!again || !follows) {
            String what = e.action().name().toLowerCase(Locale.ROOT);
            String which = e.kind() + " " + e.first() + " and " + (e.count() - 1) + " more";
            give(CONTROLS, e, what, List.of(value("vectors", which)));
        }
    }

    private void dma(TraceEvent.Dma e) {
        int name = pages.name(e.address());
        long data = e.data().complete() && e.data().length() > 0 ? Hash.of(e.data().kept()) : 0;
        List<Item.Value> values = new ArrayList<>();
        values.add(value("address", DmaPages.text(name, DmaPages.offset(e.address()))));
        values.add(value("bytes", Long.toString(e.data().length())));
        values.addAll(status(e.status()));
        if (data != 0) {
            values.add(new Item.Value("data", Long.toHexString(data), true));
        }
        String what = e.write() ? "write memory" : "read memory";
        long kind = Hash.of(what);
        long similar =
                Hash.of(Hash.of(Hash.of(kind, name), e.address() & 0xFFF), e.data().length());
        long whole = Hash.of(similar, e.status() == null ? -1 : e.status().code());
        long order = orders.merge(DMA, 1L, Long::sum) - 1;
        items.accept(
                new Item(
                        DMA,
                        order,
                        e.stamp().number(),
                        whole,
                        similar,
                        kind,
                        data,
                        () -> new Item.Details(what, values)));
    }

    private void give(String stream, TraceEvent event, String what, List<Item.Value> values) {
        long kind = Hash.of(what);
        long whole = kind;
        for (Item.Value value : values) {
            whole = Hash.of(whole, Hash.of(value.text()));
        }
        give(stream, event.stamp().number(), whole, kind, () -> new Item.Details(what, values));
    }

    private void give(
            String stream, long number, long whole, long kind, Supplier<Item.Details> details) {
        long order = orders.merge(stream, 1L, Long::sum) - 1;
        items.accept(new Item(stream, order, number, whole, kind, kind, 0, details));
    }

    private void give(Polls.Read read) {
        TraceEvent.Access e = read.access();
        register(e, e.data().value());
    }

    private void access(TraceEvent.Access e) {
        Polls polls = e.region() == Region.CONFIGURATION ? configurationReads : registerReads;
        boolean read =
                !e.write()
                        && e.data().complete()
                        && e.data().length() <= Long.BYTES
                        && e.status() != null
                        && e.status().isSuccess();
        if (read) {
            polls.add(e, Volatility.of(names.domain(e.region()), e));
        } else {
            polls.flush();
            register(e, e.data().value());
        }
    }

    private void register(TraceEvent.Access e, long value) {
        long length = e.data().length();
        long kind = Hash.of(Hash.of(e.region() * 2L + (e.write() ? 1 : 0), e.offset()), length);
        long status = e.status() == null ? -1 : e.status().code();
        boolean short8 = length <= Long.BYTES && e.data().complete();
        String meaning = short8 ? meaning(e, value) : null;
        long said = meaning != null ? Hash.of(meaning) : short8 ? value : Hash.of(e.data().kept());
        long whole = Hash.of(Hash.of(kind, said), status);
        String stream = e.region() == Region.CONFIGURATION ? CONFIGURATION : REGISTERS;
        give(stream, e.stamp().number(), whole, kind, () -> details(e, value, meaning));
    }

    /** What stands for a value that is another one each time, or null. */
    private String meaning(TraceEvent.Access e, long value) {
        if (e.region() == Region.CONFIGURATION) {
            return base(e, value);
        }
        Register register = domainRegister(e);
        if (!e.write()) {
            return Volatility.isCounter(register) ? "changes by itself" : null;
        }
        int length = (int) e.data().length();
        if (length < 4 || (register != null && hasNamedFields(register))) {
            return null;
        }
        if (length == 8) {
            return pages.isAddress(value) ? text(value) : null;
        }
        long place = (long) e.region() << 56 | e.offset();
        boolean own = register != null && register.elementStart(e.offset()) == e.offset();
        Long low = own ? null : lowHalves.get(place - 4);
        if (low != null && pages.isAddress(value << 32 | low)) {
            return "upper half of " + text(value << 32 | low);
        }
        if (pages.isLowHalf(value)) {
            if (lowHalves.size() < 1024) {
                lowHalves.put(place, value);
            }
            return text(value);
        }
        lowHalves.remove(place);
        return null;
    }

    private String text(long address) {
        return DmaPages.text(pages.name(address), DmaPages.offset(address));
    }

    private Register domainRegister(TraceEvent.Access e) {
        var domain = names.domain(e.region());
        return domain == null ? null : domain.find(e.offset());
    }

    /** A register with numbers in its fields is no address. */
    private static boolean hasNamedFields(Register register) {
        return register.fields().stream().anyMatch(field -> field.type() != FieldType.HEX);
    }

    /** Where a region is put is the machine's own affair; that it is, and how large, is not. */
    private String base(TraceEvent.Access e, long value) {
        if (e.offset() < 0x10 || e.offset() >= 0x28 || e.data().length() != 4) {
            return null;
        }
        int index = (int) (e.offset() - 0x10) / 4;
        var region = function.region(index).orElse(null);
        if (region == null || e.offset() % 4 != 0) {
            return null;
        }
        long mask = -region.sizeBytes() & 0xFFFF_FFFFL;
        long address = value & mask;
        return address == 0 || address == mask ? null : "an address";
    }

    private Item.Details details(TraceEvent.Access e, long value, String meaning) {
        String what =
                (e.write() ? "write " : "read ")
                        + (e.region() == Region.CONFIGURATION ? "" : label(e.region()))
                        + names.register(e);
        List<Item.Value> values = new ArrayList<>();
        long length = e.data().length();
        if (meaning != null) {
            values.add(value("", meaning));
        } else if (!e.data().complete()) {
            values.add(value("", "nothing"));
        } else if (length > Long.BYTES) {
            values.add(value("", length + " bytes " + Long.toHexString(Hash.of(e.data().kept()))));
        } else {
            values.addAll(
                    RegisterValues.of(names.domain(e.region()), e.offset(), (int) length, value));
        }
        values.addAll(status(e.status()));
        return new Item.Details(what, values);
    }

    /** Which region, where a map does not say. */
    private String label(int region) {
        return names.domain(region) == null || region != 0 ? names.label(region) + " " : "";
    }

    private void transaction(Transaction transaction) {
        long kind = Hash.of(transaction.title());
        long similar = kind;
        long data = 0;
        for (Transaction.Field field : transaction.fields()) {
            if (field.meaning() == Meaning.VALUE) {
                similar = Hash.of(Hash.of(similar, Hash.of(field.name())), field.value());
            } else if (field.meaning() == Meaning.DATA) {
                data = Hash.of(Hash.of(field.name()), field.value());
            }
        }
        items.accept(
                new Item(
                        transaction.stream(),
                        transaction.index(),
                        transaction.first().number(),
                        Hash.of(similar, Hash.of(transaction.status())),
                        similar,
                        kind,
                        data,
                        () -> details(transaction)));
    }

    private static Item.Details details(Transaction transaction) {
        List<Item.Value> values = new ArrayList<>();
        for (Transaction.Field field : transaction.fields()) {
            boolean compared = field.meaning() == Meaning.VALUE || field.meaning() == Meaning.DATA;
            values.add(new Item.Value(field.name(), field.text(), compared));
        }
        String status = transaction.status().isEmpty() ? "not ended" : transaction.status();
        values.add(value("status", status));
        return new Item.Details(transaction.title(), values);
    }
}

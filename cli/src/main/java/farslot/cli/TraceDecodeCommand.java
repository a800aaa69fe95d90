package farslot.cli;

import farslot.analysis.Decoders;
import farslot.analysis.TransactionReader;
import farslot.analysis.TransactionText;
import farslot.recorder.Condition;
import farslot.recorder.TraceException;
import farslot.recorder.TraceReader;
import farslot.registers.Nearest;
import farslot.sdk.decode.DecoderProvider;
import farslot.sdk.decode.Transaction;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints the transactions of a trace. */
@Command(
        name = "decode",
        header = "Print commands and settings, with their latencies",
        description = {
            "",
            "Prints what the function's decoders find above single registers, one line a"
                    + " transaction: its first event, when, its stream, what it is, how it ended, how"
                    + " long it took and how long each stage, and its fields. With --json one JSON"
                    + " object a line. A device's commands need DMA data in the trace. --where leaves"
                    + " those of which it holds for the event of a stage.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot trace decode demo.fst --only nvme --count 100")
final class TraceDecodeCommand extends Verb {
    /** How many lines are printed before looking whether anybody still reads. */
    private static final int LINES_UNCHECKED = 1024;

    @Mixin TraceSource source;
    @Mixin WhereOption where;
    @Mixin JsonOption output;

    @Option(
            names = "--only",
            paramLabel = "DECODER",
            split = ",",
            description = "Only by these decoders; by all that know the function by default.")
    List<String> only = List.of();

    @Option(names = "--count", paramLabel = "N", description = "Stop after this many.")
    long count = Long.MAX_VALUE;

    @Override
    public Integer call() {
        if (where.explained(out())) {
            return ExitCode.OK;
        }
        if (count < 0) {
            throw usage("--count cannot be negative.");
        }
        try (TraceReader reader = source.open()) {
            Condition condition = where.condition(source.names(reader));
            TransactionReader transactions =
                    new TransactionReader(
                            reader, providers(reader), condition == null ? null : condition::test);
            print(transactions);
            transactions.remarks().forEach(this::say);
            return ExitCode.OK;
        } catch (TraceException e) {
            throw TraceSource.unreadable(e);
        }
    }

    private void print(TransactionReader transactions) throws TraceException {
        if (!output.json) {
            out().println(TransactionText.heading());
        }
        long shown = 0;
        while (shown < count) {
            Transaction transaction = transactions.next();
            if (transaction == null) {
                return;
            }
            out().println(output.json ? Json.line(transaction) : TransactionText.line(transaction));
            if (++shown % LINES_UNCHECKED == 0 && out().checkError()) {
                return;
            }
        }
    }

    private List<DecoderProvider> providers(TraceReader reader) {
        List<DecoderProvider> known = Decoders.of(reader.description());
        List<String> names = Decoders.all().stream().map(DecoderProvider::name).toList();
        for (String wanted : only) {
            if (!names.contains(wanted)) {
                throw usage(
                        "There is no decoder \""
                                + wanted
                                + "\""
                                + Nearest.questionOrAll(wanted, names));
            }
            if (known.stream().noneMatch(provider -> provider.name().equals(wanted))) {
                throw usage(
                        "The decoder "
                                + wanted
                                + " does not know what "
                                + source.file
                                + " is of, which is "
                                + reader.description().kind()
                                + ".");
            }
        }
        return only.isEmpty()
                ? known
                : known.stream().filter(provider -> only.contains(provider.name())).toList();
    }
}

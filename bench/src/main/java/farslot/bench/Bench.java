package farslot.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Measures Farslot beside bare C. */
public final class Bench {
    private Bench() {}

    /**
     * Measures. Nothing else should run meanwhile; where something does, the ratios still mean
     * something and the values do not.
     *
     * @param progress is told in lines what is measured, and what cannot be
     * @throws IOException where something breaks; the sentence says what
     */
    public static List<Row> run(Set<Group> groups, Rounds rounds, Consumer<String> progress)
            throws IOException {
        try (Workbench bench = Workbench.open(progress, true)) {
            return run(groups, rounds, bench);
        }
    }

    static List<Row> run(Set<Group> groups, Rounds rounds, Workbench bench) throws IOException {
        List<Row> rows = new ArrayList<>();
        if (groups.contains(Group.SLOT)) {
            rows.addAll(SlotBench.run(bench, rounds));
        }
        if (groups.contains(Group.LINK)) {
            rows.addAll(LinkBench.run(bench, rounds));
        }
        if (groups.contains(Group.RECORDER)) {
            rows.addAll(RecorderBench.run(bench, rounds));
            rows.addAll(TraceBench.run(bench, rounds));
        }
        if (groups.contains(Group.QUERY)) {
            rows.addAll(QueryBench.run(bench, rounds));
        }
        if (groups.contains(Group.VM)) {
            rows.addAll(VmBench.run(bench, rounds));
        }
        return rows;
    }
}

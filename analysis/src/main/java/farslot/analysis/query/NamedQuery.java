package farslot.analysis.query;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Questions that are asked of nearly every trace ({@code farslot trace query --named}). */
public enum NamedQuery {
    BUSIEST_REGISTERS(
            "busiest-registers",
            "Registers by how often the driver accessed them",
            """
            SELECT trace, region, register, as_hex(offset) AS offset,
                count(*) FILTER (kind = 'read') AS reads,
                count(*) FILTER (kind = 'write') AS writes,
                count(DISTINCT value) AS "values",
                round(avg(duration_nanos) FILTER (kind = 'read'))::BIGINT AS mean_read_nanos,
                max(duration_nanos) FILTER (kind = 'read') AS max_read_nanos
            FROM events WHERE region IS NOT NULL
            GROUP BY trace, region, register, events.offset
            ORDER BY count(*) DESC, trace, region, events.offset
            """),
    SLOWEST_ACCESSES(
            "slowest-accesses",
            "The 50 accesses by the driver that took longest",
            """
            SELECT trace, number, nanos, kind, region, register, as_hex(value) AS value,
                duration_nanos, status
            FROM events WHERE region IS NOT NULL AND duration_nanos IS NOT NULL
            ORDER BY duration_nanos DESC, trace, number LIMIT 50
            """),
    SLOWEST_READS(
            "slowest-reads",
            "The 50 reads by the driver that took longest",
            """
            SELECT trace, number, nanos, region, register, as_hex(value) AS value,
                duration_nanos, status
            FROM events WHERE kind = 'read' AND duration_nanos IS NOT NULL
            ORDER BY duration_nanos DESC, trace, number LIMIT 50
            """),
    POLLING_LOOPS(
            "polling-loops",
            "Where the driver read one register 4 times or more with no other access between",
            """
            WITH turns AS (
                SELECT *, row_number() OVER (PARTITION BY trace ORDER BY number)
                    - row_number() OVER (PARTITION BY trace, kind, region, offset, length
                        ORDER BY number) AS turn
                FROM events WHERE region IS NOT NULL)
            SELECT trace, min(number) AS number, min(nanos) AS nanos, region,
                any_value(register) AS register, count(*) AS reads,
                max(nanos + coalesce(duration_nanos, 0)) - min(nanos) AS took_nanos,
                as_hex(arg_min(value, number)) AS first_value,
                as_hex(arg_max(value, number)) AS last_value
            FROM turns WHERE kind = 'read'
            GROUP BY trace, region, offset, length, turn HAVING count(*) >= 4
            ORDER BY trace, number
            """),
    INTERRUPTS_PER_SECOND(
            "interrupts-per-second",
            "Interrupts by vector, second for second",
            """
            SELECT trace, nanos // 1000000000 AS second, interrupt, vector, count(*) AS interrupts
            FROM interrupts WHERE kind = 'irq'
            GROUP BY ALL ORDER BY trace, second, interrupt, vector
            """),
    DMA_BY_SIZE(
            "dma-by-size",
            "DMA by direction and length",
            """
            SELECT trace, kind, length, count(*) AS transfers, sum(length)::BIGINT AS bytes,
                round(avg(duration_nanos))::BIGINT AS mean_nanos, max(duration_nanos) AS max_nanos,
                count(*) FILTER (status <> 'SUCCESS') AS failed
            FROM dma GROUP BY trace, kind, length ORDER BY trace, kind, length
            """),
    FIRST_WRITES(
            "first-writes",
            "The first write to each register, in order: how the driver sets the device up",
            """
            SELECT trace, number, nanos, region, register, as_hex(offset) AS offset,
                as_hex(value) AS value
            FROM events WHERE kind = 'write'
            QUALIFY row_number() OVER (PARTITION BY trace, region, offset ORDER BY number) = 1
            ORDER BY trace, number
            """),
    ERRORS(
            "errors",
            "What did not succeed, by status",
            """
            SELECT trace, status, kind, region, register, count(*) AS events,
                min(number) AS first_number, min(nanos) AS first_nanos
            FROM events WHERE status <> 'SUCCESS' OR under_way
            GROUP BY ALL ORDER BY trace, events DESC, first_number
            """),
    UNKNOWN_OFFSETS(
            "unknown-offsets",
            "Offsets that were accessed and that the register map does not have",
            """
            SELECT trace, region, as_hex(offset) AS offset,
                count(*) FILTER (kind = 'read') AS reads,
                count(*) FILTER (kind = 'write') AS writes,
                list(DISTINCT length ORDER BY length) AS lengths,
                count(DISTINCT value) AS "values",
                as_hex(arg_min(value, number)) AS first_value,
                as_hex(arg_max(value, number)) AS last_value, min(number) AS first_number
            FROM events WHERE NOT known
            GROUP BY trace, region, events.offset ORDER BY trace, region, events.offset
            """);

    private final String title;
    private final String purpose;
    private final String sql;

    NamedQuery(String title, String purpose, String sql) {
        this.title = title;
        this.purpose = purpose;
        this.sql = sql;
    }

    /** What it is asked by. */
    public String title() {
        return title;
    }

    /** What it answers, in a line. */
    public String purpose() {
        return purpose;
    }

    /** The question itself, to begin others from. */
    public String sql() {
        return sql.strip();
    }

    /** The names of all. */
    public static List<String> titles() {
        return Arrays.stream(values()).map(NamedQuery::title).toList();
    }

    /** The one with this name. */
    public static Optional<NamedQuery> named(String title) {
        return Arrays.stream(values()).filter(query -> query.title.equals(title)).findFirst();
    }
}

package farslot.analysis.query;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SqlTextTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    SELECT offset                     | SELECT "offset"
                    SELECT e.offset, Offset+4         | SELECT e."offset", "Offset"+4
                    SELECT max(offset) AS offset      | SELECT max("offset") AS "offset"
                    SELECT 1 LIMIT 3 OFFSET 5         | SELECT 1 LIMIT 3 OFFSET 5
                    SELECT 1 OFFSET (SELECT 2)        | SELECT 1 OFFSET (SELECT 2)
                    SELECT 1 OFFSET $1                | SELECT 1 OFFSET $1
                    ORDER BY offset LIMIT 2 OFFSET 0x2| ORDER BY "offset" LIMIT 2 OFFSET 2
                    offset>=0x1c AND offset <0xFF     | "offset">=28 AND "offset" <255
                    0xffffffffffffffff                | 18446744073709551615
                    SELECT 'offset 0x1c', "offset"    | SELECT 'offset 0x1c', "offset"
                    SELECT 'it''s offset' -- offset   | SELECT 'it''s offset' -- offset
                    /* offset */ x0x10, a0x1, 0xg     | /* offset */ x0x10, a0x1, 0xg
                    SELECT $$offset$$, $t$ offset $t$ | SELECT $$offset$$, $t$ offset $t$
                    'offset                           | 'offset
                    /* offset                         | /* offset
                    """)
    void shouldMakeOfItWhatDuckDbTakes(String written, String taken) {
        assertEquals(taken, SqlText.forDuckDb(written));
    }
}

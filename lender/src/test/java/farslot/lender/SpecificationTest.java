package farslot.lender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpecificationTest {
    @Test
    void readsKindNameAndOptionsInTheirOrder() throws LendingException {
        Specification read = Specification.parse("nvme,size=1G,name=n0,image=a/b.img");
        assertEquals("nvme", read.kind());
        assertEquals("n0", read.name());
        assertEquals(List.of("size", "image"), new ArrayList<>(read.options().keySet()));
        assertEquals("a/b.img", read.options().get("image"));
    }

    @Test
    void aKindAloneIsEnough() throws LendingException {
        Specification read = Specification.parse("edu");
        assertEquals("edu", read.kind());
        assertNull(read.name());
        assertEquals(Map.of(), read.options());
    }

    @Test
    void aValueMayHaveEqualsSignsAndDoubledCommas() throws LendingException {
        assertEquals(
                Map.of("image", "a,b=c.img"),
                Specification.parse("nvme,image=a,,b=c.img").options());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "name=n0 | has to begin with a device kind",
                "'' | has to begin with a device kind",
                "nvme,image | \"image\" is no KEY=VALUE",
                "nvme, | \"\" is no KEY=VALUE",
                "nvme,=x | \"=x\" is no KEY=VALUE",
                "nvme,size=1,size=2 | \"size\" is given twice",
                "nvme,name=a,name=b | \"name\" is given twice",
                "nvme,name= | \"\" cannot be a name",
                "nvme,name=a/b | \"a/b\" cannot be a name",
                "nvme,name=-a | \"-a\" cannot be a name",
                "nvme,name=a@b | \"a@b\" cannot be a name"
            })
    void saysWhatIsWrong(String text, String why) {
        LendingException e = assertThrows(LendingException.class, () -> Specification.parse(text));
        assertEquals(LendingException.Fault.BAD_INPUT, e.fault());
        assertTrue(e.getMessage().contains(why), e.getMessage());
    }

    @Property
    void whateverIsDoubledComesBack(
            @ForAll @AlphaChars @StringLength(min = 1, max = 8) String kind,
            @ForAll @Size(max = 5)
                    Map<@AlphaChars @StringLength(min = 1, max = 4) String, String> options)
            throws LendingException {
        options.remove("name");
        StringBuilder text = new StringBuilder(kind);
        options.forEach((key, value) ->
                text.append(',').append(key).append('=').append(value.replace(",", ",,")));
        Specification read = Specification.parse(text.toString());
        assertEquals(kind, read.kind());
        assertEquals(new LinkedHashMap<>(options), new LinkedHashMap<>(read.options()));
    }

    @Property
    void anyTextIsReadOrRefused(@ForAll String text) {
        try {
            Specification.parse(text);
        } catch (LendingException e) {
            assertEquals(LendingException.Fault.BAD_INPUT, e.fault());
        }
    }
}

package farslot.cli;

import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterMap;
import farslot.registers.RegisterMapCheck;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Says what is wrong with a register map. */
@Command(
        name = "check",
        header = "Say what is wrong with a register map",
        description = {
            "",
            "Says what of a register map could not be read as it stands, with file and line, and"
                    + " where it contradicts itself. Ends with 1 where there is any of that.",
            "Registers and fields that lie over each other may be meant so: they are counted, and"
                    + " listed with --overlaps.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {"  farslot regs check nvme.xml", "  farslot regs check chip.svd --overlaps"})
final class RegsCheckCommand extends Verb {
    @Mixin MapArgument argument;

    @Option(names = "--overlaps", description = "List what lies over each other, too.")
    boolean overlaps;

    @Mixin JsonOption output;

    @Override
    public Integer call() {
        MapArgument.Chosen chosen = argument.read();
        RegisterMap map = new RegisterMap(chosen.map().name(), chosen.domains());
        List<RegisterMapCheck.Finding> findings = RegisterMapCheck.of(map);
        List<String> wrong = new ArrayList<>(chosen.map().remarks());
        List<String> over = new ArrayList<>();
        findings.forEach(finding -> (finding.wrong() ? wrong : over).add(finding.sentence()));
        long registers = 0;
        int definitions = 0;
        for (RegisterDomain domain : chosen.domains()) {
            definitions += domain.registers().size();
            for (Register register : domain.registers()) {
                registers += Math.min(register.elements(), Long.MAX_VALUE - registers);
            }
        }
        if (output.json) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("domains", chosen.domains().size());
            json.put("definitions", definitions);
            json.put("registers", registers);
            json.put("wrong", wrong);
            json.put("overlaps", over);
            Json.print(out(), json);
        } else {
            wrong.forEach(out()::println);
            if (overlaps) {
                over.forEach(out()::println);
            }
            out().println(
                            "%s: %d domains, %d definitions of %d registers; %d wrong, %d overlapping"
                                    .formatted(
                                            argument.word,
                                            chosen.domains().size(),
                                            definitions,
                                            registers,
                                            wrong.size(),
                                            over.size()));
        }
        return wrong.isEmpty() ? ExitCode.OK : ExitCode.FAILED;
    }
}

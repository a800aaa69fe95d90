package farslot.cli;

import farslot.registers.Nearest;
import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterField;
import farslot.registers.RegisterMap;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** What the verbs of {@code regs} are about: {@code @Mixin MapArgument argument}. */
final class MapArgument {
    /** More names than these are not searched for one that may have been meant. */
    private static final int MAX_CANDIDATES = 20_000;

    @Parameters(
            index = "0",
            paramLabel = "MAP[#DOMAIN]",
            description =
                    "A rules-ng-ng or CMSIS-SVD file, or a kind of device: nvme, edu, pci; and"
                            + " which of its domains, where that is asked.")
    String word;

    @Mixin MapReading reading;

    /**
     * A map and the domains of it that are asked for.
     *
     * @param name as the user wrote it
     */
    record Chosen(String name, RegisterMap map, List<RegisterDomain> domains) {
        /**
         * What a word names: registers, or the elements of them at an offset.
         *
         * @throws CommandFailure where there is nothing of that name or there
         */
        List<Hit> find(String word) {
            List<Hit> hits = new ArrayList<>();
            if (Character.isDigit(word.charAt(0))) {
                long offset = RegisterPlace.number(word);
                for (RegisterDomain domain : domains) {
                    for (Register register : domain.findAll(offset)) {
                        hits.add(new Hit(domain, register, register.elementStart(offset), null));
                    }
                }
                if (hits.isEmpty()) {
                    throw new CommandFailure(
                            ExitCode.NOT_FOUND,
                            name + " has no register at 0x" + Long.toHexString(offset) + ".");
                }
                return hits;
            }
            for (boolean anyCase : new boolean[] {false, true}) {
                for (RegisterDomain domain : domains) {
                    domain.registers()
                            .forEach(register -> add(hits, domain, register, word, anyCase));
                }
                if (!hits.isEmpty()) {
                    return hits;
                }
            }
            throw unknown(word);
        }

        private static void add(
                List<Hit> hits,
                RegisterDomain domain,
                Register register,
                String word,
                boolean anyCase) {
            boolean family = register.dimensions() > 0 && same(register.name(), word, anyCase);
            long element = family ? -1 : register.elementNamed(word, anyCase);
            if (family || element >= 0) {
                hits.add(new Hit(domain, register, element, null));
                return;
            }
            int dot = word.lastIndexOf('.');
            if (dot <= 0) {
                return;
            }
            String outer = word.substring(0, dot);
            family = register.dimensions() > 0 && same(register.name(), outer, anyCase);
            element = family ? -1 : register.elementNamed(outer, anyCase);
            if (family || element >= 0) {
                for (RegisterField field : register.fields()) {
                    if (same(field.name(), word.substring(dot + 1), anyCase)) {
                        hits.add(new Hit(domain, register, element, field));
                    }
                }
            }
        }

        private static boolean same(String a, String b, boolean anyCase) {
            return anyCase ? a.equalsIgnoreCase(b) : a.equals(b);
        }

        private CommandFailure unknown(String word) {
            List<String> names =
                    domains.stream()
                            .flatMap(domain -> domain.registers().stream())
                            .map(Register::name)
                            .limit(MAX_CANDIDATES)
                            .toList();
            return new CommandFailure(
                    ExitCode.NOT_FOUND,
                    name
                            + " has no register \""
                            + word
                            + "\""
                            + Nearest.question(word.toUpperCase(Locale.ROOT), names));
        }
    }

    /**
     * A register that was named.
     *
     * @param element the offset of the one element that is meant, or -1 for all of an array
     * @param field which alone is meant, or null
     */
    record Hit(RegisterDomain domain, Register register, long element, RegisterField field) {
        /** "SQ1TDBL", or "SQ{0..63}TDBL" for all. */
        String name() {
            return element < 0 ? RegsShowCommand.family(register) : register.nameAt(element);
        }

        long offset() {
            return element < 0 ? register.offset() : element;
        }
    }

    /** Reads the map. */
    Chosen read() {
        int hash = Files.exists(Path.of(word)) ? -1 : word.lastIndexOf('#');
        String name = hash < 0 ? word : word.substring(0, hash);
        RegisterMap map = reading.onChosen(List.of(reading.find(name))).getFirst();
        return new Chosen(
                word,
                map,
                hash < 0 ? map.domains() : List.of(domain(map, word.substring(hash + 1))));
    }

    /** A domain by its name, whatever the case. */
    static RegisterDomain domain(RegisterMap map, String name) {
        if (map.has(name)) {
            return map.domain(name);
        }
        for (RegisterDomain domain : map.domains()) {
            if (domain.name().equalsIgnoreCase(name)) {
                return domain;
            }
        }
        List<String> names = map.domains().stream().map(RegisterDomain::name).toList();
        throw new CommandFailure(
                ExitCode.NOT_FOUND,
                "The map "
                        + map.name()
                        + " has no domain \""
                        + name
                        + "\""
                        + (names.size() <= 12
                                ? Nearest.questionOrAll(name.toUpperCase(Locale.ROOT), names)
                                : Nearest.question(name.toUpperCase(Locale.ROOT), names)));
    }
}

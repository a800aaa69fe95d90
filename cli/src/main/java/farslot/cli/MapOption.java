package farslot.cli;

import farslot.registers.RegisterDomain;
import farslot.registers.RegisterMap;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The {@code --map} of every verb that prints names of registers: {@code @Mixin MapOption maps}.
 * Names a device that Farslot has no map of.
 */
final class MapOption {
    private static final Pattern FOR_REGION =
            Pattern.compile("(BAR[0-5]|ROM|CFG)=(.+)", Pattern.CASE_INSENSITIVE);

    private static final Pattern FROM_ADDRESS = Pattern.compile("(.+)@((?:0[xX])?[0-9a-fA-F]+)");

    @Option(
            names = "--map",
            paramLabel = "[REGION=]MAP",
            description = {
                "Name registers by this rules-ng-ng or CMSIS-SVD file, instead of by the device's"
                        + " own map. Its domains are called BAR0 to BAR5, ROM and CFG, or:",
                "BAR0=chip.svd#UART0  this domain or peripheral is what BAR0 shows",
                "BAR0=chip.svd@0x40000000  BAR0 shows all of them, from this address on",
                "Once for each region."
            })
    List<String> maps = List.of();

    @Mixin MapReading reading;

    /**
     * What names a function's registers.
     *
     * @param own what is known of it without options
     */
    RegisterMap over(RegisterMap own) {
        List<Given> given = maps.stream().map(Given::of).toList();
        Map<String, RegisterMap> read = new LinkedHashMap<>();
        given.forEach(one -> read.computeIfAbsent(one.map, reading::find));
        if (given.isEmpty()) {
            return reading.onChosen(List.of(own)).getFirst();
        }
        List<RegisterMap> chosen = reading.onChosen(List.copyOf(read.values()));
        int index = 0;
        for (Map.Entry<String, RegisterMap> entry : read.entrySet()) {
            entry.setValue(chosen.get(index++));
        }
        Map<String, RegisterDomain> domains = new LinkedHashMap<>();
        if (given.stream().allMatch(one -> one.region != null)) {
            own.domains().forEach(domain -> domains.put(domain.name(), domain));
        }
        for (Given one : given) {
            RegisterMap map = read.get(one.map);
            if (one.region == null) {
                regions(one, map).forEach(domain -> domains.put(domain.name(), domain));
            } else {
                domains.put(one.region, one.domain(map).as(one.region));
            }
        }
        return new RegisterMap(own.name(), new ArrayList<>(domains.values()));
    }

    private static List<RegisterDomain> regions(Given given, RegisterMap map) {
        List<RegisterDomain> regions =
                map.domains().stream()
                        .filter(domain -> FOR_REGION.matcher(domain.name() + "=x").matches())
                        .toList();
        if (!regions.isEmpty()) {
            return regions;
        }
        throw new CommandFailure(
                ExitCode.USAGE,
                "The map "
                        + given.map
                        + " says not which region its domains are; say it, as in --map "
                        + "BAR0"
                        + "="
                        + given.map
                        + "#"
                        + (map.domains().isEmpty() ? "NAME" : map.domains().getFirst().name())
                        + ". \"farslot regs show "
                        + given.map
                        + "\" lists them.");
    }

    /**
     * One --map as it was written.
     *
     * @param region null for whichever the map's domains are called by
     * @param map a file or a kind
     * @param domain of the map, or null
     * @param address from which the region shows all domains, or null
     */
    private record Given(String region, String map, String domain, Long address) {
        static Given of(String text) {
            Matcher forRegion = FOR_REGION.matcher(text);
            if (!forRegion.matches()) {
                return new Given(null, text, null, null);
            }
            String region = forRegion.group(1).toUpperCase(Locale.ROOT);
            String map = forRegion.group(2);
            if (Files.exists(Path.of(map))) {
                return new Given(region, map, null, null);
            }
            Matcher from = FROM_ADDRESS.matcher(map);
            if (from.matches()) {
                long address = RegisterPlace.number(from.group(2));
                return new Given(region, from.group(1), null, address);
            }
            int hash = map.lastIndexOf('#');
            return hash < 0
                    ? new Given(region, map, null, null)
                    : new Given(region, map.substring(0, hash), map.substring(hash + 1), null);
        }

        RegisterDomain domain(RegisterMap read) {
            if (address != null) {
                RegisterDomain all = read.addressSpace(region, address);
                if (all.registers().isEmpty()) {
                    throw new CommandFailure(
                            ExitCode.USAGE,
                            "The map "
                                    + map
                                    + " has no registers from 0x"
                                    + Long.toHexString(address)
                                    + " on.");
                }
                return all;
            }
            if (domain != null) {
                return MapArgument.domain(read, domain);
            }
            if (read.has(region)) {
                return read.domain(region);
            }
            if (read.domains().size() == 1) {
                return read.domains().getFirst();
            }
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "The map "
                            + map
                            + " has "
                            + read.domains().size()
                            + " domains; say which is what "
                            + region
                            + " shows, as in --map "
                            + region
                            + "="
                            + map
                            + "#NAME. \"farslot regs show "
                            + map
                            + "\" lists them.");
        }
    }
}

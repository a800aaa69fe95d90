package farslot.cli;

import farslot.registers.Nearest;
import farslot.trust.TrustException;
import farslot.trust.TrustSetup;
import farslot.trust.TrustSetup.Shown;
import farslot.trust.TrustSetup.Summary;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes, gives out and takes back what proves over the network who is who. */
@Command(
        name = "trust",
        header = "Prove over the network who is who",
        description = {
            "%nLinks over TCP are encrypted, and both sides prove who they are: by certificates of"
                    + " one authority, the site's. \"init\" makes it, for the user who runs it;"
                    + " that user issues identities to others, who import them. docs/trust.md"
                    + " goes through it."
        },
        subcommands = {
            TrustCommand.Init.class,
            TrustCommand.Issue.class,
            TrustCommand.Import.class,
            TrustCommand.Show.class,
            TrustCommand.Renew.class,
            TrustCommand.Revoke.class
        },
        optionListHeading = "%nOptions:%n",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExample:%n",
        footer = {
            "  farslot trust init",
            "  farslot trust issue bob -o bob.pem",
            "  farslot trust import bob.pem          (as bob, on another machine)"
        })
final class TrustCommand extends Verb {
    @Override
    public Integer call() {
        throw usage("trust wants one of init, issue, import, show, renew, revoke.");
    }

    private static final DateTimeFormatter DAY =
            DateTimeFormatter.ofPattern("yyyy-MM-dd").withZone(ZoneId.systemDefault());

    /** What all of them share. */
    abstract static class TrustVerb extends Verb {
        final TrustSetup setup = new TrustSetup(Processes.trustFolder());

        @Override
        public final Integer call() {
            try {
                act();
                return ExitCode.OK;
            } catch (TrustException e) {
                throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
            }
        }

        abstract void act() throws TrustException;
    }

    /** For how long, and where. */
    static final class Terms {
        @Option(
                names = "--days",
                defaultValue = "" + TrustSetup.IDENTITY_DAYS,
                description = "How long it is good; default ${DEFAULT-VALUE}.")
        int days;

        @Option(
                names = "--host",
                paramLabel = "MACHINE",
                description =
                        "A name or an address by which others reach a machine on which its holder"
                                + " lends. Several are given by several --host.")
        List<String> machines = List.of();

        void check(Verb verb) {
            checkDays(verb, days);
        }
    }

    private static void checkDays(Verb verb, int days) {
        if (days < 1 || days > TrustSetup.MOST_DAYS) {
            throw verb.usage("--days takes 1 to " + TrustSetup.MOST_DAYS + ".");
        }
    }

    @Command(
            name = "init",
            header = "Make a site's authority, and your own identity",
            description = {
                "%nMakes the authority of a site, good for ten years, and your own identity, which"
                        + " is good for lending on this machine. Its key stays in your settings,"
                        + " readable by you alone; who has it can pass for anybody of the site."
            },
            optionListHeading = "%nOptions:%n",
            footerHeading = "%nExample:%n",
            footer = "  farslot trust init lab --host 192.168.1.5")
    static final class Init extends TrustVerb {
        @Parameters(
                arity = "0..1",
                paramLabel = "SITE",
                defaultValue = "site",
                description = "The site's name; default ${DEFAULT-VALUE}.")
        String site;

        @Option(
                names = "--as",
                paramLabel = "NAME",
                description = "Your identity's name; default: your user name.")
        String user = System.getProperty("user.name");

        @Mixin Terms terms;

        @Override
        void act() throws TrustException {
            terms.check(this);
            setup.init(site, user, terms.machines, terms.days);
            Summary made = setup.show();
            say(
                    "You are \""
                            + made.identity().name()
                            + "\", and the authority of the site \""
                            + site
                            + "\". On this machine lend and borrow work at once; for others:"
                            + " farslot trust issue NAME.");
            say("The authority's fingerprint (SHA-256): " + made.fingerprint());
        }
    }

    @Command(
            name = "issue",
            header = "Issue an identity to somebody, or anew",
            description = {
                "%nWrites a bundle, one file with a private key and the certificates, which its"
                        + " holder imports: farslot trust import FILE. Bring it there by a way"
                        + " that nobody else can read (scp), and delete it then. An identity that"
                        + " expires is issued anew the same way."
            },
            optionListHeading = "%nOptions:%n",
            footerHeading = "%nExamples:%n",
            footer = {
                "  farslot trust issue bob -o bob.pem",
                "  farslot trust issue labbox --host labbox.example.org --host 192.168.1.7"
            })
    static final class Issue extends TrustVerb {
        @Parameters(paramLabel = "NAME", description = "Whom it names: a short name.")
        String name;

        @Option(
                names = {"-o", "--output"},
                paramLabel = "FILE",
                description = "Write the bundle there; default NAME.pem.")
        Path file;

        @Mixin Terms terms;

        @Override
        void act() throws TrustException {
            terms.check(this);
            Path to = file != null ? file : Path.of(name + ".pem");
            setup.issue(name, terms.machines, terms.days, to);
            out().println(to);
            say(
                    "Its holder takes it by \"farslot trust import "
                            + to.getFileName()
                            + "\". It has a private key: show it to nobody else.");
        }
    }

    @Command(
            name = "import",
            header = "Take an identity, or a list of revoked ones",
            description = {
                "%nTakes the bundle that the site's authority issued for you, or the list of"
                        + " revoked certificates that \"farslot trust show --crl\" printed there."
                        + " Lenders and slots that run heed it within seconds."
            },
            optionListHeading = "%nOptions:%n",
            footerHeading = "%nExample:%n",
            footer = "  farslot trust import bob.pem")
    static final class Import extends TrustVerb {
        @Parameters(paramLabel = "FILE", description = "The bundle or the list.")
        Path file;

        @Option(names = "--replace", description = "Give up an identity of another site for it.")
        boolean replace;

        @Override
        void act() throws TrustException {
            say(setup.take(file, replace));
        }
    }

    @Command(
            name = "show",
            header = "Show who you are, and what was issued",
            description = {
                "%nShows your identity, the site's authority and, where that is yours, what it has"
                        + " issued. Compare fingerprints to see that two users are of one site."
            },
            optionListHeading = "%nOptions:%n",
            footerHeading = "%nExamples:%n",
            footer = {"  farslot trust show", "  farslot trust show --crl > revoked.crl"})
    static final class Show extends TrustVerb {
        @Option(
                names = "--crl",
                description = "Print the list of revoked certificates, for other machines.")
        boolean revokedList;

        @Mixin JsonOption output;

        @Override
        void act() throws TrustException {
            if (revokedList) {
                String list = setup.revokedList();
                if (list == null) {
                    throw new CommandFailure(
                            ExitCode.NOT_FOUND, "Nothing is revoked: there is no list.");
                }
                out().print(list);
                return;
            }
            Summary now = setup.show();
            if (output.json) {
                Json.print(out(), now);
                return;
            }
            Shown own = now.identity();
            out().println("identity     " + own.name() + ", " + own.state() + until(own.until()));
            out().println("lends on     " + String.join(", ", own.machines()));
            out().println("site         " + now.site() + until(now.siteUntil()));
            out().println("fingerprint  " + now.fingerprint());
            out().println("revoked      " + now.revoked() + " certificates are known as revoked");
            out().println("folder       " + now.folder());
            if (now.authorityHere()) {
                out().println();
                Table table = new Table("ISSUED TO", "STATE", "UNTIL", "LENDS ON");
                for (Shown one : now.issued()) {
                    table.row(
                            one.name(),
                            one.state(),
                            DAY.format(one.until()),
                            String.join(", ", one.machines()));
                }
                table.print(out());
            }
        }

        private static String until(Instant end) {
            return ", until " + DAY.format(end);
        }
    }

    @Command(
            name = "renew",
            header = "Renew your own identity, where the authority is yours",
            description = {
                "%nIssues your own identity anew, for the same machines. Lenders and slots that run"
                        + " use it within seconds; connections that there are go on. For others:"
                        + " farslot trust issue NAME."
            },
            optionListHeading = "%nOptions:%n",
            footerHeading = "%nExample:%n",
            footer = "  farslot trust renew")
    static final class Renew extends TrustVerb {
        @Option(
                names = "--days",
                defaultValue = "" + TrustSetup.IDENTITY_DAYS,
                description = "How long it is good; default ${DEFAULT-VALUE}.")
        int days;

        @Override
        void act() throws TrustException {
            checkDays(this, days);
            String name = setup.renew(days);
            say(
                    "\""
                            + name
                            + "\" is good until "
                            + DAY.format(setup.show().identity().until())
                            + ".");
        }
    }

    @Command(
            name = "revoke",
            header = "Revoke what was issued to somebody",
            description = {
                "%nAll certificates that were issued under the name count no more. Lenders and slots"
                        + " of this user cut that holder's links within seconds; other machines,"
                        + " once the list is there: farslot trust show --crl > revoked.crl, and"
                        + " there farslot trust import revoked.crl."
            },
            optionListHeading = "%nOptions:%n",
            footerHeading = "%nExample:%n",
            footer = "  farslot trust revoke bob")
    static final class Revoke extends TrustVerb {
        @Parameters(paramLabel = "NAME", description = "Whose.")
        String name;

        @Override
        void act() throws TrustException {
            List<String> names = setup.names();
            if (!names.isEmpty() && !names.contains(name)) {
                throw new CommandFailure(
                        ExitCode.NOT_FOUND,
                        "Nothing was issued to \"" + name + "\"" + Nearest.question(name, names));
            }
            int count = setup.revoke(name);
            say(
                    "Revoked: "
                            + count
                            + (count == 1 ? " certificate" : " certificates")
                            + " of \""
                            + name
                            + "\". Lenders on other machines need the list: \"farslot trust show"
                            + " --crl\" prints it, \"farslot trust import\" takes it.");
        }
    }
}

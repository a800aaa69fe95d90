/**
 * The command line: parses and prints, nothing else.
 *
 * <p>One file a verb ({@link farslot.cli.LendCommand}, ...), each a {@link farslot.cli.Verb};
 * {@link farslot.cli.Main} lists them in groups. A verb asks the modules below for everything it
 * does, prints data to standard output ({@code --json} for programs, {@link farslot.cli.Table} for
 * people) and talk to standard error, and ends with one of {@link farslot.cli.ExitCode}. What goes
 * wrong ends as one sentence: {@link farslot.cli.CommandFailure}.
 *
 * <p>May use every module. Begin with {@link farslot.cli.Main}; to add a verb, see CONTRIBUTING.md.
 */
package farslot.cli;

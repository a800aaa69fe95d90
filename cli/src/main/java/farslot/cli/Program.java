package farslot.cli;

/** The program's name and version, said in one place. */
final class Program {
    static final String NAME = "farslot";
    static final String VERSION = "0.1.0";

    private Program() {}

    /** Whether stack traces are wanted. */
    static boolean debugging() {
        return "1".equals(System.getenv("FARSLOT_DEBUG"));
    }
}

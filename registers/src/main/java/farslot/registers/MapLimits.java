package farslot.registers;

/** What a map may use up while it is loaded, whatever its text says. For one load. */
final class MapLimits {
    static final int MAX_FILE_BYTES = 16 << 20;
    static final int MAX_FILES = 1000;
    static final int MAX_ELEMENTS = 1_000_000;
    static final int MAX_REGISTERS = 500_000;

    /** Registers, fields and values, once what a few lines name again and again is built. */
    static final int MAX_BUILT = 1_000_000;

    /** Characters of files, of names that grow with the arrays that they are in, and the like. */
    static final long MAX_CHARACTERS = 64 << 20;

    /** Each register has its own copy of the names of what it is in. */
    static final int MAX_NAME = 1024;

    /** The most indexes that one lookup may have to try in the arrays of one register. */
    static final double MAX_LOOKUP_COST = 1 << 16;

    /** The same in a domain, should all its registers lie over each other: some milliseconds. */
    static final double MAX_DOMAIN_LOOKUP_COST = 1 << 22;

    private int files;
    private int elements;
    private int registers;
    private int built;
    private long fileCharacters;
    private long nameCharacters;

    void countFile(String file, int characters) {
        if (++files > MAX_FILES) {
            throw new RegisterMapException(
                    file + ": this register map imports more than " + MAX_FILES + " files.");
        }
        fileCharacters += characters;
        if (fileCharacters > MAX_CHARACTERS) {
            throw new RegisterMapException(
                    file + ": the files of this register map are longer than 64 MiB together.");
        }
    }

    void countElement(MapElement element) {
        if (++elements > MAX_ELEMENTS) {
            throw new RegisterMapException(
                    element.place()
                            + ": the register map has more than "
                            + MAX_ELEMENTS
                            + " elements.");
        }
    }

    void countRegister(MapElement element) {
        if (++registers > MAX_REGISTERS) {
            throw new RegisterMapException(
                    element.place()
                            + ": the register map has more than "
                            + MAX_REGISTERS
                            + " registers once its groups are copied.");
        }
    }

    void countBuilt(MapElement element) {
        countBuilt(element, 1);
    }

    void countBuilt(MapElement element, int pieces) {
        built += pieces;
        if (built > MAX_BUILT) {
            throw new RegisterMapException(
                    element.place()
                            + ": the register map has more than "
                            + MAX_BUILT
                            + " registers, fields and values once what they name is copied.");
        }
    }

    /** A name or text that was made, not read. */
    void countName(MapElement element, int characters) {
        nameCharacters += characters;
        if (nameCharacters > MAX_CHARACTERS) {
            throw new RegisterMapException(
                    element.place()
                            + ": the names of this register map, each with the arrays that it is"
                            + " in, are longer than 64 MiB together.");
        }
    }

    /** The name of a register with those of what it is in. */
    void checkName(MapElement element, String name) {
        if (name.length() > MAX_NAME) {
            throw new RegisterMapException(
                    element.place()
                            + ": a register's name is longer than "
                            + MAX_NAME
                            + " characters, with the names of the arrays that it is in.");
        }
        countName(element, name.length());
    }
}

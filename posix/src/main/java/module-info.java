/** The few system calls that the JDK lacks, by java.lang.foreign. */
module farslot.posix {
    exports farslot.posix;
}

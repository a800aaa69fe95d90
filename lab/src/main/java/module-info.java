module farslot.lab {
    requires farslot.posix;
}

package farslot.posix;

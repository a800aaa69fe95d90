module farslot.posix {}

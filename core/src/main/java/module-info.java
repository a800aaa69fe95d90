module farslot.core {
    exports farslot.core;
}

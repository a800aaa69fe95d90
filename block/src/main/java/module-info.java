module farslot.block {
    exports farslot.block;
}

module farslot.lab {
    exports farslot.lab;
}

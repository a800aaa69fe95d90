module farslot.registers {
    requires java.xml;

    exports farslot.registers;

    uses farslot.registers.RegisterMapProvider;
}

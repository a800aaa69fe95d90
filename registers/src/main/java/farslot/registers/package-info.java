package farslot.registers;

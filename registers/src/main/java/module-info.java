module farslot.registers {}

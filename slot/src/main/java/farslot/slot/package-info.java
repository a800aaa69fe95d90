package farslot.slot;

package farslot.bench;

package farslot.block;

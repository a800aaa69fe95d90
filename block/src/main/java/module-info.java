module farslot.block {}

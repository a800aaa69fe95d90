package farslot.cli;

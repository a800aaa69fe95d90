package farslot.lab;

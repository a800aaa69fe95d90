package farslot.recorder;

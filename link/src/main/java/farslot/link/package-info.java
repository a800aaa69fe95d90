package farslot.link;

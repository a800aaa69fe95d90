package farslot.vfiouser;

package farslot.sdk;

package farslot.devices.edu;

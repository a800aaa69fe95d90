package farslot.devices.nvme;

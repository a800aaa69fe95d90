module farslot.devices.nvme {
    requires transitive farslot.sdk;
    requires farslot.block;

    exports farslot.devices.nvme;

    provides farslot.sdk.decode.DecoderProvider with
            farslot.devices.nvme.NvmeDecoderProvider;
    provides farslot.sdk.DeviceKind with
            farslot.devices.nvme.NvmeKind;
    provides farslot.registers.RegisterMapProvider with
            farslot.devices.nvme.NvmeKind;
}

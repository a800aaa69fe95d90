/** Reading what was recorded; see {@link farslot.analysis}. */
module farslot.analysis {
    requires transitive farslot.recorder;
    requires transitive farslot.sdk;

    exports farslot.analysis;
    exports farslot.analysis.export;

    uses farslot.sdk.decode.DecoderProvider;

    provides farslot.sdk.decode.DecoderProvider with
            farslot.analysis.ConfigurationDecoderProvider;
    provides farslot.sdk.DeviceKind with
            farslot.analysis.ReplayKind;
    provides farslot.registers.RegisterMapProvider with
            farslot.analysis.ReplayKind;
}

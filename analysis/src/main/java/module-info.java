/** Reading what was recorded; see {@link farslot.analysis}. */
module farslot.analysis {
    requires transitive farslot.recorder;
    requires transitive farslot.sdk;

    exports farslot.analysis;
    exports farslot.analysis.export;

    uses farslot.sdk.decode.DecoderProvider;

    provides farslot.sdk.decode.DecoderProvider with
            farslot.analysis.ConfigurationDecoderProvider;
}

/** Reading what was recorded; see {@link farslot.analysis}. */
module farslot.analysis {
    requires transitive farslot.recorder;
    requires transitive farslot.sdk;
    requires java.sql;
    requires duckdb.jdbc;

    exports farslot.analysis;
    exports farslot.analysis.diff;
    exports farslot.analysis.export;
    exports farslot.analysis.query;
    // DuckDB's driver asks a class of this name for its address, by reflection.
    exports org.apache.arrow.c to
            duckdb.jdbc;

    uses farslot.sdk.decode.DecoderProvider;

    provides farslot.sdk.decode.DecoderProvider with
            farslot.analysis.ConfigurationDecoderProvider;
    provides farslot.sdk.DeviceKind with
            farslot.analysis.ReplayKind;
    provides farslot.registers.RegisterMapProvider with
            farslot.analysis.ReplayKind;
}

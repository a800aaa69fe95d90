package farslot.analysis.query;

/** Takes events as rows of {@link EventColumn}: some columns, then {@link #endRow}. */
interface RowSink {
    /** Sets a column of numbers; a truth is 1 or 0. */
    void put(EventColumn column, long value);

    /** Sets a column of text (UTF-8) or bytes: the first {@code length} of them. */
    void put(EventColumn column, byte[] bytes, int length);

    /** The row is whole; what was not set is null. */
    void endRow();
}

/**
 * Traces as tables for SQL, by DuckDB (docs/queries.md). {@link
 * farslot.analysis.query.TraceDatabase} is where to begin: it is opened over some traces and
 * answers questions.
 *
 * <p>How a trace comes to be a table: {@link farslot.analysis.query.EventRows} makes rows of its
 * events, {@link farslot.analysis.query.ArrowStream} gives them to DuckDB. {@link
 * farslot.analysis.query.EventTable} writes the same rows for other programs. Whatever DuckDB is
 * asked by a user it answers without reaching any file or the network.
 */
package farslot.analysis.query;

/**
 * Traces in the formats of other people's programs, and theirs as ours (docs/exports.md).
 *
 * <p>{@code TraceExport} is a format into which a trace is written; begin there. What a format
 * cannot say is said in its remarks, or named in the documentation: nothing is lost silently.
 */
package farslot.analysis.export;

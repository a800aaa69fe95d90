/**
 * Recording what passes between a driver and a function, and reading it back. {@code RecorderTap}
 * stands on the path and writes fixed-size binary records into a memory-mapped {@code .fst} file
 * (docs/trace-format.md); names, fields and text are made only where a trace is read. Nothing is
 * lost silently: what does not fit is counted in the file.
 *
 * <p>Uses {@code core} and {@code registers}. Begin with {@code RecorderTap} and {@code
 * TraceWriter} for writing, {@code TraceReader} and {@code TraceEvent} for reading; {@code
 * TraceText} makes what people see of an event. {@code Condition} is the one expression language,
 * for what is recorded and for what is read.
 */
package farslot.recorder;

/**
 * Comparing two traces by what they mean. Each trace becomes {@link farslot.analysis.diff.Item}s in
 * streams whose order means something: configuration space, the registers, each queue of the
 * device's decoder. {@link farslot.analysis.diff.Alignment} pairs the items of each stream, and
 * {@link farslot.analysis.diff.DiffReport} says what differs. Begin with {@link
 * farslot.analysis.diff.TraceDiff}.
 */
package farslot.analysis.diff;

/**
 * Disk images behind emulated devices: {@link farslot.block.BlockImage} is what a device reads and
 * writes; {@link farslot.block.RawImage} is one, a file with the disk's bytes and nothing else.
 * Network block devices and overlays will be others.
 *
 * <p>Uses the JDK alone. Reaches fallocate(2) through java.lang.foreign where the module was given
 * native access ({@code --enable-native-access=farslot.block}); without it nothing fails, but
 * discarded ranges keep their room on the disk. Begin with {@code BlockImage}.
 */
package farslot.block;

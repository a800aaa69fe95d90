package farslot.bench;

/**
 * How fast a disk's data comes on one path. Its members are the {@code --json} of {@code farslot
 * bench}.
 *
 * @param path for people
 * @param megabytesPerSecond median of the rounds, 10^6 bytes
 * @param ratio to the device in the same process, in the same round
 */
public record Throughput(String path, double megabytesPerSecond, double ratio) {}

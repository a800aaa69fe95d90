package farslot.posix;

/**
 * Who was at the other end of a UNIX socket when it was connected, as the kernel vouches for:
 * SO_PEERCRED, unix(7).
 */
public record PeerCredentials(int pid, int uid, int gid) {}

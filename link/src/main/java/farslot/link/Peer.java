package farslot.link;

import java.util.List;

/**
 * Who is at the other end.
 *
 * @param identity what this side found out itself: "uid alice (pid 4711)" over a UNIX socket,
 *     "alice at ADDRESS" over TLS, the address and "insecure" over plain TCP
 * @param subject the name by which rights are given to it: {@code user:alice} over a UNIX socket,
 *     the certificate's name over TLS; empty where nothing is proven
 * @param name what the peer calls itself ("v1"); nothing proves it. May be empty
 * @param known whether {@code identity} is proven: by a UNIX socket's credentials or a certificate
 * @param uid the user id over a UNIX socket, else -1
 * @param pid the process id over a UNIX socket, else -1
 * @param address the computer that it speaks from, without a port; empty over a UNIX socket
 */
public record Peer(
        String identity,
        String subject,
        String name,
        boolean known,
        int uid,
        int pid,
        String address) {
    /** The same, as it calls itself. */
    Peer named(String itself) {
        return new Peer(identity, subject, itself, known, uid, pid, address);
    }

    void save(Composer to) {
        for (String text : List.of(identity, subject, name, address)) {
            to.text(text, Messages.MAX_SENTENCE_BYTES);
        }
        to.u8(known ? 1 : 0).u32(uid).u32(pid);
    }

    static Peer restore(Cursor from) throws BrokenFrameException {
        String identity = from.text(Messages.MAX_SENTENCE_BYTES);
        String subject = from.text(Messages.MAX_SENTENCE_BYTES);
        String name = from.text(Messages.MAX_SENTENCE_BYTES);
        String address = from.text(Messages.MAX_SENTENCE_BYTES);
        boolean known = from.u8() != 0;
        return new Peer(
                identity, subject, name, known, (int) from.u32(), (int) from.u32(), address);
    }

    /** For messages and logs: {@code "v1", uid alice (pid 4711)}. */
    @Override
    public String toString() {
        return name.isEmpty() ? identity : "\"" + name + "\", " + identity;
    }
}

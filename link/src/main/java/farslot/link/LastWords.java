package farslot.link;

import farslot.link.BrokenFrameException.Code;
import farslot.link.Messages.ErrorMessage;
import farslot.link.Messages.Goodbye;

/**
 * The last frame that a link sends.
 *
 * @param type 0 where there is none, and what was composed is all that is said
 */
@SuppressWarnings("ArrayRecordComponent") // compared nowhere
record LastWords(int type, byte[] payload) {
    /** Nothing more, to who would not understand it. */
    static final LastWords NONE = new LastWords(0, new byte[0]);

    static LastWords goodbye(int reason, String sentence) {
        return new LastWords(
                Goodbye.TYPE,
                new Composer().u16(reason).text(sentence, Messages.MAX_SENTENCE_BYTES).toBytes());
    }

    /**
     * @param type the offending message's, 0 where it is not known
     * @param last the number of the last frame that came
     */
    static LastWords error(Code code, int type, long last, String sentence) {
        return new LastWords(
                ErrorMessage.TYPE,
                new Composer()
                        .u16(code.number())
                        .u16(type)
                        .u32(0)
                        .u64(last)
                        .text(sentence, Messages.MAX_SENTENCE_BYTES)
                        .toBytes());
    }
}

package farslot.link;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a follower asks for.
 *
 * @param function whose recording
 * @param record whether to begin one, which ends with the link; else one that is there is followed
 * @param arguments by name; what they mean is the recorder's
 */
public record FollowRequest(String function, boolean record, Map<String, String> arguments) {
    public FollowRequest {
        arguments = Collections.unmodifiableMap(new LinkedHashMap<>(arguments));
    }
}

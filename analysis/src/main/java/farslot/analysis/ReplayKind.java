package farslot.analysis;

import farslot.recorder.TraceException;
import farslot.registers.RegisterMap;
import farslot.sdk.Device;
import farslot.sdk.DeviceCreationException;
import farslot.sdk.DeviceKind;
import farslot.sdk.Option;
import farslot.sdk.Options;
import java.util.List;

/** The kind "replay": {@code farslot lend replay,trace=FILE.fst}. */
public final class ReplayKind implements DeviceKind {
    private static final Option TRACE =
            Option.required("trace", Option.Type.PATH, "what the function answers from");

    /** For {@link java.util.ServiceLoader}. */
    public ReplayKind() {}

    @Override
    public String kind() {
        return "replay";
    }

    @Override
    public String summary() {
        return "answers as a trace has it, and says where a driver leaves its path";
    }

    @Override
    public List<Option> options() {
        return List.of(TRACE);
    }

    /** Its registers are those of the function that was recorded. */
    @Override
    public RegisterMap registerMap() {
        return RegisterMap.EMPTY;
    }

    @Override
    public Device create(Options options) throws DeviceCreationException {
        try {
            return new ReplayDevice(RecordedPath.open(options.path("trace")), null);
        } catch (TraceException e) {
            throw new DeviceCreationException(e.getMessage(), e);
        }
    }
}

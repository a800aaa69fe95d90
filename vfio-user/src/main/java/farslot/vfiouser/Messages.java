package farslot.vfiouser;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The layouts of vfio-user 0.0 as QEMU 11.1 speaks it, in the order of the specification (QEMU,
 * docs/interop/vfio-user.rst). Everything is in the machine's byte order. Offsets of fields are
 * from the payload's first byte, behind the header.
 */
final class Messages {
    static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    // Header: u16 id, u16 command, u32 size with header, u32 flags, u32 errno.
    static final int HEADER_BYTES = 16;
    static final int HEADER_ID = 0;
    static final int HEADER_COMMAND = 2;
    static final int HEADER_SIZE = 4;
    static final int HEADER_FLAGS = 8;
    static final int HEADER_ERRNO = 12;
    static final int TYPE_MASK = 0xf;
    static final int TYPE_COMMAND = 0;
    static final int TYPE_REPLY = 1;
    static final int FLAG_NO_REPLY = 0x10;
    static final int FLAG_ERROR = 0x20;

    /** The most data in one region access or DMA message of ours, told in VERSION. */
    static final int MAX_DATA_BYTES = 1 << 20;

    /** Header, the longest fixed part before data, data. */
    static final int MAX_MESSAGE_BYTES = HEADER_BYTES + 16 + MAX_DATA_BYTES;

    // VERSION, client to server: u16 major, u16 minor, JSON ending in NUL; reply the same.
    static final int VERSION = 1;
    static final int VERSION_MAJOR = 0;
    static final int VERSION_MINOR = 2;
    static final int VERSION_JSON = 4;

    // DMA_MAP, client to server: u32 argsz, u32 flags, u64 descriptor offset, u64 address,
    // u64 size; no or one descriptor. The reply is empty.
    static final int DMA_MAP = 2;
    static final int DMA_MAP_ARGSZ = 0;
    static final int DMA_MAP_FLAGS = 4;
    static final int DMA_MAP_OFFSET = 8;
    static final int DMA_MAP_ADDRESS = 16;
    static final int DMA_MAP_SIZE = 24;
    static final int DMA_MAP_BYTES = 32;

    // DMA_UNMAP, client to server: u32 argsz, u32 flags, u64 address, u64 size; reply the same.
    static final int DMA_UNMAP = 3;
    static final int DMA_UNMAP_ARGSZ = 0;
    static final int DMA_UNMAP_FLAGS = 4;
    static final int DMA_UNMAP_ADDRESS = 8;
    static final int DMA_UNMAP_SIZE = 16;
    static final int DMA_UNMAP_BYTES = 24;
    static final int DMA_UNMAP_DIRTY_BITMAP = 1;
    static final int DMA_UNMAP_ALL = 2;

    // DEVICE_GET_INFO, client to server: u32 argsz, u32 flags, u32 regions, u32 interrupts;
    // reply the same.
    static final int DEVICE_GET_INFO = 4;
    static final int DEVICE_INFO_ARGSZ = 0;
    static final int DEVICE_INFO_FLAGS = 4;
    static final int DEVICE_INFO_REGIONS = 8;
    static final int DEVICE_INFO_INTERRUPTS = 12;
    static final int DEVICE_INFO_BYTES = 16;
    static final int DEVICE_FLAG_RESET = 1;
    static final int DEVICE_FLAG_PCI = 2;

    // DEVICE_GET_REGION_INFO, client to server: u32 argsz, u32 flags, u32 index, u32 offset of
    // capabilities, u64 size, u64 offset in a descriptor; reply the same.
    static final int GET_REGION_INFO = 5;
    static final int REGION_INFO_ARGSZ = 0;
    static final int REGION_INFO_FLAGS = 4;
    static final int REGION_INFO_INDEX = 8;
    static final int REGION_INFO_CAPABILITIES = 12;
    static final int REGION_INFO_SIZE = 16;
    static final int REGION_INFO_OFFSET = 24;
    static final int REGION_INFO_BYTES = 32;
    static final int REGION_FLAG_READ = 1;
    static final int REGION_FLAG_WRITE = 2;

    /** BARs 0 to 5, ROM, configuration space, VGA. */
    static final int REGION_COUNT = 9;

    // DEVICE_GET_IRQ_INFO, client to server: u32 argsz, u32 flags, u32 index, u32 count;
    // reply the same.
    static final int GET_IRQ_INFO = 7;
    static final int IRQ_INFO_ARGSZ = 0;
    static final int IRQ_INFO_FLAGS = 4;
    static final int IRQ_INFO_INDEX = 8;
    static final int IRQ_INFO_COUNT = 12;
    static final int IRQ_INFO_BYTES = 16;
    static final int IRQ_FLAG_EVENTFD = 1;
    static final int IRQ_FLAG_MASKABLE = 2;
    static final int IRQ_FLAG_AUTOMASKED = 4;
    static final int IRQ_FLAG_NORESIZE = 8;
    static final int IRQ_INTX = 0;
    static final int IRQ_MSI = 1;
    static final int IRQ_MSIX = 2;
    static final int IRQ_ERR = 3;
    static final int IRQ_REQ = 4;
    static final int IRQ_COUNT = 5;

    // DEVICE_SET_IRQS, client to server: u32 argsz (with data), u32 flags, u32 index, u32 start,
    // u32 count, data; descriptors. The reply is empty.
    static final int SET_IRQS = 8;
    static final int SET_IRQS_ARGSZ = 0;
    static final int SET_IRQS_FLAGS = 4;
    static final int SET_IRQS_INDEX = 8;
    static final int SET_IRQS_START = 12;
    static final int SET_IRQS_VECTORS = 16;
    static final int SET_IRQS_DATA = 20;
    static final int IRQ_DATA_NONE = 1;
    static final int IRQ_DATA_BOOL = 2;
    static final int IRQ_DATA_EVENTFD = 4;
    static final int IRQ_DATA_MASK = 7;
    static final int IRQ_ACTION_MASK = 8;
    static final int IRQ_ACTION_UNMASK = 16;
    static final int IRQ_ACTION_TRIGGER = 32;

    // REGION_READ, client to server: u64 offset, u32 region, u32 count; reply the same and data.
    static final int REGION_READ = 9;

    // REGION_WRITE, client to server: u64 offset, u32 region, u32 count, data; reply the same
    // without data.
    static final int REGION_WRITE = 10;
    static final int REGION_ACCESS_OFFSET = 0;
    static final int REGION_ACCESS_REGION = 8;
    static final int REGION_ACCESS_COUNT = 12;
    static final int REGION_ACCESS_DATA = 16;

    // DMA_READ, server to client: u64 address, u64 count; reply the same and data.
    static final int DMA_READ = 11;

    // DMA_WRITE, server to client: u64 address, u64 count, data; reply the same without data.
    static final int DMA_WRITE = 12;
    static final int DMA_ADDRESS = 0;
    static final int DMA_COUNT = 8;
    static final int DMA_DATA = 16;

    // DEVICE_RESET, client to server: both empty.
    static final int DEVICE_RESET = 13;

    // REGION_WRITE_MULTI: only where VERSION agreed on it, which this server does not.
    static final int REGION_WRITE_MULTI = 15;

    // DEVICE_FEATURE, client to server: u32 argsz, u32 flags (low 16 bits the feature), data.
    static final int DEVICE_FEATURE = 16;

    private Messages() {}

    /** The name of a command for sentences. */
    static String name(int command) {
        return switch (command) {
            case VERSION -> "VERSION";
            case DMA_MAP -> "DMA_MAP";
            case DMA_UNMAP -> "DMA_UNMAP";
            case DEVICE_GET_INFO -> "DEVICE_GET_INFO";
            case GET_REGION_INFO -> "DEVICE_GET_REGION_INFO";
            case 6 -> "DEVICE_GET_REGION_IO_FDS";
            case GET_IRQ_INFO -> "DEVICE_GET_IRQ_INFO";
            case SET_IRQS -> "DEVICE_SET_IRQS";
            case REGION_READ -> "REGION_READ";
            case REGION_WRITE -> "REGION_WRITE";
            case DMA_READ -> "DMA_READ";
            case DMA_WRITE -> "DMA_WRITE";
            case DEVICE_RESET -> "DEVICE_RESET";
            case 14 -> "USER_DIRTY_PAGES";
            case REGION_WRITE_MULTI -> "REGION_WRITE_MULTI";
            case DEVICE_FEATURE -> "DEVICE_FEATURE";
            default -> "message " + command;
        };
    }

    /** Whether descriptors belong to messages of this command. */
    static boolean takesDescriptors(int command) {
        return command == DMA_MAP || command == SET_IRQS;
    }
}

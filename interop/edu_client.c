/*
 * A driver in C for QEMU's teaching device, edu, that is lent somewhere: borrows it, looks at its configuration space,
 * drives its registers, serves its DMA, takes its interrupts, and returns it.
 *
 *     gcc -O2 -o edu_client edu_client.c && ./edu_client --insecure 127.0.0.1:6727 e0
 *
 * Written from docs/protocol.md alone; numbers in parentheses are that document's sections. There is one link and one
 * thread: whatever waits, for an answer, credit or an interrupt, takes the frames that come. What goes wrong ends the
 * program with a sentence on stderr, and with it the lease.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum exit_code { GOOD, DEVICE_IS_WRONG, USAGE, NOT_LENT, PROTOCOL_BROKEN };
/* Frames (2); the codes of ERROR (7.1) and of DATA and DONE (7.3); kinds and actions (7.3). */
enum { HEADER = 32, LONGEST_FRAME = 0x101000, LONGEST_FIRST = 0x1000, LONGEST_DMA = 0x100000, CONFIGURATION = 7 };
enum { LINK, POSTED, NON_POSTED, COMPLETION };
enum code { BAD_FRAME = 1, UNKNOWN_TYPE, OUT_OF_STATE, BAD_VALUE, CREDIT_EXCEEDED, BAD_SEQUENCE, BAD_TAG = 8,
    BAD_DESCRIPTOR, UNSUPPORTED };
enum { SUCCESS, COMPLETER_ABORT = 4, UNSUPPORTED_ABILITY = 6, STALE_GENERATION = 7 };
enum interrupt_kind { INTX, MSI, MSIX };
enum { ENABLE = 1, UNMASK = 4 };
enum type { HELLO = 1, ALIVE, CREDIT, GOODBYE, ERROR, HELD, BORROW = 0x10, BORROWED, REFUSED, RETURN, WAITING,
    DESCRIBE = 0x20, READ = 0x22, DATA, WRITE, DONE, INTERRUPTS, MAP, UNMAP, ATOMIC = 0x2e, DMA_READ = 0x40, DMA_WRITE,
    INTERRUPT, EVENT, DMA_ATOMIC, DIFFERENCES, LIST = 0x60, OBSERVED = 0x65 };

/* Milliseconds (9), and the credit given in each account: frames, bytes (4). */
enum { HANDSHAKE = 3000, KEEP_ALIVE = 250, DEAD_AFTER = 5000, LAST_WORDS = 500, PATIENCE = 10000 };
#define TEXT_AT(at) (int)number(frame + (at), 2), (const char *)frame + (at) + 2 /* for %.*s */
static const uint64_t GIVEN[2] = { 64, 2 * LONGEST_FRAME };

/* What a client takes (7): its class; its fixed length, with the header; how many texts follow. */
enum rest { NOTHING, TEXT, TEXTS, BYTES };
static const struct message { uint8_t type, traffic, length; enum rest rest; const char *name; } TAKES[] = {
    { HELLO, LINK, 104, TEXTS, "HELLO" }, { ALIVE, LINK, 32, NOTHING, "KEEP_ALIVE" },
    { CREDIT, LINK, 80, NOTHING, "CREDIT" }, { GOODBYE, LINK, 34, TEXT, "GOODBYE" },
    { ERROR, LINK, 48, TEXT, "ERROR" }, { HELD, LINK, 40, NOTHING, "HELD" },
    { BORROWED, COMPLETION, 96, BYTES, "BORROWED" }, { REFUSED, COMPLETION, 34, TEXT, "REFUSED" },
    { DATA, COMPLETION, 40, BYTES, "DATA" }, { DONE, COMPLETION, 40, NOTHING, "DONE" },
    { DMA_READ, NON_POSTED, 48, NOTHING, "DMA_READ" }, { DMA_WRITE, POSTED, 40, BYTES, "DMA_WRITE" },
    { INTERRUPT, POSTED, 40, NOTHING, "INTERRUPT" }, { EVENT, POSTED, 56, TEXT, "EVENT" },
    { DMA_ATOMIC, NON_POSTED, 48, BYTES, "DMA_ATOMIC" }, { WAITING, LINK, 40, TEXT, "WAITING" },
};

/* The link. Totals are in CREDIT's order: posted frames and bytes, non-posted, completion. */
static int connection = -1;
static enum { CONNECTED, OPEN, LENT } state;
static uint64_t sent, received, used[6], allowed[6], their_use[6], freed[6], given[6];
static uint32_t generation, last_tag, wanted_tag;
static int64_t wrote_at, silence_ends;
/* Answers to the lender that wait for credit: no more than it has credit for requests. */
static struct answer { enum type type; uint32_t tag; size_t length; uint8_t *body; } answers[64];
static unsigned first_answer, waiting_answers;
static uint8_t frame[LONGEST_FRAME]; /* the last that came */

/* What the lender describes: regions by index (absent ones have size 0), vectors by kind; how many interrupts came. */
static struct region { uint64_t size; bool posted; } regions[8];
static uint32_t vectors[3], interrupts[3];

/* The driver's memory that the function may reach, once it is mapped. */
enum { MEMORY_AT = 0x100000, MEMORY_BYTES = 0x4000 };
static uint8_t memory[MEMORY_BYTES];
static bool mapped;

/* Little-endian numbers of 1 to 8 bytes; put returns what is behind. */
static uint64_t number(const uint8_t *at, unsigned bytes) {
    uint64_t value = 0;
    while (bytes-- > 0)
        value = value << 8 | at[bytes];
    return value;
}

static uint8_t *put(uint8_t *at, uint64_t value, unsigned bytes) {
    for (; bytes > 0; bytes--, value >>= 8)
        *at++ = (uint8_t)value;
    return at;
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

__attribute__((noreturn, format(printf, 2, 3)))
static void fail(enum exit_code code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("edu_client: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(code);
}

static void write_all(const uint8_t *bytes, size_t count) {
    while (count > 0) {
        struct pollfd writable = { .fd = connection, .events = POLLOUT };
        if (poll(&writable, 1, 4 * DEAD_AFTER) == 0)
            fail(NOT_LENT, "The lender does not read what it is sent.");
        ssize_t some = write(connection, bytes, count);
        if (some < 0)
            fail(NOT_LENT, "The connection is lost: %s.", strerror(errno));
        bytes += some;
        count -= (size_t)some;
    }
}

static void write_frame(enum type type, unsigned traffic, uint32_t tag, const uint8_t *body, size_t length) {
    uint8_t header[HEADER];
    uint8_t *at = put(put(put(header, HEADER + length, 4), type, 2), traffic, 2);
    put(put(put(put(at, generation, 4), tag, 4), ++sent, 8), received, 8);
    write_all(header, HEADER);
    write_all(body, length);
    wrote_at = now();
}

/* GOODBYE or ERROR, then up to 500 ms for the lender to close (5). */
static void end_link(enum type type, const uint8_t *body, size_t length) {
    struct pollfd readable = { .fd = connection, .events = POLLIN };
    write_frame(type, LINK, 0, body, length);
    shutdown(connection, SHUT_WR);
    for (int64_t end = now() + LAST_WORDS, left; (left = end - now()) > 0;)
        if (poll(&readable, 1, (int)left) <= 0 || read(connection, frame, sizeof frame) <= 0)
            break;
}

/* Where the lender broke the protocol (8) it is told, and so is the user. */
static void insist(bool right, enum code code, const char *name, const char *what) {
    if (right)
        return;
    char sentence[200];
    unsigned type = (unsigned)number(frame + 4, 2);
    size_t length = (size_t)snprintf(sentence, sizeof sentence, "%s (0x%x) %s.", name, type, what);
    fprintf(stderr, "edu_client: The lender broke the protocol: %s\n", sentence);
    uint8_t body[18 + sizeof sentence], *at = put(put(put(body, code, 2), type, 2), 0, 4);
    memcpy(put(put(at, received, 8), length, 2), sentence, length);
    end_link(ERROR, body, 18 + length);
    exit(PROTOCOL_BROKEN);
}

/* Credit (4). */
static void spend(uint64_t *account, unsigned traffic, uint64_t length) {
    account[2 * traffic - 2] += 1;
    account[2 * traffic - 1] += length;
}

static bool affordable(unsigned traffic, uint64_t length) {
    unsigned at = 2 * traffic - 2;
    return used[at] + 1 <= allowed[at] && used[at + 1] + length <= allowed[at + 1];
}

static void tell_credit(void) {
    uint8_t body[48];
    bool due = false;
    for (unsigned i = 0; i < 6; i++)
        due = due || 2 * (freed[i] + GIVEN[i % 2] - given[i]) >= GIVEN[i % 2];
    for (unsigned i = 0; i < 6 && due; i++)
        put(body + 8 * i, given[i] = freed[i] + GIVEN[i % 2], 8);
    if (due)
        write_frame(CREDIT, LINK, 0, body, sizeof body);
}

static void send_answers(void) {
    while (waiting_answers > 0 && affordable(COMPLETION, HEADER + answers[first_answer].length)) {
        struct answer *answer = &answers[first_answer];
        spend(used, COMPLETION, HEADER + answer->length);
        write_frame(answer->type, COMPLETION, answer->tag, answer->body, answer->length);
        free(answer->body);
        first_answer = (first_answer + 1) % 64;
        waiting_answers--;
    }
}

/* What is answered late is given back late, so that the lender's credit bounds the queue. */
static void answer(enum type type, uint32_t tag, unsigned status, const uint8_t *data, size_t count) {
    uint8_t *body = calloc(1, 8 + count);
    if (!body)
        fail(NOT_LENT, "There is no memory for an answer.");
    body[0] = (uint8_t)status;
    if (count > 0)
        memcpy(body + 8, data, count);
    answers[(first_answer + waiting_answers++) % 64] = (struct answer){ type, tag, 8 + count, body };
}

/* Shows life while nothing comes, and gives a silent lender up (5). */
static void read_all(uint8_t *bytes, size_t count) {
    while (count > 0) {
        struct pollfd readable = { .fd = connection, .events = POLLIN };
        if (state != CONNECTED && now() - wrote_at > KEEP_ALIVE / 2)
            write_frame(ALIVE, LINK, 0, NULL, 0);
        bool silent = poll(&readable, 1, KEEP_ALIVE / 4) <= 0;
        if (now() > silence_ends && (silent || state == CONNECTED))
            fail(NOT_LENT, "The lender has said nothing for too long.");
        if (silent)
            continue;
        ssize_t some = read(connection, bytes, count);
        if (some <= 0)
            fail(NOT_LENT, "The lender closed the connection: %s.", some < 0 ? strerror(errno) : "no more comes");
        bytes += some;
        count -= (size_t)some;
        if (state != CONNECTED)
            silence_ends = now() + DEAD_AFTER;
    }
}

/* Checks a header and its place in the stream (2, 8). */
static const struct message *check_header(void) {
    uint64_t length = number(frame, 4);
    unsigned type = (unsigned)number(frame + 4, 2), flags = frame[6], traffic = flags & 3;
    uint32_t tag = (uint32_t)number(frame + 12, 4);
    const struct message *message = NULL;
    for (size_t i = 0; i < sizeof TAKES / sizeof *TAKES; i++)
        message = TAKES[i].type == type ? &TAKES[i] : message;
    const char *name = message ? message->name : "A frame";
    bool known = message || (type >= 7 && type <= 8) || (type >= BORROW && type <= WAITING) || type == DIFFERENCES
        || (type >= DESCRIBE && type <= ATOMIC) || (type >= LIST && type <= OBSERVED);
    insist(known, UNKNOWN_TYPE, name, "is not in version 1");
    uint64_t longest = state == CONNECTED ? LONGEST_FIRST : LONGEST_FRAME;
    insist(length >= HEADER && length <= longest, BAD_FRAME, name, "is too short or too long");
    insist(!(flags & 0x70) && type != DIFFERENCES, UNSUPPORTED, name, "is or has what is reserved");
    insist(message, OUT_OF_STATE, name, "was not asked for");
    insist(traffic == message->traffic && !(flags & 0x8c), BAD_FRAME, name, "has wrong flags");
    longest = message->rest == NOTHING ? message->length : longest;
    insist(length >= message->length && length <= longest, BAD_FRAME, name, "has an impossible length");
    insist(frame[7] == 0, BAD_DESCRIPTOR, name, "announces a descriptor");
    insist(number(frame + 16, 8) == received + 1, BAD_SEQUENCE, name, "is out of sequence");
    insist(number(frame + 24, 8) <= sent, BAD_SEQUENCE, name, "acknowledges what was not sent");
    bool tagged = traffic >= NON_POSTED || type == HELD || type == WAITING;
    insist((tag != 0) == tagged, BAD_TAG, name, "has a bad tag");
    insist(traffic != COMPLETION || tag == wanted_tag, BAD_TAG, name, "answers nothing");
    insist((type == HELLO) == (state == CONNECTED), OUT_OF_STATE, name, "is HELLO, or before it");
    insist(traffic == LINK || traffic == COMPLETION || state == LENT, OUT_OF_STATE, name, "comes before BORROWED");
    return message;
}

/* Checks a text of UTF-8 (RFC 3629) that begins here, blanks its control characters, and returns where it ends. */
static uint64_t check_text(const char *name, uint64_t at, uint64_t length, unsigned most) {
    uint64_t end = at + 2 <= length ? at + 2 + number(frame + at, 2) : length + 1;
    insist(end <= length, BAD_FRAME, name, "has a text that passes its end");
    insist(end - at - 2 <= most, BAD_VALUE, name, "has a text above its limit");
    for (at += 2; at < end; at++) {
        uint8_t lead = frame[at], next = at + 1 < end ? frame[at + 1] : 0;
        unsigned more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
        frame[at] = lead < 0x20 || lead == 0x7f ? ' ' : lead;
        bool right = more == 0 || (lead >= 0xc2 && lead < 0xf5 && at + more < end
            && !(lead == 0xe0 && next < 0xa0) && !(lead == 0xed && next > 0x9f)
            && !(lead == 0xf0 && next < 0x90) && !(lead == 0xf4 && next > 0x8f));
        while (right && more-- > 0)
            right = (frame[++at] & 0xc0) == 0x80;
        insist(right, BAD_FRAME, name, "has a text that is not UTF-8");
    }
    return end;
}

/* What the lender allows from now on, in HELLO or CREDIT; a smaller total than before is ignored. */
static void take_credit(const uint8_t *at, uint64_t least_frames, uint64_t least_bytes) {
    for (unsigned i = 0; i < 6; i++, at += 8) {
        uint64_t total = number(at, 8);
        insist(total >= (i % 2 ? least_bytes : least_frames), BAD_VALUE, "HELLO", "gives too little credit");
        allowed[i] = total > allowed[i] ? total : allowed[i];
    }
}

static void take_hello(void) {
    bool lively = 2 * number(frame + 44, 4) <= DEAD_AFTER && number(frame + 48, 4) >= 2 * KEEP_ALIVE;
    insist(lively && number(frame + 40, 4) >= LONGEST_FRAME && frame[52] == 2, BAD_VALUE, "HELLO", "is impossible");
    take_credit(frame + 56, 16, LONGEST_FRAME);
    state = OPEN;
    silence_ends = now() + DEAD_AFTER;
}

/* DMA reaches what is mapped, in the generation that is known; the rest is refused (6, 7.4). */
static void take_dma(enum type type, uint32_t tag, uint32_t in_generation, uint64_t length) {
    uint64_t address = number(frame + 32, 8), count = type == DMA_READ ? number(frame + 40, 4) : length - 40;
    insist(count >= 1 && count <= LONGEST_DMA, BAD_VALUE, "DMA", "is of no bytes, or of too many");
    bool inside = mapped && count <= MEMORY_BYTES && address - MEMORY_AT <= MEMORY_BYTES - count;
    unsigned status = in_generation != generation ? STALE_GENERATION : inside ? SUCCESS : COMPLETER_ABORT;
    if (status != SUCCESS)
        fprintf(stderr, "edu_client: DMA of 0x%llx bytes at 0x%llx is refused: status %u.\n",
            (unsigned long long)count, (unsigned long long)address, status);
    uint8_t *there = inside ? memory + (address - MEMORY_AT) : NULL;
    if (type == DMA_READ)
        answer(DATA, tag, status, there, status == SUCCESS ? count : 0);
    else if (status == SUCCESS)
        memcpy(there, frame + 40, count);
}

/* Takes one frame, whole, and does what it says. What answers a request stays in `frame`. */
static void take_frame(void) {
    read_all(frame, HEADER);
    const struct message *message = check_header();
    uint64_t length = number(frame, 4), end = message->length;
    uint32_t its_generation = (uint32_t)number(frame + 8, 4), tag = (uint32_t)number(frame + 12, 4);
    read_all(frame + HEADER, length - HEADER);
    received++;
    for (unsigned i = 0; message->rest != BYTES && i < (unsigned)message->rest; i++)
        end = check_text(message->name, end, length, message->rest == TEXTS ? 255 : 1024);
    insist(message->rest == BYTES || end == length, BAD_FRAME, message->name, "goes on too long");
    if (message->traffic != LINK) {
        spend(their_use, message->traffic, length);
        for (unsigned i = 0; i < 6; i++)
            insist(their_use[i] <= given[i], CREDIT_EXCEEDED, message->name, "has no credit");
        generation = its_generation > generation ? its_generation : generation;
    }
    switch (message->type) {
    case HELLO: take_hello(); break;
    case CREDIT: take_credit(frame + 32, 0, 0); break;
    case GOODBYE: fail(NOT_LENT, "The lender has ended the link: %.*s", TEXT_AT(34));
    case ERROR: fail(PROTOCOL_BROKEN, "The lender found an error of ours: %.*s", TEXT_AT(48));
    case DMA_READ: case DMA_WRITE: take_dma(message->type, tag, its_generation, length); break;
    case DMA_ATOMIC: answer(DONE, tag, UNSUPPORTED_ABILITY, NULL, 0); break;
    case INTERRUPT:
        insist(frame[32] <= MSIX, BAD_VALUE, "INTERRUPT", "is of no kind");
        insist(number(frame + 34, 2) < vectors[frame[32]], BAD_VALUE, "INTERRUPT", "is of no vector of the function");
        interrupts[frame[32]] += its_generation == generation;
        break;
    case EVENT:
        insist(frame[32] != 6 || (frame[33] >= 1 && frame[33] <= 3), BAD_VALUE, "EVENT", "is a reset of no kind");
        fprintf(stderr, "edu_client: event %u: %.*s\n", frame[32], TEXT_AT(56));
        break;
    }
    if (message->traffic == COMPLETION)
        wanted_tag = 0;
    if (message->traffic != LINK)
        spend(freed, message->traffic, length);
    send_answers();
    if (waiting_answers == 0)
        tell_credit();
}

static void send_frame(enum type type, unsigned traffic, const uint8_t *body, size_t length) {
    while (!affordable(traffic, HEADER + length))
        take_frame();
    if (traffic == NON_POSTED)
        wanted_tag = ++last_tag;
    spend(used, traffic, HEADER + length);
    write_frame(type, traffic, wanted_tag, body, length);
}

/* Sends a request and waits for its answer: of this type, and with so many bytes of data. */
static void ask(enum type type, enum type wanted, uint64_t bytes, const uint8_t *body, size_t length) {
    int64_t end = now() + PATIENCE;
    send_frame(type, NON_POSTED, body, length);
    while (wanted_tag != 0) {
        if (now() > end)
            fail(NOT_LENT, "The lender has not answered message 0x%x.", type);
        take_frame();
    }
    unsigned came = (unsigned)number(frame + 4, 2), status = frame[32];
    uint64_t count = number(frame, 4) - 40;
    if (came == REFUSED && type == BORROW)
        fail(NOT_LENT, "The lender refuses: %.*s", TEXT_AT(34));
    insist(came == wanted, OUT_OF_STATE, "An answer", "is not of the type that was asked for");
    if (came != DATA && came != DONE)
        return;
    bool right = status <= STALE_GENERATION && (came == DONE || count == (status ? 0 : bytes));
    insist(right, BAD_VALUE, "An answer", "has an impossible status or length");
    if (status != SUCCESS)
        fail(DEVICE_IS_WRONG, "Message 0x%x was answered with status %u.", type, status);
}

static uint64_t read_region(unsigned region, uint64_t offset, unsigned width) {
    uint8_t body[16] = { (uint8_t)region, (uint8_t)width };
    put(put(body + 4, width, 4), offset, 8);
    ask(READ, DATA, width, body, sizeof body);
    return number(frame + 40, width);
}

static void write_region(unsigned region, uint64_t offset, unsigned width, uint64_t value) {
    uint8_t body[32] = { (uint8_t)region, (uint8_t)width };
    put(put(put(put(body + 4, width, 4), offset, 8), UINT64_MAX, 8), value, width);
    if (regions[region].posted)
        send_frame(WRITE, POSTED, body, 24 + width);
    else
        ask(WRITE, DONE, 0, body, 24 + width);
}

static void set_interrupts(enum interrupt_kind kind, unsigned action) {
    uint8_t body[8] = { (uint8_t)kind, (uint8_t)action };
    put(body + 4, vectors[kind], 2);
    send_frame(INTERRUPTS, POSTED, body, sizeof body);
}

/* Lets the function read and write the driver's memory by DMA. */
static void map_memory(void) {
    uint8_t body[32] = { 0 };
    put(put(put(put(body, MEMORY_AT, 8), MEMORY_BYTES, 8), 0, 8), 1 << 8 | 3, 8);
    send_frame(MAP, POSTED, body, sizeof body);
    mapped = true;
}

static void await_interrupt(enum interrupt_kind kind, unsigned count) {
    for (int64_t end = now() + PATIENCE; interrupts[kind] < count;) {
        if (now() > end)
            fail(DEVICE_IS_WRONG, "The device has not interrupted.");
        take_frame();
    }
}

/* By TCP or to a UNIX socket (1). */
static void open_connection(const char *where) {
    char host[256], *port;
    struct sockaddr_un path = { .sun_family = AF_UNIX };
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL, *each, near = {
        .ai_family = AF_UNIX, .ai_addrlen = sizeof path, .ai_addr = (struct sockaddr *)&path };
    if (!strchr(where, '/')) {
        if (snprintf(host, sizeof host, "%s", where) >= (int)sizeof host || !(port = strrchr(host, ':')))
            fail(USAGE, "%s is no HOST:PORT and no path.", where);
        *port++ = 0;
        int error = getaddrinfo(host, port, &hints, &found);
        if (error != 0)
            fail(NOT_LENT, "%s is not known: %s.", where, gai_strerror(error));
    }
    snprintf(path.sun_path, sizeof path.sun_path, "%s", where);
    for (each = found ? found : &near; each; each = each->ai_next) {
        connection = socket(each->ai_family, SOCK_STREAM, 0);
        if (connect(connection, each->ai_addr, each->ai_addrlen) == 0)
            break;
    }
    if (!each)
        fail(NOT_LENT, "Nobody lends at %s: %s.", where, strerror(errno));
    int on = 1; /* where there is no TCP it has no effect */
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (found)
        freeaddrinfo(found);
}

static void connect_to(const char *where) {
    signal(SIGPIPE, SIG_IGN);
    open_connection(where);
    static const uint8_t preamble[16] = "FARSLOT\n\1";
    uint8_t body[72 + 22] = { 0 }, *at = put(body + 8, LONGEST_FRAME, 4), come[16];
    put(put(put(at, KEEP_ALIVE, 4), DEAD_AFTER, 4), 1, 4);
    for (unsigned i = 0; i < 6; i++)
        put(body + 24 + 8 * i, given[i] = GIVEN[i % 2], 8);
    memcpy(body + 72, "\6\0c-slot\14\0edu_client.c", 22);
    silence_ends = now() + HANDSHAKE;
    write_all(preamble, sizeof preamble);
    write_frame(HELLO, LINK, 0, body, sizeof body);
    for (unsigned i = 0; i < 16; i++) {
        read_all(come + i, 1);
        if (i < 8 && come[i] != preamble[i])
            fail(PROTOCOL_BROKEN, "That is no Farslot: byte %u is 0x%02x.", i, come[i]);
    }
    if (number(come + 8, 2) != 1)
        fail(PROTOCOL_BROKEN, "The lender speaks version %u of the protocol, not 1.", come[8] + 256u * come[9]);
    take_frame();
}

/* Takes the lease (7.2). Returns the vendor in the low half, the device in the high one. */
static uint32_t borrow(const char *name) {
    uint8_t body[10 + 255] = { 0 };
    size_t length = strlen(name);
    memcpy(put(body + 8, length, 2), name, length);
    ask(BORROW, BORROWED, 0, body, 10 + length);
    uint64_t epoch = number(frame + 32, 8), frame_length = number(frame, 4);
    unsigned count = (unsigned)number(frame + 84, 2);
    uint64_t kind = 96 + 24 * count + 8 * number(frame + 86, 2), kind_ends;
    insist(count >= 1 && count <= 8, BAD_VALUE, "BORROWED", "describes no regions, or too many");
    kind_ends = check_text("BORROWED", kind, frame_length, 64);
    insist(kind_ends == frame_length, BAD_FRAME, "BORROWED", "does not end with its description");
    for (const uint8_t *at = frame + 96; at < frame + 96 + 24 * count; at += 24) {
        uint64_t size = number(at + 8, 8), longest = number(at + 16, 4);
        bool sized = size > 0 && (size & (size - 1)) == 0 && longest >= 1 && longest <= LONGEST_DMA;
        bool right = sized && at[0] < 8 && at[1] <= 2 && regions[at[0]].size == 0;
        insist(right, BAD_VALUE, "BORROWED", "describes an impossible region");
        regions[at[0]] = (struct region){ size, at[1] == 0 };
    }
    insist(regions[CONFIGURATION].size == 4096, BAD_VALUE, "BORROWED", "lacks region 7");
    vectors[INTX] = frame[77] != 0;
    vectors[MSI] = (uint32_t)number(frame + 80, 2);
    vectors[MSIX] = (uint32_t)number(frame + 82, 2);
    state = LENT;
    printf("%s is borrowed: kind %.*s, epoch %llu, generation %u\n", name, TEXT_AT(kind),
        (unsigned long long)epoch, (unsigned)generation);
    return (uint32_t)number(frame + 64, 4);
}

static void give_back(const char *name) {
    const uint8_t all[16] = { 0 }, done[4] = { 1 };
    ask(UNMAP, DONE, 0, all, sizeof all);
    mapped = false;
    ask(RETURN, DONE, 0, NULL, 0);
    end_link(GOODBYE, done, sizeof done);
    printf("%s is returned\n", name);
}

/* The device: PCI 3.0, 6.1 and 6.8.1, and QEMU's docs/specs/edu.rst. */

static void check(bool right, const char *what) {
    if (!right)
        fail(DEVICE_IS_WRONG, "The device is wrong: its %s.", what);
    printf("  %s: right\n", what);
}

/* Shows the header, makes the function a bus master, and returns where its MSI capability is. */
static unsigned look_at_configuration(void) {
    uint8_t space[64];
    for (unsigned at = 0; at < sizeof space; at++) {
        space[at] = (uint8_t)read_region(CONFIGURATION, at, 1);
        printf("%s %02x%s", at % 16 == 0 ? "configuration" : "", space[at], at % 16 == 15 ? "\n" : "");
    }
    check(number(space, 4) == 0x11e81234, "vendor and device");
    check(number(space + 8, 4) == 0x00ff0010, "class and revision");
    write_region(CONFIGURATION, 4, 2, 6);
    check((read_region(CONFIGURATION, 4, 2) & 6) == 6, "command register");
    unsigned capability = space[0x34];
    for (int i = 0; i < 48 && capability >= 64 && read_region(CONFIGURATION, capability, 1) != 5; i++)
        capability = (unsigned)read_region(CONFIGURATION, capability + 1, 1);
    check(capability >= 64 && vectors[MSI] > 0 && vectors[INTX] > 0, "interrupts' description");
    return capability;
}

static void drive_registers(void) {
    check(read_region(0, 0x00, 4) == 0x010000ed, "identification");
    write_region(0, 0x04, 4, 0x12345678);
    check(read_region(0, 0x04, 4) == 0xedcba987, "liveness");
    write_region(0, 0x08, 4, 12);
    for (int64_t end = now() + PATIENCE; read_region(0, 0x20, 4) & 1;)
        check(now() < end, "end of a factorial");
    check(read_region(0, 0x08, 4) == 479001600, "factorial of 12");
}

/* Copies with an interrupt at the end: bit 1 of the command is the direction, to memory. */
static void transfer(enum interrupt_kind kind, uint64_t source, uint64_t destination, unsigned command) {
    const uint64_t values[4] = { source, destination, MEMORY_BYTES / 4, command | 5 };
    uint32_t awaited = interrupts[kind] + 1;
    for (unsigned i = 0; i < 4; i++)
        write_region(0, 0x80 + 8 * i, 8, values[i]);
    await_interrupt(kind, awaited);
    check(read_region(0, 0x24, 4) == 0x100, "interrupt status after DMA");
    write_region(0, 0x64, 4, 0x100);
    check((read_region(0, 0x98, 8) & 1) == 0, "end of DMA");
    if (kind == INTX)
        set_interrupts(INTX, UNMASK);
}

static void drive(const char *title, enum interrupt_kind kind) {
    printf("by %s:\n", title);
    set_interrupts(kind, ENABLE);
    unsigned before = interrupts[kind];
    write_region(0, 0x60, 4, 0x30);
    await_interrupt(kind, before + 1);
    check(read_region(0, 0x24, 4) == 0x30, "interrupt status");
    write_region(0, 0x64, 4, 0x10);
    if (kind == INTX) { /* still asserted, so that the end of the interrupt is a new one */
        set_interrupts(INTX, UNMASK);
        await_interrupt(INTX, before + 2);
    }
    write_region(0, 0x64, 4, 0x20);
    check(read_region(0, 0x24, 4) == 0, "interrupt status after acknowledgement");
    if (kind == INTX)
        set_interrupts(INTX, UNMASK);
    const size_t count = MEMORY_BYTES / 4;
    for (size_t i = 0; i < count; i++)
        memory[i] = (uint8_t)(i * 7 + kind + 1);
    transfer(kind, MEMORY_AT, 0x40000, 0);
    transfer(kind, 0x40000, MEMORY_AT + 2 * count, 2);
    check(memcmp(memory, memory + 2 * count, count) == 0, "DMA to the device and back");
    static const uint8_t zeros[MEMORY_BYTES / 4];
    check(memcmp(memory + count, zeros, count) == 0, "memory behind the source");
    check(memcmp(memory + 3 * count, zeros, count) == 0, "memory behind the destination");
}

int main(int argc, char **argv) {
    bool insecure = argc > 1 && strcmp(argv[1], "--insecure") == 0;
    char **words = argv + 1 + insecure;
    if (argc - 1 - insecure != 2 || words[0][0] == '-' || strlen(words[1]) > 255)
        fail(USAGE, "usage: edu_client [--insecure] HOST:PORT|PATH FUNCTION: tries the edu that is lent there.");
    if (!insecure && !strchr(words[0], '/'))
        fail(USAGE, "TCP is not protected: say --insecure on a network that you trust.");
    setvbuf(stdout, NULL, _IOLBF, 0);
    connect_to(words[0]);
    if (borrow(words[1]) != 0x11e81234 || regions[0].size == 0)
        fail(NOT_LENT, "%s is not edu, 1234:11e8.", words[1]);
    unsigned msi = look_at_configuration();
    drive_registers();
    map_memory();
    drive("INTx", INTX);
    write_region(CONFIGURATION, msi + 2, 2, 1);
    drive("MSI", MSI);
    give_back(words[1]);
    return GOOD;
}

/* A frame's schedule: transfer descriptors and queue heads (design guide, chapter 3).
 *
 * All of it is the guest's, so a frame ends after so many bytes on the cable, as a real one, and
 * after so many links, should a list go round with nothing to do. */
#include "little_endian.h"
#include "uhci_internal.h"

/* Bytes of a frame at 12 Mb/s; a transaction has tokens, handshake and gaps besides its data
 * (USB 1.1, 5.10). At low speed everything takes eight times as long. */
enum { FRAME_BYTES = 1500, TRANSACTION_BYTES = 13, LOW_SPEED_FACTOR = 8 };
enum { LINKS_MOST = 512 };

/* A link (3.1 to 3.3). */
enum { LINK_END = 1, LINK_QUEUE = 2, LINK_DEPTH = 4 };
#define LINK_ADDRESS 0xFFFFFFF0u

/* Control and status of a transfer descriptor (3.2.2), and its token (3.2.3). */
enum {
    TD_LENGTH = 0x7FF,
    TD_TIMED_OUT = 1 << 18,
    TD_NAK = 1 << 19,
    TD_BABBLE = 1 << 20,
    TD_STALLED = 1 << 22,
    TD_ACTIVE = 1 << 23,
    TD_STATUS = 0xFE0000,
    TD_INTERRUPT = 1 << 24,
    TD_ERRORS_SHIFT = 27,
    TD_ERRORS = 3 << TD_ERRORS_SHIFT,
    TD_SHORT_PACKET = 1 << 29,
    TD_ADDRESS_SHIFT = 8,
    TD_ENDPOINT_SHIFT = 15,
    TD_SIZE_SHIFT = 21,
    TD_SIZE_LONGEST = 0x4FF,
};

typedef struct Descriptor {
    uint32_t link, control, token, buffer;
} Descriptor;

typedef enum Outcome {
    OUTCOME_WAITS,    /* the queue goes on in another frame */
    OUTCOME_DONE,     /* the queue advances */
    OUTCOME_FINISHED, /* inactive, and the queue stands */
    OUTCOME_FATAL,    /* the controller stops */
} Outcome;

/* --- memory ------------------------------------------------------------------------------------
 */

/* Bus cycles that no memory answers end the controller's work (2.1.2): devices are not for it. */
static bool is_memory(Uhci *uhci, uint32_t address, uint32_t size) {
    if (size > 0 && (address > UINT32_MAX - (size - 1) ||
                     physical_map_find_mmio(uhci->context.memory, address) != NULL ||
                     physical_map_find_mmio(uhci->context.memory, address + size - 1) != NULL)) {
        uhci->state.status |= UHCI_SYSTEM_ERROR;
        return false;
    }
    return true;
}

static bool read_words(Uhci *uhci, uint32_t address, uint32_t *words, unsigned count) {
    uint8_t bytes[16];
    if (!is_memory(uhci, address, 4 * count))
        return false;
    physical_read_bytes(uhci->context.memory, address, bytes, 4 * count);
    for (unsigned i = 0; i < count; i++)
        words[i] = load_le32(bytes + 4 * i);
    return true;
}

static bool write_word(Uhci *uhci, uint32_t address, uint32_t word) {
    uint8_t bytes[4];
    if (!is_memory(uhci, address, sizeof(bytes)))
        return false;
    store_le32(bytes, word);
    physical_write_bytes(uhci->context.memory, address, bytes, sizeof(bytes));
    return true;
}

/* --- a transaction -----------------------------------------------------------------------------
 */

/* Every device on an enabled port hears it; the one with the address answers. */
static UsbAnswer transact(Uhci *uhci) {
    for (unsigned i = 0; i < UHCI_PORTS; i++) {
        uint16_t port = uhci->state.port[i];
        if (!(port & UHCI_PORT_ENABLED) || (port & (UHCI_PORT_SUSPENDED | UHCI_PORT_RESET)))
            continue;
        UsbDevice *device = uhci_device(uhci, i);
        if (device == NULL)
            continue;
        UsbAnswer answer = device->transact(device->opaque, &uhci->transaction);
        if (answer != USB_SILENT)
            return answer;
    }
    return USB_SILENT;
}

static Outcome end_with_error(Uhci *uhci, Descriptor *td, uint32_t bits) {
    td->control = (td->control & ~(uint32_t)TD_ACTIVE) | TD_STALLED | bits;
    uhci->state.status |= UHCI_ERROR;
    return OUTCOME_FINISHED;
}

/* Nobody answered. A count of errors that begins with 0 has no end (3.2.2). */
static Outcome end_in_silence(Uhci *uhci, Descriptor *td) {
    uint32_t errors = (td->control & TD_ERRORS) >> TD_ERRORS_SHIFT;
    td->control |= TD_TIMED_OUT;
    if (errors == 0)
        return OUTCOME_WAITS;
    td->control -= 1u << TD_ERRORS_SHIFT;
    return errors == 1 ? end_with_error(uhci, td, 0) : OUTCOME_WAITS;
}

static Outcome end_well(Uhci *uhci, Descriptor *td, uint32_t room) {
    uint32_t size = uhci->transaction.size;
    td->control = (td->control & ~(uint32_t)(TD_ACTIVE | TD_LENGTH)) | ((size - 1) & TD_LENGTH);
    if (uhci->transaction.token != USB_IN || size >= room || !(td->control & TD_SHORT_PACKET))
        return OUTCOME_DONE;
    uhci->state.status |= UHCI_INTERRUPT;
    uhci->state.causes |= UHCI_ON_SHORT;
    return OUTCOME_FINISHED;
}

static Outcome take_answer(Uhci *uhci, Descriptor *td, UsbAnswer answer, uint32_t room) {
    const UsbTransaction *transaction = &uhci->transaction;
    switch (answer) {
    case USB_NAK:
        td->control |= TD_NAK;
        return OUTCOME_WAITS;
    case USB_STALL:
        return end_with_error(uhci, td, 0);
    case USB_ACK:
        if (transaction->token == USB_IN) {
            if (transaction->size > room)
                return end_with_error(uhci, td, TD_BABBLE);
            if (!is_memory(uhci, td->buffer, transaction->size))
                return OUTCOME_FATAL;
            physical_write_bytes(uhci->context.memory, td->buffer, transaction->bytes,
                                 transaction->size);
        }
        return end_well(uhci, td, room);
    default:
        return end_in_silence(uhci, td);
    }
}

/* Impossible tokens and lengths are told apart from the rest by the controller (2.1.2). */
static bool is_valid(const Descriptor *td) {
    uint32_t token = td->token & 0xFF, size = td->token >> TD_SIZE_SHIFT;
    return (token == USB_SETUP || token == USB_IN || token == USB_OUT) &&
           (size <= TD_SIZE_LONGEST || size == TD_LENGTH);
}

static Outcome run_transaction(Uhci *uhci, Descriptor *td, uint32_t room) {
    UsbTransaction *transaction = &uhci->transaction;
    transaction->token = (UsbToken)(td->token & 0xFF);
    transaction->address = td->token >> TD_ADDRESS_SHIFT & 0x7F;
    transaction->endpoint = td->token >> TD_ENDPOINT_SHIFT & 0x0F;
    transaction->size = 0;
    if (transaction->token != USB_IN) {
        if (!is_memory(uhci, td->buffer, room))
            return OUTCOME_FATAL;
        physical_read_bytes(uhci->context.memory, td->buffer, transaction->bytes, room);
        transaction->size = room;
    }
    td->control &= ~(uint32_t)(TD_STATUS & ~TD_ACTIVE);
    return take_answer(uhci, td, transact(uhci), room);
}

/* 'left': bytes of the frame. An inactive descriptor may ask for an interrupt, too (3.2.2). */
static Outcome run_descriptor(Uhci *uhci, uint32_t address, Descriptor *td, int32_t *left) {
    uint32_t words[4];
    if (!read_words(uhci, address, words, 4))
        return OUTCOME_FATAL;
    *td = (Descriptor){words[0], words[1], words[2], words[3]};
    Outcome outcome = OUTCOME_FINISHED;
    if (td->control & TD_ACTIVE) {
        enum { LOW_SPEED = 1 << 26 };
        if (!is_valid(td)) {
            uhci->state.status |= UHCI_PROCESS_ERROR;
            return OUTCOME_FATAL;
        }
        uint32_t room = ((td->token >> TD_SIZE_SHIFT) + 1) & TD_LENGTH;
        outcome = run_transaction(uhci, td, room);
        if (outcome == OUTCOME_FATAL || !write_word(uhci, address + 4, td->control))
            return OUTCOME_FATAL;
        uint32_t bytes = TRANSACTION_BYTES + uhci->transaction.size;
        *left -= (int32_t)(bytes * (td->control & LOW_SPEED ? LOW_SPEED_FACTOR : 1u));
        if (uhci->state.command & UHCI_DEBUG)
            uhci->state.command &= (uint16_t)~UHCI_RUN;
    }
    if (outcome != OUTCOME_WAITS && (td->control & TD_INTERRUPT)) {
        uhci->state.status |= UHCI_INTERRUPT;
        uhci->state.causes |= UHCI_ON_COMPLETE;
    }
    return outcome;
}

/* --- the schedule ------------------------------------------------------------------------------
 */

/* One queue, until it goes to the next: by breadth after each transaction, by depth while its
 * descriptors say so (3.4). Gives the link to what follows; false: the controller stops. */
static bool run_queue(Uhci *uhci, uint32_t address, int32_t *left, unsigned *links,
                      uint32_t *next) {
    uint32_t words[2]; /* to the next queue, to the first element */
    if (!read_words(uhci, address, words, 2))
        return false;
    *next = words[0];
    uint32_t element = words[1];
    while (!(element & LINK_END) && *left > 0 && *links > 0 && (uhci->state.command & UHCI_RUN)) {
        --*links;
        if (element & LINK_QUEUE) { /* a queue within this one, which comes back no more */
            *next = element;
            return true;
        }
        Descriptor td;
        Outcome outcome = run_descriptor(uhci, element & LINK_ADDRESS, &td, left);
        if (outcome == OUTCOME_FATAL)
            return false;
        if (outcome != OUTCOME_DONE)
            return true;
        element = td.link;
        if (!write_word(uhci, address + 4, element))
            return false;
        if (!(element & LINK_DEPTH))
            return true;
    }
    return true;
}

static bool run_links(Uhci *uhci, uint32_t link) {
    int32_t left = FRAME_BYTES;
    unsigned links = LINKS_MOST;
    while (!(link & LINK_END) && left > 0 && links > 0 && (uhci->state.command & UHCI_RUN)) {
        uint32_t address = link & LINK_ADDRESS;
        links--;
        if (link & LINK_QUEUE) {
            if (!run_queue(uhci, address, &left, &links, &link))
                return false;
        } else {
            Descriptor td;
            if (run_descriptor(uhci, address, &td, &left) == OUTCOME_FATAL)
                return false;
            link = td.link;
        }
    }
    return true;
}

void uhci_run_frame(Uhci *uhci) {
    enum { FRAMES = 1024 };
    uint32_t link;
    uint32_t address = uhci->state.list + (uhci->state.frame % FRAMES) * 4u;
    if (!read_words(uhci, address, &link, 1) || !run_links(uhci, link))
        uhci->state.command &= (uint16_t)~UHCI_RUN;
}

/* The chip by National's DP8390D/NS32490D data sheet, whose section numbers stand below; the ports
 * around it by the NE2000's; the identification of the PCI one by Realtek's RTL8029AS data sheet.
 */
#include "ne2000.h"
#include "allocate.h"
#include "little_endian.h"
#include "pci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PORTS = 32,
    PORT_DATA = 0x10,  /* and what follows */
    PORT_RESET = 0x18, /* likewise */
    PROM_BYTES = 32,
    PROM_MARK = 0x57, /* a word-wide card (two of these behind the address) */
    MEMORY_FIRST = 0x4000,
    MEMORY_BYTES = 0x4000,
    PCI_VENDOR_REALTEK = 0x10EC,
    PCI_DEVICE_RTL8029 = 0x8029,
    CLASS_ETHERNET = 0x020000,
    PCI_PORTS = 256,
};

/* 10.2: register addresses, by page; what is in none of them is in all. */
enum {
    REGISTER_CR = 0x00,
    PAGE0_CLDA0 = 0x01, /* reads; PSTART when written */
    PAGE0_CLDA1 = 0x02, /* reads; PSTOP when written */
    PAGE0_BNRY = 0x03,
    PAGE0_TSR = 0x04, /* reads; TPSR when written */
    PAGE0_NCR = 0x05, /* reads; TBCR0 when written */
    PAGE0_FIFO = 0x06,
    PAGE0_ISR = 0x07,
    PAGE0_CRDA0 = 0x08, /* reads; RSAR0 when written */
    PAGE0_CRDA1 = 0x09,
    PAGE0_RBCR0 = 0x0A, /* writes; identification of an RTL8029 when read */
    PAGE0_RBCR1 = 0x0B,
    PAGE0_RSR = 0x0C, /* reads; RCR when written */
    PAGE0_TCR = 0x0D, /* writes; error counters when read */
    PAGE0_DCR = 0x0E,
    PAGE0_IMR = 0x0F,
    PAGE1_PAR0 = 0x01,
    PAGE1_CURR = 0x07,
    PAGE1_MAR0 = 0x08,
    PAGE2_PSTART = 0x01,
    PAGE2_PSTOP = 0x02,
    PAGE2_TPSR = 0x04,
    PAGE2_RCR = 0x0C,
    PAGE2_TCR = 0x0D,
    PAGE2_DCR = 0x0E,
    PAGE2_IMR = 0x0F,
};

enum { CR_STOP = 0x01, CR_START = 0x02, CR_TRANSMIT = 0x04, CR_DMA = 0x38, CR_PAGE_SHIFT = 6 };
enum { DMA_READ = 0x08, DMA_WRITE = 0x10, DMA_SEND = 0x18, DMA_ABORT = 0x20 };
enum { ISR_RECEIVED = 0x01, ISR_SENT = 0x02, ISR_DMA_DONE = 0x40, ISR_RESET = 0x80 };
enum { DCR_WORDS = 0x01, TCR_LOOPBACK = 0x06, TSR_SENT = 0x01 };
enum { RCR_BROADCAST = 0x04, RCR_MULTICAST = 0x08, RCR_ALL = 0x10, RCR_MONITOR = 0x20 };
enum { RSR_RECEIVED = 0x01, RSR_GROUP = 0x20, RSR_DISABLED = 0x40 };

/* The header in front of each received frame (7.4): status, next page, bytes with the check sum. */
enum { HEADER_BYTES = 4, CHECKSUM_BYTES = 4, FRAME_MAX = 1514 + 4 + 4, NS_PER_BYTE = 8 };

typedef struct Ne2000State {
    int64_t sent_ns; /* when what is sent is out */
    uint8_t cr, isr, imr, dcr, tcr, rcr, tsr, rsr;
    uint8_t page_start, page_stop, boundary, current, send_page;
    uint8_t address[NETWORK_ADDRESS_BYTES];
    uint8_t multicast[8];
    uint8_t unseen; /* a frame came since CURR was read or PRX acknowledged */
    uint16_t send_bytes;
    uint16_t remote_start, remote_address, remote_bytes;
    uint16_t local_address;
    uint8_t padding2[2];
    uint8_t memory[MEMORY_BYTES];
} Ne2000State;

static const Field field_rows[] = {
    FIELD(Ne2000State, U64, sent_ns),
    FIELD(Ne2000State, U8, cr),
    FIELD(Ne2000State, U8, isr),
    FIELD(Ne2000State, U8, imr),
    FIELD(Ne2000State, U8, dcr),
    FIELD(Ne2000State, U8, tcr),
    FIELD(Ne2000State, U8, rcr),
    FIELD(Ne2000State, U8, tsr),
    FIELD(Ne2000State, U8, rsr),
    FIELD(Ne2000State, U8, page_start),
    FIELD(Ne2000State, U8, page_stop),
    FIELD(Ne2000State, U8, boundary),
    FIELD(Ne2000State, U8, current),
    FIELD(Ne2000State, U8, send_page),
    FIELD_ARRAY(Ne2000State, U8, address),
    FIELD_ARRAY(Ne2000State, U8, multicast),
    FIELD(Ne2000State, U8, unseen),
    FIELD(Ne2000State, U16, send_bytes),
    FIELD(Ne2000State, U16, remote_start),
    FIELD(Ne2000State, U16, remote_address),
    FIELD(Ne2000State, U16, remote_bytes),
    FIELD(Ne2000State, U16, local_address),
    FIELD_PADDING(Ne2000State, padding2),
    FIELD_BYTES_OF(Ne2000State, memory),
    FIELD_END,
};
static const FieldTable fields = {"ne2000", 1, sizeof(Ne2000State), field_rows};

typedef struct Ne2000 {
    Ne2000State state;
    DeviceContext context;
    NetworkLink *link;
    Wire irq;
    PciDevice *pci; /* NULL on the ISA bus */
    Timer sent;
    uint8_t prom[PROM_BYTES];
    uint16_t port;
    bool mapped;
    char id[32];
} Ne2000;

static void update_irq(const Ne2000 *card) {
    wire_set(&card->irq, (card->state.isr & card->state.imr & (ISR_RESET - 1)) != 0);
}

static void raise_isr(Ne2000 *card, uint8_t bits) {
    card->state.isr |= bits;
    update_irq(card);
}

/* ---- The card's memory ---- */

static uint8_t memory_read(const Ne2000 *card, uint16_t address) {
    if (address < PROM_BYTES)
        return card->prom[address];
    if (address >= MEMORY_FIRST && address < MEMORY_FIRST + MEMORY_BYTES)
        return card->state.memory[address - MEMORY_FIRST];
    return 0xFF;
}

static void memory_write(Ne2000 *card, uint16_t address, uint8_t value) {
    if (address >= MEMORY_FIRST && address < MEMORY_FIRST + MEMORY_BYTES)
        card->state.memory[address - MEMORY_FIRST] = value;
}

/* The ring of received frames is a ring for remote DMA too (9.0). */
static void advance_remote(Ne2000 *card, unsigned size) {
    Ne2000State *state = &card->state;
    for (unsigned i = 0; i < size; i++) {
        state->remote_address++;
        if (state->remote_address == state->page_stop << 8)
            state->remote_address = (uint16_t)(state->page_start << 8);
    }
    state->remote_bytes = (uint16_t)(state->remote_bytes > size ? state->remote_bytes - size : 0);
    if (state->remote_bytes == 0)
        raise_isr(card, ISR_DMA_DONE);
}

/* A word-wide card moves words, whatever the access: byte accesses see the lower half of each. */
static unsigned remote_step(const Ne2000 *card) {
    return card->state.dcr & DCR_WORDS ? 2 : 1;
}

static uint32_t data_read(Ne2000 *card, unsigned size) {
    uint32_t value = 0;
    unsigned step = remote_step(card);
    for (unsigned done = 0; done < size; done += step) {
        for (unsigned i = 0; i < step && done + i < size; i++)
            value |= (uint32_t)memory_read(card, (uint16_t)(card->state.remote_address + i))
                     << 8 * (done + i);
        if (card->state.remote_bytes > 0)
            advance_remote(card, step);
    }
    return value;
}

static void data_write(Ne2000 *card, unsigned size, uint32_t value) {
    unsigned step = remote_step(card);
    for (unsigned done = 0; done < size && card->state.remote_bytes > 0; done += step) {
        for (unsigned i = 0; i < step && done + i < size; i++)
            memory_write(card, (uint16_t)(card->state.remote_address + i),
                         (uint8_t)(value >> 8 * (done + i)));
        advance_remote(card, step);
    }
}

/* ---- Receiving (7.0) ---- */

static unsigned ring_bytes(const Ne2000State *state) {
    return state->page_stop > state->page_start ? (state->page_stop - state->page_start) * 256u : 0;
}

static unsigned ring_room(const Ne2000State *state) {
    unsigned current = state->current * 256u, boundary = state->boundary * 256u;
    unsigned ring = ring_bytes(state);
    if (current < boundary)
        return boundary - current;
    return ring > current - boundary ? ring - (current - boundary) : 0;
}

/* Once started, the chip runs until it is stopped, whatever STA is (10.3). */
static bool is_deaf(const Ne2000State *state) {
    return (state->cr & CR_STOP) || (state->rcr & RCR_MONITOR) || (state->tcr & TCR_LOOPBACK) ||
           ring_bytes(state) == 0;
}

/* A card that does not listen misses what comes; one that is full lets it wait. A page stays free:
 * a ring whose pointers are equal is empty. */
static bool can_receive(void *opaque) {
    const Ne2000 *card = opaque;
    return is_deaf(&card->state) ||
           ring_room(&card->state) > (HEADER_BYTES + FRAME_MAX + CHECKSUM_BYTES + 255) / 256 * 256;
}

static bool accepts(const Ne2000State *state, const uint8_t *frame) {
    if (state->rcr & RCR_ALL)
        return true;
    if (network_is_broadcast(frame))
        return state->rcr & RCR_BROADCAST;
    if (network_is_multicast(frame)) {
        unsigned hash = network_multicast_hash(frame);
        return (state->rcr & RCR_MULTICAST) && (state->multicast[hash / 8] >> hash % 8 & 1);
    }
    return memcmp(frame, state->address, NETWORK_ADDRESS_BYTES) == 0;
}

static void store_received(Ne2000 *card, const uint8_t *data, size_t size) {
    Ne2000State *state = &card->state;
    for (size_t i = 0; i < size; i++) {
        memory_write(card, state->local_address++, data[i]);
        if (state->local_address == state->page_stop << 8)
            state->local_address = (uint16_t)(state->page_start << 8);
    }
}

static void receive(void *opaque, const uint8_t *frame, size_t size) {
    Ne2000 *card = opaque;
    Ne2000State *state = &card->state;
    size_t total = size + CHECKSUM_BYTES, pages = (total + HEADER_BYTES + 255) / 256;
    uint8_t header[HEADER_BYTES], checksum[CHECKSUM_BYTES];
    if (is_deaf(state) || size > FRAME_MAX || !accepts(state, frame))
        return;
    unsigned next = state->current + (unsigned)pages;
    if (next >= state->page_stop)
        next = next - state->page_stop + state->page_start;
    state->rsr = RSR_RECEIVED | (network_is_multicast(frame) ? RSR_GROUP : 0);
    header[0] = state->rsr;
    header[1] = (uint8_t)next;
    store_le16(header + 2, (uint16_t)total);
    store_le32(checksum, network_frame_checksum(frame, size));
    state->local_address = (uint16_t)(state->current << 8);
    store_received(card, header, sizeof(header));
    store_received(card, frame, size);
    store_received(card, checksum, sizeof(checksum));
    state->current = (uint8_t)next;
    state->unseen = 1;
    raise_isr(card, ISR_RECEIVED);
}

/* ---- Sending (8.0) ---- */

/* TXP stays set until the frame is out (10.3). */
static void start_sending(Ne2000 *card) {
    Ne2000State *state = &card->state;
    if (!timer_is_armed(&card->sent))
        timer_arm(&card->sent,
                  clock_now_ns(card->context.clock) + (state->send_bytes + 24) * NS_PER_BYTE);
}

static void finish_sending(void *opaque) {
    Ne2000 *card = opaque;
    Ne2000State *state = &card->state;
    uint8_t frame[FRAME_MAX];
    size_t size = state->send_bytes < sizeof(frame) ? state->send_bytes : sizeof(frame);
    for (size_t i = 0; i < size; i++)
        frame[i] = memory_read(card, (uint16_t)((state->send_page << 8) + i));
    state->cr &= (uint8_t)~CR_TRANSMIT;
    state->tsr = TSR_SENT;
    raise_isr(card, ISR_SENT);
    if (!(state->tcr & TCR_LOOPBACK) && size > 0)
        network_link_send(card->link, frame, size);
}

/* ---- Registers ---- */

/* The whole chip: registers that reset leaves (10.4) keep what they have. */
static void reset_chip(Ne2000 *card) {
    Ne2000State *state = &card->state;
    timer_cancel(&card->sent);
    state->cr = CR_STOP | DMA_ABORT;
    state->isr = ISR_RESET;
    state->imr = 0;
    state->remote_bytes = 0;
    state->tcr = 0;
    update_irq(card);
}

/* 'Send packet' (9.0) reads the frame at the boundary. */
static void start_remote(Ne2000 *card, uint8_t mode) {
    Ne2000State *state = &card->state;
    if (mode == DMA_SEND) {
        uint16_t at = (uint16_t)(state->boundary << 8);
        state->remote_address = at;
        state->remote_bytes = (uint16_t)(memory_read(card, (uint16_t)(at + 2)) |
                                         memory_read(card, (uint16_t)(at + 3)) << 8);
    }
    if (mode != 0 && !(mode & DMA_ABORT) && state->remote_bytes == 0)
        raise_isr(card, ISR_DMA_DONE);
}

static void write_command(Ne2000 *card, uint8_t value) {
    Ne2000State *state = &card->state;
    state->cr = (uint8_t)(value | (timer_is_armed(&card->sent) ? CR_TRANSMIT : 0));
    if (value & CR_STOP) {
        state->isr |= ISR_RESET;
        update_irq(card);
        return;
    }
    state->isr &= (uint8_t)~ISR_RESET;
    update_irq(card);
    start_remote(card, value & CR_DMA);
    if (value & CR_TRANSMIT)
        start_sending(card);
    network_link_flush(card->link);
}

/* Drivers look at CURR and, if nothing is there, acknowledge. On a wire of 10 Mbit/s hardly ever a
 * frame comes in between; here frames follow each other at once, so such a one is told again. */
static void acknowledge(Ne2000 *card, uint8_t bits) {
    Ne2000State *state = &card->state;
    if ((bits & ISR_RECEIVED) && state->unseen) {
        bits &= (uint8_t)~ISR_RECEIVED;
        state->unseen = 0;
    }
    state->isr &= (uint8_t)~bits;
    update_irq(card);
}

static void put_byte(uint16_t *value, unsigned number, uint8_t byte) {
    *value = (uint16_t)(number == 0 ? (*value & 0xFF00) | byte : (*value & 0xFF) | byte << 8);
}

static void write_page0(Ne2000 *card, unsigned offset, uint8_t value) {
    Ne2000State *state = &card->state;
    switch (offset) {
    case PAGE0_CLDA0:
        state->page_start = value;
        break;
    case PAGE0_CLDA1:
        state->page_stop = value;
        break;
    case PAGE0_BNRY:
        state->boundary = value;
        network_link_flush(card->link);
        break;
    case PAGE0_TSR:
        state->send_page = value;
        break;
    case PAGE0_NCR:
    case PAGE0_FIFO:
        put_byte(&state->send_bytes, offset - PAGE0_NCR, value);
        break;
    case PAGE0_ISR:
        acknowledge(card, value & (ISR_RESET - 1));
        break;
    case PAGE0_CRDA0:
    case PAGE0_CRDA1:
        put_byte(&state->remote_address, offset - PAGE0_CRDA0, value);
        break;
    case PAGE0_RBCR0:
    case PAGE0_RBCR1:
        put_byte(&state->remote_bytes, offset - PAGE0_RBCR0, value);
        break;
    case PAGE0_RSR:
        state->rcr = value;
        break;
    case PAGE0_TCR:
        state->tcr = value;
        break;
    case PAGE0_DCR:
        state->dcr = value;
        break;
    case PAGE0_IMR:
        state->imr = value;
        update_irq(card);
        break;
    }
}

static void register_write(Ne2000 *card, unsigned offset, uint8_t value) {
    Ne2000State *state = &card->state;
    unsigned page = state->cr >> CR_PAGE_SHIFT;
    if (offset == REGISTER_CR)
        write_command(card, value);
    else if (page == 0)
        write_page0(card, offset, value);
    else if (page == 1 && offset < PAGE1_CURR)
        state->address[offset - PAGE1_PAR0] = value;
    else if (page == 1 && offset == PAGE1_CURR)
        state->current = value;
    else if (page == 1)
        state->multicast[offset - PAGE1_MAR0] = value;
}

static uint8_t read_page0(const Ne2000 *card, unsigned offset) {
    const Ne2000State *state = &card->state;
    bool is_realtek = card->pci != NULL;
    const uint8_t values[16] = {
        [PAGE0_CLDA0] = (uint8_t)state->local_address,
        [PAGE0_CLDA1] = (uint8_t)(state->local_address >> 8),
        [PAGE0_BNRY] = state->boundary,
        [PAGE0_TSR] = state->tsr,
        [PAGE0_ISR] = state->isr,
        [PAGE0_CRDA0] = (uint8_t)state->remote_address,
        [PAGE0_CRDA1] = (uint8_t)(state->remote_address >> 8),
        [PAGE0_RBCR0] = is_realtek ? 'P' : 0xFF,
        [PAGE0_RBCR1] = is_realtek ? 'C' : 0xFF,
        [PAGE0_RSR] = (uint8_t)(state->rsr | (state->rcr & RCR_MONITOR ? RSR_DISABLED : 0)),
    };
    return values[offset];
}

/* The first two bits of CR and those of TCR, RCR and DCR that do not exist read as ones (10.3). */
static uint8_t read_page2(const Ne2000State *state, unsigned offset) {
    const uint8_t values[16] = {
        [PAGE2_PSTART] = state->page_start,
        [PAGE2_PSTOP] = state->page_stop,
        [PAGE2_TPSR] = state->send_page,
        [PAGE2_RCR] = (uint8_t)(state->rcr | 0xC0),
        [PAGE2_TCR] = (uint8_t)(state->tcr | 0xE0),
        [PAGE2_DCR] = (uint8_t)(state->dcr | 0x80),
        [PAGE2_IMR] = (uint8_t)(state->imr | 0x80),
    };
    return values[offset];
}

static uint8_t register_read(Ne2000 *card, unsigned offset) {
    Ne2000State *state = &card->state;
    unsigned page = state->cr >> CR_PAGE_SHIFT;
    if (offset == REGISTER_CR)
        return state->cr;
    if (page == 0)
        return read_page0(card, offset);
    if (page == 1 && offset < PAGE1_CURR)
        return state->address[offset - PAGE1_PAR0];
    if (page == 1 && offset == PAGE1_CURR)
        state->unseen = 0;
    if (page == 1)
        return offset == PAGE1_CURR ? state->current : state->multicast[offset - PAGE1_MAR0];
    return page == 2 ? read_page2(state, offset) : 0;
}

/* ---- Ports ---- */

static uint32_t port_read(void *opaque, uint32_t offset, unsigned size) {
    Ne2000 *card = opaque;
    if (offset >= PORTS)
        return UINT32_MAX >> (32 - 8 * size);
    if (offset >= PORT_RESET) {
        reset_chip(card);
        return 0;
    }
    if (offset >= PORT_DATA)
        return data_read(card, size);
    uint32_t value = 0;
    for (unsigned i = 0; i < size && offset + i < PORT_DATA; i++)
        value |= (uint32_t)register_read(card, offset + i) << 8 * i;
    return value;
}

static void port_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Ne2000 *card = opaque;
    if (offset >= PORT_RESET)
        return;
    if (offset >= PORT_DATA) {
        data_write(card, size, value);
        return;
    }
    for (unsigned i = 0; i < size && offset + i < PORT_DATA; i++)
        register_write(card, offset + i, (uint8_t)(value >> 8 * i));
}

static bool claim_ports(Ne2000 *card, uint16_t port, uint32_t count, Error *error) {
    const PortRange range = {.name = "ne2000",
                             .first = port,
                             .count = count,
                             .widths = PORT_8 | PORT_16 | PORT_32,
                             .read = port_read,
                             .write = port_write,
                             .opaque = card};
    card->port = port;
    return card->mapped = port_map_add(card->context.ports, &range, error);
}

static void release_ports(Ne2000 *card) {
    if (card->mapped)
        port_map_remove(card->context.ports, card->port, card);
    card->mapped = false;
}

static void map_bar(void *opaque, unsigned bar, uint32_t base) {
    (void)bar;
    claim_ports(opaque, (uint16_t)base, PCI_PORTS, NULL);
}

static void unmap_bar(void *opaque, unsigned bar, uint32_t base) {
    (void)bar;
    (void)base;
    release_ports(opaque);
}

/* ---- Making one ---- */

static void ne2000_reset(void *opaque) {
    Ne2000 *card = opaque;
    int64_t never = TIMER_NEVER;
    timer_cancel(&card->sent);
    card->state = (Ne2000State){.sent_ns = never};
    reset_chip(card);
}

static const DeviceClass ne2000_class = {"ne2000", &fields, ne2000_reset, NULL};

static Ne2000 *create(const DeviceContext *context, const NetworkCardOptions *options) {
    Ne2000 *card = allocate_zeroed(sizeof(*card));
    const NetworkCardPort port = {can_receive, receive, NULL, card};
    card->context = *context;
    card->link = options->link;
    snprintf(card->id, sizeof(card->id), "%s", options->id);
    for (unsigned i = 0; i < PROM_BYTES; i++)
        card->prom[i] = i / 2 < NETWORK_ADDRESS_BYTES ? options->address[i / 2] : PROM_MARK;
    timer_init(&card->sent, context->clock, "ne2000 transmit", &card->state.sent_ns, finish_sending,
               card);
    network_link_attach_card(options->link, &port);
    return card;
}

static void destroy(void *opaque) {
    Ne2000 *card = opaque;
    if (card == NULL)
        return;
    release_ports(card);
    free(card);
}

static void *create_isa(const DeviceContext *context, PciBus *bus,
                        const NetworkCardOptions *options, Error *error) {
    Ne2000 *card = create(context, options);
    (void)bus;
    card->irq = options->irq;
    if (!claim_ports(card, options->io_base, PORTS, error)) {
        destroy(card);
        return NULL;
    }
    ne2000_reset(card);
    device_list_add(context->devices, &ne2000_class, card->id, card, &card->state);
    return card;
}

static void *create_pci(const DeviceContext *context, PciBus *bus,
                        const NetworkCardOptions *options, Error *error) {
    Ne2000 *card = create(context, options);
    const PciDeviceInfo info = {
        .name = "ne2k_pci",
        .vendor_id = PCI_VENDOR_REALTEK,
        .device_id = PCI_DEVICE_RTL8029,
        .class_code = CLASS_ETHERNET,
        .subsystem_vendor_id = 0x1AF4,
        .subsystem_id = 0x1100,
        .interrupt_pin = 1,
        .bars = {{.type = PCI_BAR_IO, PCI_PORTS}},
        .rom = options->rom,
        .rom_size = options->rom_size,
        .opaque = card,
        .map = map_bar,
        .unmap = unmap_bar,
    };
    card->pci = pci_device_add(bus, options->slot, 0, &info, error);
    if (card->pci == NULL) {
        destroy(card);
        return NULL;
    }
    card->irq = (Wire){pci_device_set_pin, card->pci, 0};
    ne2000_reset(card);
    device_list_add(context->devices, &ne2000_class, card->id, card, &card->state);
    return card;
}

const NetworkCardModel ne2000_isa_model = {
    .name = "ne2k_isa",
    .help = "NE2000 on the ISA bus (iobase, irq)",
    .is_isa = true,
    .create = create_isa,
    .destroy = destroy,
};

const NetworkCardModel ne2000_pci_model = {
    .name = "ne2k_pci",
    .help = "NE2000 on the PCI bus (RTL8029)",
    .rom = "ne2k_pci",
    .create = create_pci,
    .destroy = destroy,
};

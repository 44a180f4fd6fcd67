#include "pcnet.h"
#include "allocate.h"
#include "little_endian.h"
#include "pcnet_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VENDOR = 0x1022, DEVICE = 0x2000, REVISION = 0x10, CLASS_ETHERNET = 0x020000 };
enum { BAR_PORTS = 0, BAR_MEMORY = 1, PORTS = 32, MEMORY_BYTES = PAGE_SIZE };
enum {
    SEND_NS = 3000,
    POLL_NS = 1640000
}; /* what sending takes; how often the ring is looked at */

/* Offsets by the width that accesses have. */
enum { REGISTERS = 0x10, WORD_RDP = 0, WORD_RAP = 2, WORD_RESET = 4, WORD_BDP = 6 };
enum { DOUBLE_RDP = 0, DOUBLE_RAP = 4, DOUBLE_RESET = 8, DOUBLE_BDP = 12 };
enum { LINK_BCR = 4, LINK_STATUS = 0x0040, LED_OUT = 0x8000 };
enum { CSR4_NO_POLL = 0x1000, CSR3_MASKS = 0x5F00 };
enum { CHIP_ID_LOW = 0x1003, CHIP_ID_HIGH = 0x0262 };

static const Field field_rows[] = {
    FIELD(PcnetState, U64, send_ns),
    FIELD(PcnetState, U32, receive_ring),
    FIELD(PcnetState, U32, send_ring),
    FIELD(PcnetState, U32, receive_index),
    FIELD(PcnetState, U32, send_index),
    FIELD_ARRAY(PcnetState, U16, csr),
    FIELD_ARRAY(PcnetState, U16, bcr),
    FIELD(PcnetState, U16, rap),
    FIELD(PcnetState, U8, demanded),
    FIELD_PADDING(PcnetState, padding),
    FIELD_END,
};
static const FieldTable fields = {"pcnet", 1, sizeof(PcnetState), field_rows};

static void update_irq(Pcnet *card) {
    uint16_t *csr = card->state.csr;
    bool wanted = csr[0] & PCNET_CSR0_EVENTS & ~(csr[3] & CSR3_MASKS);
    csr[0] = (uint16_t)(wanted ? csr[0] | PCNET_CSR0_INTERRUPT : csr[0] & ~PCNET_CSR0_INTERRUPT);
    if (csr[0] & PCNET_CSR0_ERRORS)
        csr[0] |= PCNET_CSR0_ERROR;
    else
        csr[0] &= (uint16_t)~PCNET_CSR0_ERROR;
    pci_device_set_pin(card->pci, 0, wanted && (csr[0] & PCNET_CSR0_ENABLE));
}

void pcnet_raise(Pcnet *card, uint16_t events) {
    card->state.csr[0] |= events;
    update_irq(card);
}

/* ---- Sending ---- */

static void arm(Pcnet *card, int64_t delay_ns) {
    int64_t due = clock_now_ns(card->context.clock) + delay_ns;
    if (!timer_is_armed(&card->send) || card->state.send_ns > due)
        timer_arm(&card->send, due);
}

static bool sends(const Pcnet *card) {
    return (card->state.csr[0] & PCNET_CSR0_SENDS) && pci_device_is_master(card->pci);
}

/* A driver that demands what it wants sent is not looked after any further. */
static void send_due(void *opaque) {
    Pcnet *card = opaque;
    if (!sends(card))
        return;
    if (pcnet_send(card))
        arm(card, SEND_NS);
    else if (!card->state.demanded && !(card->state.csr[4] & CSR4_NO_POLL))
        arm(card, POLL_NS);
}

/* ---- Registers ---- */

static void stop(Pcnet *card) {
    timer_cancel(&card->send);
    card->state.csr[0] = PCNET_CSR0_STOP;
    card->state.csr[4] &= (uint16_t)~0x02C2;
    card->state.csr[5] &= (uint16_t)~0x0011;
    update_irq(card);
}

/* What a read of the reset register does; H_RESET does more. */
static void soft_reset(Pcnet *card) {
    PcnetState *state = &card->state;
    timer_cancel(&card->send);
    memset(state->csr, 0, sizeof(state->csr));
    for (unsigned i = 0; i < 3; i++)
        state->csr[12 + i] = load_le16(card->prom + 2 * i);
    state->csr[0] = PCNET_CSR0_STOP;
    state->csr[4] = 0x0115;
    state->csr[72] = state->csr[74] = 1;
    state->csr[PCNET_CSR_RECEIVE_LENGTH] = state->csr[PCNET_CSR_SEND_LENGTH] = 0xFFFF;
    state->csr[80] = 0x1410;
    state->csr[88] = CHIP_ID_LOW;
    state->csr[89] = CHIP_ID_HIGH;
    state->csr[100] = 0x0200;
    state->rap = 0;
    state->demanded = 0;
    state->bcr[PCNET_BCR_BUS] &= (uint16_t)~PCNET_BUS_DOUBLE;
    update_irq(card);
}

static void start(Pcnet *card) {
    uint16_t *csr = card->state.csr;
    csr[0] &= (uint16_t)~PCNET_CSR0_STOP;
    csr[0] |= PCNET_CSR0_START;
    if (!(csr[PCNET_CSR_MODE] & PCNET_MODE_NO_SEND))
        csr[0] |= PCNET_CSR0_SENDS;
    if (!(csr[PCNET_CSR_MODE] & PCNET_MODE_NO_RECEIVE))
        csr[0] |= PCNET_CSR0_RECEIVES;
    arm(card, SEND_NS);
    network_link_flush(card->link);
}

static void write_csr0(Pcnet *card, uint16_t value) {
    uint16_t *csr = card->state.csr;
    if (value & PCNET_CSR0_STOP) {
        stop(card);
        return;
    }
    csr[0] &= (uint16_t) ~(value & PCNET_CSR0_EVENTS);
    csr[0] = (uint16_t)((csr[0] & ~PCNET_CSR0_ENABLE) | (value & PCNET_CSR0_ENABLE));
    if ((value & PCNET_CSR0_INIT) && !(csr[0] & PCNET_CSR0_INIT) &&
        pci_device_is_master(card->pci)) {
        pcnet_initialise(card);
        csr[0] &= (uint16_t)~PCNET_CSR0_STOP;
        csr[0] |= PCNET_CSR0_INIT | PCNET_CSR0_INITIALISED;
    }
    if ((value & PCNET_CSR0_START) && !(csr[0] & PCNET_CSR0_START))
        start(card);
    if (value & PCNET_CSR0_DEMAND) {
        card->state.demanded = 1;
        arm(card, SEND_NS);
    }
    update_irq(card);
    network_link_flush(card->link);
}

static void put_half(uint32_t *address, bool upper, uint16_t value) {
    *address = upper ? (*address & 0xFFFF) | (uint32_t)value << 16 : (*address & ~0xFFFFu) | value;
}

static void write_csr(Pcnet *card, unsigned number, uint16_t value) {
    PcnetState *state = &card->state;
    switch (number) {
    case 0:
        write_csr0(card, value);
        return;
    case 4: /* some bits are cleared by ones */
        state->csr[4] = (uint16_t)((value & ~0x026A) | (state->csr[4] & ~value & 0x026A));
        return;
    case 5:
        state->csr[5] = (uint16_t)((value & ~0x0A90) | (state->csr[5] & ~value & 0x0A90));
        return;
    case 16:
    case 17:
        state->csr[number - 15] = value;
        return;
    case 24:
    case 25:
        put_half(&state->receive_ring, number == 25, value);
        return;
    case 30:
    case 31:
        put_half(&state->send_ring, number == 31, value);
        return;
    case 58:
        state->bcr[PCNET_BCR_STYLE] =
            (uint16_t)((value & 0xFF) | ((value & 0xFF) != 0 ? 0x0300 : 0x0200));
        return;
    case 72:
    case 74:
    case 88:
    case 89:
        return;
    default:
        state->csr[number] = value;
        if (number == 3)
            update_irq(card);
    }
}

static uint16_t read_csr(const Pcnet *card, unsigned number) {
    const PcnetState *state = &card->state;
    switch (number) {
    case 16:
    case 17:
        return state->csr[number - 15];
    case 24:
        return (uint16_t)state->receive_ring;
    case 25:
        return (uint16_t)(state->receive_ring >> 16);
    case 30:
        return (uint16_t)state->send_ring;
    case 31:
        return (uint16_t)(state->send_ring >> 16);
    case 58:
        return state->bcr[PCNET_BCR_STYLE];
    case 72:
        return (uint16_t)(0x10000u - state->csr[PCNET_CSR_RECEIVE_LENGTH] - state->receive_index);
    case 74:
        return (uint16_t)(0x10000u - state->csr[PCNET_CSR_SEND_LENGTH] - state->send_index);
    default:
        return state->csr[number];
    }
}

static void write_bcr(Pcnet *card, unsigned number, uint16_t value) {
    if (number == PCNET_BCR_STYLE)
        write_csr(card, 58, value);
    else if (number < PCNET_BCRS)
        card->state.bcr[number] = value;
}

/* The first LED shows the link. */
static uint16_t read_bcr(const Pcnet *card, unsigned number) {
    if (number >= PCNET_BCRS)
        return 0;
    uint16_t value = card->state.bcr[number];
    if (number >= LINK_BCR && number < LINK_BCR + 4) {
        bool lit = (value & LINK_STATUS) && network_link_is_up(card->link);
        value = (uint16_t)(lit ? value | LED_OUT : value & ~LED_OUT);
    }
    return value;
}

static uint32_t read_data(Pcnet *card, unsigned place) {
    PcnetState *state = &card->state;
    switch (place) {
    case WORD_RDP:
        return read_csr(card, state->rap);
    case WORD_RAP:
        return state->rap;
    case WORD_RESET:
        soft_reset(card);
        return 0;
    default:
        return read_bcr(card, state->rap);
    }
}

static void write_data(Pcnet *card, unsigned place, uint16_t value) {
    PcnetState *state = &card->state;
    if (place == WORD_RDP)
        write_csr(card, state->rap, value);
    else if (place == WORD_RAP)
        state->rap = value & (PCNET_CSRS - 1);
    else if (place == WORD_BDP)
        write_bcr(card, state->rap, value);
}

static bool is_double(const Pcnet *card) {
    return card->state.bcr[PCNET_BCR_BUS] & PCNET_BUS_DOUBLE;
}

static uint32_t register_read(void *opaque, uint32_t offset, unsigned size) {
    Pcnet *card = opaque;
    uint32_t value = 0;
    if (offset < PCNET_PROM_BYTES) {
        for (unsigned i = 0; i < size; i++)
            value |= (uint32_t)card->prom[(offset + i) % PCNET_PROM_BYTES] << 8 * i;
        return value;
    }
    if (offset >= PORTS)
        return UINT32_MAX >> (32 - 8 * size);
    offset -= REGISTERS;
    if (is_double(card))
        return size == 4 && offset % 4 == 0 ? read_data(card, offset / 2) : 0;
    return size == 2 && offset % 2 == 0 && offset < 8 ? read_data(card, offset) : 0xFFFF;
}

/* A store of 32 bits to RDP makes the registers as wide as that. */
static void register_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Pcnet *card = opaque;
    if (offset < REGISTERS || offset >= PORTS)
        return;
    offset -= REGISTERS;
    if (size == 4 && offset == DOUBLE_RDP && !is_double(card))
        card->state.bcr[PCNET_BCR_BUS] |= PCNET_BUS_DOUBLE;
    if (is_double(card) && size == 4 && offset % 4 == 0)
        write_data(card, offset / 2, (uint16_t)value);
    else if (!is_double(card) && size == 2 && offset % 2 == 0 && offset < 8)
        write_data(card, offset, (uint16_t)value);
}

/* ---- Plugging in ---- */

static bool can_receive(void *opaque) {
    return pcnet_can_receive(opaque);
}

static void receive(void *opaque, const uint8_t *frame, size_t size) {
    Pcnet *card = opaque;
    if (!(card->state.csr[PCNET_CSR_MODE] & PCNET_MODE_LOOPBACK))
        pcnet_receive(card, frame, size);
}

static void pcnet_reset(void *opaque) {
    static const uint16_t bcr[PCNET_BCRS] = {
        [0] = 5,      [1] = 5,       [2] = 2,       [4] = 0x00C0,  [5] = 0x0084,  [6] = 0x0088,
        [7] = 0x0090, [18] = 0x9001, [19] = 0x0002, [20] = 0x0200, [22] = 0xFF06,
    };
    Pcnet *card = opaque;
    timer_cancel(&card->send);
    card->state = (PcnetState){.send_ns = TIMER_NEVER};
    memcpy(card->state.bcr, bcr, sizeof(bcr));
    soft_reset(card);
}

static void pcnet_restored(void *opaque) {
    Pcnet *card = opaque;
    card->state.rap &= PCNET_CSRS - 1;
}

static const DeviceClass pcnet_class = {"pcnet", &fields, pcnet_reset, pcnet_restored};

/* Address, marks and check sum (data sheet, "Address PROM"). */
static void fill_prom(uint8_t *prom, const uint8_t *address) {
    uint16_t sum = 0;
    memset(prom, 0, PCNET_PROM_BYTES);
    memcpy(prom, address, NETWORK_ADDRESS_BYTES);
    prom[9] = 0x11;
    prom[14] = prom[15] = 'W';
    for (unsigned i = 0; i < PCNET_PROM_BYTES; i++)
        sum = (uint16_t)(sum + prom[i]);
    store_le16(prom + 12, sum);
}

static void destroy(void *opaque) {
    free(opaque);
}

static void *create(const DeviceContext *context, PciBus *bus, const NetworkCardOptions *options,
                    Error *error) {
    Pcnet *card = allocate_zeroed(sizeof(*card));
    const NetworkCardPort port = {can_receive, receive, NULL, card};
    const PciDeviceInfo info = {
        .name = "pcnet",
        .vendor_id = VENDOR,
        .device_id = DEVICE,
        .class_code = CLASS_ETHERNET,
        .revision = REVISION,
        .subsystem_vendor_id = 0x1AF4,
        .subsystem_id = 0x1100,
        .interrupt_pin = 1,
        .bars =
            {[BAR_PORTS] = {.type = PCI_BAR_IO, PORTS, register_read, register_write},
             [BAR_MEMORY] = {.type = PCI_BAR_MEMORY, MEMORY_BYTES, register_read, register_write}},
        .rom = options->rom,
        .rom_size = options->rom_size,
        .opaque = card,
    };
    card->context = *context;
    card->link = options->link;
    snprintf(card->id, sizeof(card->id), "%s", options->id);
    fill_prom(card->prom, options->address);
    timer_init(&card->send, context->clock, "pcnet send", &card->state.send_ns, send_due, card);
    card->pci = pci_device_add(bus, options->slot, 0, &info, error);
    if (card->pci == NULL) {
        destroy(card);
        return NULL;
    }
    network_link_attach_card(options->link, &port);
    pcnet_reset(card);
    device_list_add(context->devices, &pcnet_class, card->id, card, &card->state);
    return card;
}

const NetworkCardModel pcnet_model = {
    .name = "pcnet",
    .help = "AMD PCnet-PCI II (Am79C970A)",
    .rom = "pcnet",
    .create = create,
    .destroy = destroy,
};

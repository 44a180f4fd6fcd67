#include "allocate.h"
#include "little_endian.h"
#include "rtl8139_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VENDOR = 0x10EC, DEVICE = 0x8139, REVISION_CPLUS = 0x20, CLASS_ETHERNET = 0x020000 };
enum { BAR_PORTS = 0, BAR_MEMORY = 1, MEMORY_BYTES = PAGE_SIZE };
enum { TIMER_TICK_NS = 30 }; /* the PCI clock's period */
/* What sending takes: less than on a cable of 100 Mb/s, but enough for a driver to hand over more
 * frames and for answers to come, so that one interrupt tells of all of it. */
enum { TRANSMIT_NS = 20000 };

/* Offsets of registers. */
enum {
    IDR = 0x00,
    MAR = 0x08,
    TSD = 0x10,
    TSAD = 0x20, /* with descriptors: the rings TNPDS and THPDS */
    RBSTART = 0x30,
    CR = 0x37,
    CAPR = 0x38,
    CBR = 0x3A,
    IMR = 0x3C,
    ISR = 0x3E,
    TCR = 0x40,
    RCR = 0x44,
    TCTR = 0x48,
    MPC = 0x4C,
    CR_93C46 = 0x50,
    CONFIG0 = 0x51,
    TIMER_INTERVAL = 0x54,
    MSR = 0x58,
    CONFIG3 = 0x59,
    MULTIPLE_INTERRUPT = 0x5C,
    TSAD_ALL = 0x60,
    BMCR = 0x62,
    BMSR = 0x64,
    ANAR = 0x66,
    ANLPAR = 0x68,
    TPPOLL = 0xD9, /* with the C+'s rings; D8h is CONFIG5 */
    CONFIG5 = 0xD8,
    CPLUS_COMMAND = 0xE0,
    RDSAR = 0xE4,
};

enum { MSR_NO_LINK = 0x04, BMSR_LINK = 0x0004, BMSR_DONE = 0x0020, BMSR_CAN = 0x7809 };
enum { BMCR_RESET = 0x8000, BMCR_AUTO = 0x1000, BMCR_RESTART = 0x0200, ANAR_USUAL = 0x01E1 };
enum { LINK_PARTNER = 0x45E1, POLL_NORMAL = 0x40, POLL_SOFTWARE = 0x01 };
enum { STATUS_OWN = 0x2000, STATUS_KEPT = 0x3FFFFF };
#define TCR_VERSION 0x74800000u /* that of an RTL8139C+ */
#define TCR_WRITABLE 0x03067FFFu

static const Field eeprom_rows[] = {
    FIELD(Rtl8139Eeprom, U16, shift),
    FIELD(Rtl8139Eeprom, U8, bits),
    FIELD(Rtl8139Eeprom, U8, phase),
    FIELD(Rtl8139Eeprom, U8, pins),
    FIELD(Rtl8139Eeprom, U8, output),
    FIELD_PADDING(Rtl8139Eeprom, padding),
    FIELD_END,
};
static const FieldTable eeprom_fields = {"rtl8139-eeprom", 1, sizeof(Rtl8139Eeprom), eeprom_rows};

static const Field field_rows[] = {
    FIELD(Rtl8139State, U64, transmit_ns),
    FIELD(Rtl8139State, U64, timer_ns),
    FIELD(Rtl8139State, U64, timer_start_ns),
    FIELD(Rtl8139State, U64, receive_ring),
    FIELD(Rtl8139State, U64, transmit_ring),
    FIELD(Rtl8139State, U64, priority_ring),
    FIELD_ARRAY(Rtl8139State, U32, transmit_status),
    FIELD_ARRAY(Rtl8139State, U32, transmit_address),
    FIELD(Rtl8139State, U32, receive_buffer),
    FIELD(Rtl8139State, U32, tcr),
    FIELD(Rtl8139State, U32, rcr),
    FIELD(Rtl8139State, U32, timer_interval),
    FIELD(Rtl8139State, U32, missed),
    FIELD(Rtl8139State, U32, receive_index),
    FIELD(Rtl8139State, U32, transmit_index),
    FIELD(Rtl8139State, U16, capr),
    FIELD(Rtl8139State, U16, cbr),
    FIELD(Rtl8139State, U16, imr),
    FIELD(Rtl8139State, U16, isr),
    FIELD(Rtl8139State, U16, cplus),
    FIELD(Rtl8139State, U16, phy_control),
    FIELD(Rtl8139State, U16, phy_advertised),
    FIELD(Rtl8139State, U16, multiple_interrupt),
    FIELD_ARRAY(Rtl8139State, U8, address),
    FIELD_ARRAY(Rtl8139State, U8, multicast),
    FIELD(Rtl8139State, U8, cr),
    FIELD(Rtl8139State, U8, command_93c46),
    FIELD_ARRAY(Rtl8139State, U8, config),
    FIELD(Rtl8139State, U8, media),
    FIELD(Rtl8139State, U8, next_buffer),
    FIELD(Rtl8139State, U8, polled),
    FIELD(Rtl8139State, U8, is_cplus),
    FIELD_PADDING(Rtl8139State, padding),
    FIELD_ONE_STRUCT(Rtl8139State, eeprom, &eeprom_fields),
    FIELD_END,
};
static const FieldTable fields = {"rtl8139", 1, sizeof(Rtl8139State), field_rows};

static void update_irq(Rtl8139 *card) {
    pci_device_set_pin(card->pci, 0, (card->state.isr & card->state.imr) != 0);
}

void rtl8139_raise(Rtl8139 *card, uint16_t bits) {
    card->state.isr |= bits;
    update_irq(card);
}

/* ---- Frames ---- */

static bool receives_descriptors(const Rtl8139 *card) {
    return card->state.cplus & RTL8139_CPLUS_RECEIVE;
}

static bool is_deaf(const Rtl8139 *card) {
    return !(card->state.cr & RTL8139_CR_RECEIVE) || !pci_device_is_master(card->pci) ||
           (card->state.tcr & RTL8139_TCR_LOOPBACK) == RTL8139_TCR_LOOPBACK;
}

static bool has_room(const Rtl8139 *card) {
    return receives_descriptors(card) ? rtl8139_descriptor_is_free(card)
                                      : rtl8139_ring_has_room(card);
}

static bool can_receive(void *opaque) {
    Rtl8139 *card = opaque;
    return is_deaf(card) || has_room(card);
}

/* The bits of the header that tell why a frame was taken; 0: it was not. */
static uint16_t find_match(const Rtl8139State *state, const uint8_t *frame) {
    enum { MULTICAST = 0x8000, OWN_ADDRESS = 0x4000, BROADCAST = 0x2000, ANY = 0x0001 };
    if (network_is_broadcast(frame))
        return state->rcr & (RTL8139_RCR_BROADCAST | RTL8139_RCR_ALL) ? BROADCAST | ANY : 0;
    if (network_is_multicast(frame)) {
        unsigned hash = network_multicast_hash(frame);
        bool wanted =
            (state->rcr & RTL8139_RCR_ALL) ||
            ((state->rcr & RTL8139_RCR_MULTICAST) && (state->multicast[hash / 8] >> hash % 8 & 1));
        return wanted ? MULTICAST | ANY : 0;
    }
    if (memcmp(frame, state->address, NETWORK_ADDRESS_BYTES) == 0)
        return state->rcr & (RTL8139_RCR_OWN | RTL8139_RCR_ALL) ? OWN_ADDRESS | ANY : 0;
    return state->rcr & RTL8139_RCR_ALL ? ANY : 0;
}

static void take_frame(Rtl8139 *card, const uint8_t *frame, size_t size) {
    uint16_t match = find_match(&card->state, frame);
    if (match == 0)
        return;
    if (receives_descriptors(card))
        rtl8139_descriptor_receive(card, frame, size, match);
    else
        rtl8139_ring_receive(card, frame, size, match);
}

static void receive(void *opaque, const uint8_t *frame, size_t size) {
    Rtl8139 *card = opaque;
    if (!is_deaf(card))
        take_frame(card, frame, size);
}

void rtl8139_send_frame(Rtl8139 *card, const uint8_t *frame, size_t size) {
    bool loops = (card->state.tcr & RTL8139_TCR_LOOPBACK) == RTL8139_TCR_LOOPBACK;
    if (!loops)
        network_link_send(card->link, frame, size);
    else if ((card->state.cr & RTL8139_CR_RECEIVE) && size >= NETWORK_FRAME_MIN && has_room(card))
        take_frame(card, frame, size);
}

static void link_changed(void *opaque, bool up) {
    Rtl8139 *card = opaque;
    (void)up;
    rtl8139_raise(card, RTL8139_ISR_LINK);
}

static void start_transmit(Rtl8139 *card) {
    if (!timer_is_armed(&card->transmit))
        timer_arm(&card->transmit, clock_now_ns(card->context.clock) + TRANSMIT_NS);
}

static void transmit(void *opaque) {
    Rtl8139 *card = opaque;
    Rtl8139State *state = &card->state;
    if (!pci_device_is_master(card->pci) || !(state->cr & RTL8139_CR_TRANSMIT))
        return;
    if (!(state->cplus & RTL8139_CPLUS_TRANSMIT)) {
        rtl8139_send_buffers(card);
    } else if (state->polled) {
        if (rtl8139_send_descriptors(card)) {
            start_transmit(card);
        } else {
            state->polled = 0;
            rtl8139_raise(card, RTL8139_ISR_NO_DESCRIPTOR);
        }
    }
}

/* ---- The timer ---- */

static void arm_interval(Rtl8139 *card) {
    Rtl8139State *state = &card->state;
    timer_cancel(&card->timer);
    int64_t due = state->timer_start_ns + (int64_t)state->timer_interval * TIMER_TICK_NS;
    if (state->timer_interval != 0 && due > clock_now_ns(card->context.clock))
        timer_arm(&card->timer, due);
}

static void interval_is_over(void *opaque) {
    rtl8139_raise(opaque, RTL8139_ISR_TIME);
}

/* ---- Registers ---- */

static void reset_chip(Rtl8139 *card) {
    Rtl8139State *state = &card->state;
    timer_cancel(&card->transmit);
    timer_cancel(&card->timer);
    for (unsigned i = 0; i < RTL8139_BUFFERS; i++)
        state->transmit_status[i] = STATUS_OWN;
    memset(state->transmit_address, 0, sizeof(state->transmit_address));
    state->cr = 0;
    state->rcr = state->tcr = 0;
    state->imr = state->isr = 0;
    state->capr = 0xFFF0;
    state->cbr = 0;
    state->cplus = state->is_cplus = state->polled = state->next_buffer = 0;
    state->receive_index = state->transmit_index = 0;
    state->timer_interval = 0;
    update_irq(card);
}

static void write_command(Rtl8139 *card, uint8_t value) {
    Rtl8139State *state = &card->state;
    uint8_t rises = (uint8_t)(value & ~state->cr);
    if (value & RTL8139_CR_RESET) {
        reset_chip(card);
        return;
    }
    if (rises & RTL8139_CR_RECEIVE)
        state->receive_index = 0;
    if (rises & RTL8139_CR_TRANSMIT)
        state->transmit_index = state->next_buffer = 0;
    state->cr = value & (RTL8139_CR_RECEIVE | RTL8139_CR_TRANSMIT);
    network_link_flush(card->link);
}

static void write_phy(Rtl8139 *card, unsigned offset, uint16_t value) {
    Rtl8139State *state = &card->state;
    if (offset == BMCR)
        state->phy_control = value & BMCR_RESET ? BMCR_AUTO : value & (uint16_t)~BMCR_RESTART;
    else if (offset == ANAR)
        state->phy_advertised = value;
}

static void put_le(void *bytes, size_t size, unsigned offset, uint8_t value) {
    if (offset < size)
        ((uint8_t *)bytes)[offset] = value;
}

static void write_byte(Rtl8139 *card, unsigned offset, uint8_t value) {
    Rtl8139State *state = &card->state;
    if (offset < IDR + NETWORK_ADDRESS_BYTES)
        state->address[offset - IDR] = value;
    else if (offset >= MAR && offset < MAR + 8)
        state->multicast[offset - MAR] = value;
    else if (offset == CR)
        write_command(card, value);
    else if (offset == CR_93C46) {
        state->command_93c46 = value & 0xCF;
        rtl8139_eeprom_set_pins(&state->eeprom, card->eeprom_words, value & 0x0F);
    } else if (offset > CONFIG0 && offset < CONFIG0 + 2)
        state->config[offset - CONFIG0] = value;
    else if (offset >= CONFIG3 && offset < CONFIG3 + 2)
        state->config[3 + offset - CONFIG3] = value;
    else if (offset == CONFIG5)
        state->config[5] = value;
    else if (offset == MSR)
        state->media = value & 0xC0;
    else if (offset == TPPOLL) {
        if (value & POLL_SOFTWARE)
            rtl8139_raise(card, RTL8139_ISR_SOFTWARE);
        if (value & POLL_NORMAL) {
            state->polled = 1;
            start_transmit(card);
        }
    }
}

static void write_word(Rtl8139 *card, unsigned offset, uint16_t value) {
    Rtl8139State *state = &card->state;
    switch (offset) {
    case CAPR:
        state->capr = value;
        network_link_flush(card->link);
        break;
    case IMR:
        state->imr = value;
        update_irq(card);
        break;
    case ISR:
        state->isr &= (uint16_t)~value;
        update_irq(card);
        network_link_flush(card->link);
        break;
    case MULTIPLE_INTERRUPT:
        state->multiple_interrupt = value;
        break;
    case CPLUS_COMMAND:
        state->cplus = value;
        state->is_cplus = 1;
        network_link_flush(card->link);
        break;
    default:
        write_phy(card, offset, value);
        break;
    }
}

static void put_half(uint64_t *address, bool upper, uint32_t value) {
    *address = upper ? (*address & UINT32_MAX) | (uint64_t)value << 32
                     : (*address & ~(uint64_t)UINT32_MAX) | (value & ~0xFFu);
}

static void write_transmit_address(Rtl8139State *state, unsigned offset, uint32_t value) {
    unsigned number = (offset - TSAD) / 4;
    if (!state->is_cplus)
        state->transmit_address[number] = value;
    else
        put_half(number < 2 ? &state->transmit_ring : &state->priority_ring, number & 1, value);
}

static void write_double(Rtl8139 *card, unsigned offset, uint32_t value) {
    Rtl8139State *state = &card->state;
    if (offset >= TSD && offset < TSD + 16) {
        state->transmit_status[(offset - TSD) / 4] = value & STATUS_KEPT;
        start_transmit(card);
    } else if (offset >= TSAD && offset < TSAD + 16) {
        write_transmit_address(state, offset, value);
    } else if (offset == RBSTART) {
        state->receive_buffer = value;
        state->cbr = 0;
    } else if (offset == TCR) {
        state->tcr = value & TCR_WRITABLE;
    } else if (offset == RCR) {
        state->rcr = value;
        network_link_flush(card->link);
    } else if (offset == TCTR) {
        state->timer_start_ns = clock_now_ns(card->context.clock);
        arm_interval(card);
    } else if (offset == MPC) {
        state->missed = 0;
    } else if (offset == TIMER_INTERVAL) {
        state->timer_interval = value;
        arm_interval(card);
    } else if (offset == RDSAR || offset == RDSAR + 4) {
        put_half(&state->receive_ring, offset != RDSAR, value);
    }
}

/* A register that is wider than the access is changed in part. */
static uint32_t read_register(Rtl8139 *card, unsigned offset, unsigned size);

static void register_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    static const uint8_t words[] = {CAPR, IMR, ISR, MULTIPLE_INTERRUPT, BMCR, ANAR, CPLUS_COMMAND};
    static const uint8_t doubles[] = {TSD,      TSD + 4,        TSD + 8, TSD + 12, TSAD, TSAD + 4,
                                      TSAD + 8, TSAD + 12,      RBSTART, TCR,      RCR,  TCTR,
                                      MPC,      TIMER_INTERVAL, RDSAR,   RDSAR + 4};
    Rtl8139 *card = opaque;
    for (unsigned done = 0; done < size && offset + done < RTL8139_REGISTERS;) {
        unsigned at = offset + done, left = size - done, width = 1;
        for (size_t i = 0; i < sizeof(doubles); i++)
            if (at >= doubles[i] && at < doubles[i] + 4u)
                width = 4;
        for (size_t i = 0; i < sizeof(words); i++)
            if (at >= words[i] && at < words[i] + 2u)
                width = 2;
        unsigned base = at & ~(width - 1), part = at - base;
        unsigned now = width - part < left ? width - part : left;
        /* Bits of the status register are cleared by ones: its other half gets none. */
        uint32_t old = base == ISR ? 0 : read_register(card, base, width);
        uint8_t bytes[4];
        store_le32(bytes, old);
        for (unsigned i = 0; i < now; i++)
            put_le(bytes, sizeof(bytes), part + i, (uint8_t)(value >> 8 * (done + i)));
        if (width == 4)
            write_double(card, base, load_le32(bytes));
        else if (width == 2)
            write_word(card, base, load_le16(bytes));
        else
            write_byte(card, at, bytes[0]);
        done += now;
    }
}

static uint16_t transmit_summary(const Rtl8139State *state) {
    uint16_t summary = 0;
    for (unsigned i = 0; i < RTL8139_BUFFERS; i++) {
        uint32_t status = state->transmit_status[i];
        summary |= (uint16_t)((status >> 15 & 1) << (12 + i) | (status >> 13 & 1) << i);
    }
    return summary;
}

/* All registers as bytes. */
static void fill_registers(const Rtl8139 *card, uint8_t *bytes) {
    const Rtl8139State *state = &card->state;
    bool up = network_link_is_up(card->link);
    int64_t ticks = (clock_now_ns(card->context.clock) - state->timer_start_ns) / TIMER_TICK_NS;
    memset(bytes, 0, RTL8139_REGISTERS);
    memcpy(bytes + IDR, state->address, sizeof(state->address));
    memcpy(bytes + MAR, state->multicast, sizeof(state->multicast));
    for (unsigned i = 0; i < RTL8139_BUFFERS; i++) {
        store_le32(bytes + TSD + 4 * i, state->transmit_status[i]);
        store_le32(bytes + TSAD + 4 * i, state->transmit_address[i]);
    }
    if (state->is_cplus) {
        store_le64(bytes + TSAD, state->transmit_ring);
        store_le64(bytes + TSAD + 8, state->priority_ring);
    }
    store_le32(bytes + RBSTART, state->receive_buffer);
    bytes[CR] = (uint8_t)(state->cr | (rtl8139_ring_is_empty(card) ? RTL8139_CR_EMPTY : 0));
    store_le16(bytes + CAPR, state->capr);
    store_le16(bytes + CBR, state->cbr);
    store_le16(bytes + IMR, state->imr);
    store_le16(bytes + ISR, state->isr);
    store_le32(bytes + TCR, state->tcr | TCR_VERSION);
    store_le32(bytes + RCR, state->rcr);
    store_le32(bytes + TCTR, (uint32_t)ticks);
    store_le32(bytes + MPC, state->missed);
    bytes[CR_93C46] = (uint8_t)((state->command_93c46 & ~1u) | state->eeprom.output);
    memcpy(bytes + CONFIG0, state->config, 2);
    store_le32(bytes + TIMER_INTERVAL, state->timer_interval);
    bytes[MSR] = (uint8_t)(state->media | (up ? 0 : MSR_NO_LINK));
    memcpy(bytes + CONFIG3, state->config + 3, 2);
    store_le16(bytes + MULTIPLE_INTERRUPT, state->multiple_interrupt);
    store_le16(bytes + TSAD_ALL, transmit_summary(state));
    store_le16(bytes + BMCR, state->phy_control);
    store_le16(bytes + BMSR, (uint16_t)(BMSR_CAN | (up ? BMSR_LINK | BMSR_DONE : 0)));
    store_le16(bytes + ANAR, state->phy_advertised);
    store_le16(bytes + ANLPAR, up ? LINK_PARTNER : 0);
    bytes[CONFIG5] = state->config[5];
    store_le16(bytes + CPLUS_COMMAND, state->cplus);
    store_le64(bytes + RDSAR, state->receive_ring);
}

static uint32_t read_register(Rtl8139 *card, unsigned offset, unsigned size) {
    uint8_t bytes[RTL8139_REGISTERS + 4] = {0};
    fill_registers(card, bytes);
    return load_le32(bytes + offset) & (UINT32_MAX >> (32 - 8 * size));
}

static uint32_t register_read(void *opaque, uint32_t offset, unsigned size) {
    Rtl8139 *card = opaque;
    if (offset >= RTL8139_REGISTERS)
        return 0;
    /* What drivers ask at every interrupt needs no table. */
    if (offset == ISR && size == 2)
        return card->state.isr;
    if (offset == CR && size == 1)
        return card->state.cr | (rtl8139_ring_is_empty(card) ? RTL8139_CR_EMPTY : 0u);
    return read_register(card, offset, size);
}

/* ---- Plugging in ---- */

static void rtl8139_reset(void *opaque) {
    Rtl8139 *card = opaque;
    timer_cancel(&card->transmit);
    timer_cancel(&card->timer);
    card->state = (Rtl8139State){.transmit_ns = TIMER_NEVER,
                                 .timer_ns = TIMER_NEVER,
                                 .phy_control = BMCR_AUTO,
                                 .phy_advertised = ANAR_USUAL,
                                 .config = {0, 0x0D, 0, 0, 0, 0}};
    for (unsigned i = 0; i < 3; i++)
        store_le16(card->state.address + 2 * i, card->eeprom_words[7 + i]);
    reset_chip(card);
}

/* Indices of a damaged state stay within their arrays. */
static void rtl8139_restored(void *opaque) {
    Rtl8139 *card = opaque;
    card->state.next_buffer %= RTL8139_BUFFERS;
    card->state.eeprom.output &= 1;
}

static const DeviceClass rtl8139_class = {"rtl8139", &fields, rtl8139_reset, rtl8139_restored};

static void destroy(void *opaque) {
    free(opaque);
}

static void *create(const DeviceContext *context, PciBus *bus, const NetworkCardOptions *options,
                    Error *error) {
    Rtl8139 *card = allocate_zeroed(sizeof(*card));
    const NetworkCardPort port = {can_receive, receive, link_changed, card};
    const PciDeviceInfo info = {
        .name = "rtl8139",
        .vendor_id = VENDOR,
        .device_id = DEVICE,
        .class_code = CLASS_ETHERNET,
        .revision = REVISION_CPLUS,
        .subsystem_vendor_id = 0x1AF4,
        .subsystem_id = 0x1100,
        .interrupt_pin = 1,
        .bars =
            {[BAR_PORTS] = {.type = PCI_BAR_IO, RTL8139_REGISTERS, register_read, register_write},
             [BAR_MEMORY] = {.type = PCI_BAR_MEMORY, MEMORY_BYTES, register_read, register_write}},
        .rom = options->rom,
        .rom_size = options->rom_size,
        .opaque = card,
    };
    card->context = *context;
    card->link = options->link;
    snprintf(card->id, sizeof(card->id), "%s", options->id);
    rtl8139_eeprom_fill(card->eeprom_words, options->address);
    timer_init(&card->transmit, context->clock, "rtl8139 transmit", &card->state.transmit_ns,
               transmit, card);
    timer_init(&card->timer, context->clock, "rtl8139 timer", &card->state.timer_ns,
               interval_is_over, card);
    card->pci = pci_device_add(bus, options->slot, 0, &info, error);
    if (card->pci == NULL) {
        destroy(card);
        return NULL;
    }
    network_link_attach_card(options->link, &port);
    rtl8139_reset(card);
    device_list_add(context->devices, &rtl8139_class, card->id, card, &card->state);
    return card;
}

const NetworkCardModel rtl8139_model = {
    .name = "rtl8139",
    .help = "Realtek RTL8139C+",
    .rom = "rtl8139",
    .create = create,
    .destroy = destroy,
};

#include "e1000.h"
#include "allocate.h"
#include "e1000_internal.h"
#include "little_endian.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VENDOR_ID = 0x8086, DEVICE_ID = 0x100E, CLASS_ETHERNET = 0x020000, REVISION = 3 };
enum { BAR_MEMORY = 0, BAR_WINDOW = 1, WINDOW_BYTES = 64 };

/* --- counters ----------------------------------------------------------------------------------
 */

void e1000_count(E1000 *card, unsigned counter, uint32_t by) {
    uint32_t *value = &card->state.count[counter];
    *value = by > UINT32_MAX - *value ? UINT32_MAX : *value + by;
}

/* Of 64 bits, in two registers. */
static void count_bytes(E1000 *card, unsigned counter, uint64_t by) {
    uint32_t *pair = &card->state.count[counter];
    uint64_t value = (uint64_t)pair[1] << 32 | pair[0];
    value = by > UINT64_MAX - value ? UINT64_MAX : value + by;
    pair[0] = (uint32_t)value;
    pair[1] = (uint32_t)(value >> 32);
}

static unsigned size_class(size_t size) {
    static const uint16_t limits[] = {64, 127, 255, 511, 1023};
    unsigned i = 0;
    while (i < sizeof(limits) / sizeof(limits[0]) && size > limits[i])
        i++;
    return i;
}

void e1000_count_frame(E1000 *card, const E1000Counters *counters, const uint8_t *frame,
                       size_t size) {
    enum { CRC_BYTES = 4 };
    e1000_count(card, counters->good, 1);
    e1000_count(card, counters->all, 1);
    count_bytes(card, counters->bytes, size + CRC_BYTES);
    count_bytes(card, counters->all_bytes, size + CRC_BYTES);
    e1000_count(card, counters->sizes + size_class(size + CRC_BYTES), 1);
    if (network_is_broadcast(frame))
        e1000_count(card, counters->broadcast, 1);
    else if (network_is_multicast(frame))
        e1000_count(card, counters->multicast, 1);
}

/* --- timers ------------------------------------------------------------------------------------
 */

void e1000_arm(E1000 *card, E1000Timer timer, int64_t ns) {
    timer_arm(&card->timers[timer], clock_now_ns(card->context.clock) + ns);
}

void e1000_cancel(E1000 *card, E1000Timer timer) {
    timer_cancel(&card->timers[timer]);
}

bool e1000_is_master(const E1000 *card) {
    return pci_device_is_master(card->pci);
}

bool e1000_has_link(const E1000 *card) {
    return (card->state.phy[E1000_PHY_STATUS] & E1000_PHY_LINK) != 0;
}

static bool may_transmit(const E1000 *card) {
    const E1000State *state = &card->state;
    return (state->tctl & E1000_TCTL_ENABLE) && state->tdh != state->tdt && e1000_is_master(card);
}

/* Work waits for a bus master. */
void e1000_want_transmit(E1000 *card) {
    if (may_transmit(card) && !timer_is_armed(&card->timers[E1000_TIMER_TRANSMIT]))
        e1000_arm(card, E1000_TIMER_TRANSMIT, DMA_ACCESS_NS);
}

void e1000_want_frames(E1000 *card) {
    if (e1000_can_receive(card))
        network_link_flush(card->link);
}

static void transmit_fired(void *opaque) {
    E1000 *card = opaque;
    if (!may_transmit(card))
        return;
    uint32_t before = card->state.tdh;
    card->working = true;
    int64_t ns = e1000_transmit(card);
    card->working = false;
    if (ns < 0 && card->state.tdh != before)
        ns = NETWORK_STREAM_NS;
    if (ns >= 0)
        e1000_arm(card, E1000_TIMER_TRANSMIT, ns);
}

static void receive_delay_fired(void *opaque) {
    e1000_interrupt_timer(opaque, E1000_TIMER_RECEIVE_DELAY);
}

static void transmit_delay_fired(void *opaque) {
    e1000_interrupt_timer(opaque, E1000_TIMER_TRANSMIT_DELAY);
}

static void throttle_fired(void *opaque) {
    e1000_interrupt_timer(opaque, E1000_TIMER_THROTTLE);
}

static void link_fired(void *opaque) {
    e1000_phy_negotiated(opaque);
}

static void create_timers(E1000 *card) {
    static const struct {
        const char *name;
        void (*fire)(void *opaque);
    } timers[E1000_TIMERS] = {
        [E1000_TIMER_TRANSMIT] = {"e1000 transmit", transmit_fired},
        [E1000_TIMER_RECEIVE_DELAY] = {"e1000 interrupt", receive_delay_fired},
        [E1000_TIMER_RECEIVE_ABSOLUTE] = {"e1000 interrupt", receive_delay_fired},
        [E1000_TIMER_TRANSMIT_DELAY] = {"e1000 interrupt", transmit_delay_fired},
        [E1000_TIMER_TRANSMIT_ABSOLUTE] = {"e1000 interrupt", transmit_delay_fired},
        [E1000_TIMER_THROTTLE] = {"e1000 interrupt", throttle_fired},
        [E1000_TIMER_LINK] = {"e1000 link", link_fired},
    };
    for (unsigned i = 0; i < E1000_TIMERS; i++)
        timer_init(&card->timers[i], card->context.clock, timers[i].name, &card->state.due_ns[i],
                   timers[i].fire, card);
}

/* --- reset, save and restore -------------------------------------------------------------------
 */

/* The chip takes its address from the EEPROM. */
static void load_address(E1000 *card) {
    const uint16_t *words = card->state.eeprom.words;
    card->state.ra[0] = words[0] | (uint32_t)words[1] << 16;
    card->state.ra[1] = words[2] | UINT32_C(1) << 31;
}

void e1000_reset_chip(E1000 *card) {
    for (unsigned i = 0; i < E1000_TIMERS; i++)
        if (i != E1000_TIMER_LINK)
            e1000_cancel(card, i);
    e1000_registers_reset(card);
    card->state.quiet_until_ns = 0;
    memset(card->state.context, 0, sizeof(card->state.context));
    load_address(card);
    e1000_update_interrupt(card);
}

static void reset(void *opaque) {
    E1000 *card = opaque;
    e1000_reset_chip(card);
    card->state.io_address = 0;
    e1000_eeprom_write_pins(card, 0);
    card->state.link_down = !network_link_is_up(card->link);
    e1000_phy_reset(card);
}

/* Bounds what a damaged save may hold. */
static void restored(void *opaque) {
    E1000 *card = opaque;
    card->state.eeprom.address %= E1000_EEPROM_WORDS;
    card->state.io_address &= E1000_MEMORY_BYTES - 4;
}

static const DeviceClass device_class = {"e1000", &e1000_fields, reset, restored};

/* --- on the bus --------------------------------------------------------------------------------
 */

static void config_written(void *opaque, unsigned offset, unsigned size) {
    E1000 *card = opaque;
    if (offset == 0 && size == PCI_CONFIG_SIZE)
        return;
    e1000_want_transmit(card);
    e1000_want_frames(card);
}

static bool can_receive(void *opaque) {
    return e1000_can_receive(opaque);
}

static void receive(void *opaque, const uint8_t *frame, size_t size) {
    e1000_receive(opaque, frame, size);
}

static void link_changed(void *opaque, bool up) {
    e1000_phy_set_cable(opaque, up);
}

static void *create(const DeviceContext *context, PciBus *bus, const NetworkCardOptions *options,
                    Error *error) {
    E1000 *card = allocate_zeroed(sizeof(*card));
    const PciDeviceInfo info = {
        .name = "e1000",
        .vendor_id = VENDOR_ID,
        .device_id = DEVICE_ID,
        .class_code = CLASS_ETHERNET,
        .revision = REVISION,
        .subsystem_vendor_id = 0x1AF4,
        .subsystem_id = 0x1100,
        .interrupt_pin = 1,
        .bars = {[BAR_MEMORY] = {.type = PCI_BAR_MEMORY,
                                 E1000_MEMORY_BYTES,
                                 e1000_register_read,
                                 e1000_register_write},
                 [BAR_WINDOW] =
                     {.type = PCI_BAR_IO, WINDOW_BYTES, e1000_window_read, e1000_window_write}},
        .rom = options->rom,
        .rom_size = options->rom_size,
        .opaque = card,
        .config_written = config_written,
    };
    card->context = *context;
    card->link = options->link;
    snprintf(card->id, sizeof(card->id), "%s", options->id);
    card->pci = pci_device_add(bus, options->slot, 0, &info, error);
    if (card->pci == NULL) {
        free(card);
        return NULL;
    }
    create_timers(card);
    e1000_eeprom_fill(&card->state.eeprom, options->address);
    device_list_add(context->devices, &device_class, card->id, card, &card->state);
    const NetworkCardPort port = {can_receive, receive, link_changed, card};
    network_link_attach_card(card->link, &port);
    reset(card);
    return card;
}

static void destroy(void *opaque) {
    free(opaque);
}

const NetworkCardModel e1000_model = {
    .name = "e1000",
    .alias = "e1000-82540em",
    .help = "Intel's 82540EM, a Gigabit Ethernet card",
    .rom = "e1000",
    .create = create,
    .destroy = destroy,
};

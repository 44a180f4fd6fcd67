/* The PHY on the chip (8.2.1; registers of IEEE 802.3 clause 22 and of Marvell's 88E1011), reached
 * through MDIC (13.4.8). Its partner at the other end of the cable can do all that it can. */
#include "e1000_internal.h"

enum { PHY_ADDRESS = 1, NEGOTIATION_NS = 10 * 1000 * 1000 };

/* MDIC. */
enum {
    MDIC_REGISTER_SHIFT = 16,
    MDIC_ADDRESS_SHIFT = 21,
    MDIC_WRITE = 1 << 26,
    MDIC_READ = 1 << 27,
    MDIC_READY = 1 << 28,
    MDIC_INTERRUPT = 1 << 29,
    MDIC_ERROR = 1 << 30,
};

enum {
    ID_1 = 2,
    ID_2 = 3,
    ADVERTISED = 4,
    PARTNER = 5,
    EXPANSION = 6,
    NEXT_PAGE = 7,
    GIGABIT_CONTROL = 9,
    GIGABIT_STATUS = 10,
    EXTENDED_STATUS = 15,
    SPECIFIC_CONTROL = 16,
    SPECIFIC_STATUS = 17,
    INTERRUPT_ENABLE = 18,
    INTERRUPT_STATUS = 19,
    EXTENDED_CONTROL = 20,
    RECEIVE_ERRORS = 21,
};

enum {
    CONTROL_RESET = 1 << 15,
    CONTROL_NEGOTIATE = 1 << 12,
    CONTROL_RESTART = 1 << 9,
    CONTROL_DEFAULT = 0x1140, /* negotiates, full duplex, 1000 Mb/s */
    STATUS_ABILITIES = 0x7949,
    SPECIFIC_LINK = 1 << 10,
    SPECIFIC_GIGABIT_FULL_DUPLEX = 0xA800, /* and that this is known */
    INTERRUPTS_OF_LINK = 0x0C00,           /* it changed, negotiation is done */
    PARTNER_ABILITIES = 0xC5E1,
    GIGABIT_PARTNER = 0x3C00,
};

/* What software writes; the rest is read only. */
static const uint16_t writable[E1000_PHY_REGISTERS] = {
    [E1000_PHY_CONTROL] = 0x7DC0,
    [ADVERTISED] = 0xFFFF,
    [NEXT_PAGE] = 0xFFFF,
    [GIGABIT_CONTROL] = 0xFF00,
    [SPECIFIC_CONTROL] = 0xFFFF,
    [INTERRUPT_ENABLE] = 0xFFFF,
    [EXTENDED_CONTROL] = 0xFFFF,
    [22] = 0xFFFF,
    [24] = 0xFFFF,
    [25] = 0xFFFF,
    [26] = 0xFFFF,
    [29] = 0xFFFF,
    [30] = 0xFFFF,
};

static void link_goes(E1000 *card) {
    uint16_t *phy = card->state.phy;
    phy[E1000_PHY_STATUS] = STATUS_ABILITIES;
    phy[PARTNER] = phy[GIGABIT_STATUS] = phy[EXPANSION] = 0;
    phy[SPECIFIC_STATUS] &= (uint16_t) ~(SPECIFIC_LINK | SPECIFIC_GIGABIT_FULL_DUPLEX);
    e1000_cancel(card, E1000_TIMER_LINK);
}

static void negotiate(E1000 *card) {
    link_goes(card);
    if (!card->state.link_down)
        e1000_arm(card, E1000_TIMER_LINK, NEGOTIATION_NS);
}

/* Without asking the cable's other end: speed and duplex are what software forces. */
void e1000_phy_negotiated(E1000 *card) {
    uint16_t *phy = card->state.phy;
    phy[E1000_PHY_STATUS] |= E1000_PHY_LINK | E1000_PHY_NEGOTIATED;
    phy[PARTNER] = PARTNER_ABILITIES;
    phy[EXPANSION] = 1;
    phy[GIGABIT_STATUS] = GIGABIT_PARTNER;
    phy[SPECIFIC_STATUS] |= SPECIFIC_LINK | SPECIFIC_GIGABIT_FULL_DUPLEX;
    phy[INTERRUPT_STATUS] |= INTERRUPTS_OF_LINK;
    e1000_raise(card, E1000_LSC);
}

void e1000_phy_reset(E1000 *card) {
    uint16_t *phy = card->state.phy;
    for (unsigned i = 0; i < E1000_PHY_REGISTERS; i++)
        phy[i] = 0;
    phy[E1000_PHY_CONTROL] = CONTROL_DEFAULT;
    phy[ID_1] = 0x0141;
    phy[ID_2] = 0x0C20;
    phy[ADVERTISED] = 0x0DE1;
    phy[NEXT_PAGE] = 0x2001;
    phy[GIGABIT_CONTROL] = 0x0E00;
    phy[EXTENDED_STATUS] = 0x3000;
    phy[SPECIFIC_CONTROL] = 0x0360;
    phy[EXTENDED_CONTROL] = 0x0D60;
    negotiate(card);
}

void e1000_phy_set_cable(E1000 *card, bool plugged) {
    if (plugged == !card->state.link_down)
        return;
    card->state.link_down = !plugged;
    if (plugged) {
        negotiate(card);
        return;
    }
    link_goes(card);
    card->state.phy[INTERRUPT_STATUS] |= INTERRUPTS_OF_LINK;
    e1000_raise(card, E1000_LSC);
}

static uint16_t read_register(E1000 *card, unsigned number) {
    uint16_t value = card->state.phy[number];
    if (number == INTERRUPT_STATUS || number == RECEIVE_ERRORS)
        card->state.phy[number] = 0;
    return value;
}

static void write_register(E1000 *card, unsigned number, uint16_t value) {
    uint16_t *phy = &card->state.phy[number];
    if (number == E1000_PHY_CONTROL && (value & CONTROL_RESET)) {
        e1000_phy_reset(card);
        return;
    }
    *phy = (uint16_t)((*phy & ~writable[number]) | (value & writable[number]));
    if (number == E1000_PHY_CONTROL && (value & CONTROL_NEGOTIATE) && (value & CONTROL_RESTART))
        negotiate(card);
    else if (number == E1000_PHY_CONTROL && !(value & CONTROL_NEGOTIATE) && !card->state.link_down)
        e1000_phy_negotiated(card);
}

uint32_t e1000_phy_access(E1000 *card, uint32_t mdic) {
    unsigned number = mdic >> MDIC_REGISTER_SHIFT & (E1000_PHY_REGISTERS - 1);
    uint32_t result = mdic & ~(uint32_t)MDIC_ERROR;
    if ((mdic >> MDIC_ADDRESS_SHIFT & 0x1F) != PHY_ADDRESS)
        result |= MDIC_ERROR;
    else if (mdic & MDIC_READ)
        result = (result & 0xFFFF0000) | read_register(card, number);
    else if (mdic & MDIC_WRITE)
        write_register(card, number, (uint16_t)mdic);
    if (mdic & MDIC_INTERRUPT)
        e1000_raise(card, E1000_MDAC);
    return result | MDIC_READY;
}

/* What APICs send each other: an interrupt on its way to one or several local APICs. (SDM vol. 3A
 * 10.6, 10.11; 82093AA data sheet 3.2.4.) */
#ifndef REPRISE_APIC_MESSAGE_H
#define REPRISE_APIC_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

/* Delivery modes, as bits 10:8 of the interrupt command register, of the local vector table and of
 * the I/O APIC's redirection table encode them. */
enum {
    APIC_DELIVERY_FIXED = 0,
    APIC_DELIVERY_LOWEST_PRIORITY = 1,
    APIC_DELIVERY_SMI = 2,
    APIC_DELIVERY_NMI = 4,
    APIC_DELIVERY_INIT = 5,
    APIC_DELIVERY_STARTUP = 6,
    APIC_DELIVERY_EXTINT = 7,
};

/* The physical destination that means everybody, in eight bits. */
#define APIC_DESTINATION_ALL 0xFFu

typedef struct ApicMessage {
    uint32_t destination;
    bool logical; /* 'destination' is a set, matched with logical IDs */
    bool wide;    /* all 32 bits of 'destination' count, as one in x2APIC mode sends it */
    uint8_t delivery_mode;
    uint8_t vector;
    bool level; /* level-triggered: the local APIC reports its end to the I/O APIC */
} ApicMessage;

/* Where messages go. 'send' tells whether somebody took it. */
typedef struct ApicBus {
    bool (*send)(void *opaque, const ApicMessage *message);
    void *opaque;
} ApicBus;

#endif

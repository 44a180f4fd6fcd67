/* What the files of the local APIC share: local_apic.c (registers, the device),
 * local_apic_interrupts.c (acceptance, priorities, delivery), local_apic_timer.c. */
#ifndef REPRISE_LOCAL_APIC_INTERNAL_H
#define REPRISE_LOCAL_APIC_INTERNAL_H

#include "local_apic.h"

/* The local vector table, in the order of its registers. */
enum { LVT_TIMER, LVT_THERMAL, LVT_PERFORMANCE, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };

enum {
    LVT_VECTOR = 0xFF,
    LVT_DELIVERY_MODE = 7 << 8,
    LVT_STATUS = 1 << 12, /* never pending here */
    LVT_POLARITY = 1 << 13,
    LVT_REMOTE_IRR = 1 << 14,
    LVT_LEVEL = 1 << 15,
    LVT_MASKED = 1 << 16,
    LVT_PERIODIC = 1 << 17,
    LVT_TSC_DEADLINE = 1 << 18,
};
#define LVT_DELIVERY_MODE_OF(entry) ((entry) >> 8 & 7)

enum { SPURIOUS_VECTOR_ENABLED = 1 << 8 };

/* Error status register, SDM vol. 3A 10.5.3. */
enum {
    ERROR_SEND_ILLEGAL_VECTOR = 1 << 5,
    ERROR_RECEIVE_ILLEGAL_VECTOR = 1 << 6,
    ERROR_ILLEGAL_REGISTER = 1 << 7,
};

/* IA32_APIC_BASE: SDM vol. 3A 10.4.4, 10.12.1. Physical addresses have 36 bits. */
#define BASE_BOOT_PROCESSOR UINT64_C(0x100)
#define BASE_X2APIC UINT64_C(0x400)
#define BASE_ENABLED UINT64_C(0x800)
#define BASE_ADDRESS UINT64_C(0xFFFFFF000)

typedef struct LocalApicState {
    uint64_t base;     /* IA32_APIC_BASE */
    uint64_t deadline; /* IA32_TSC_DEADLINE; 0: not armed */
    /* The timer counted 'timer_count' at 'timer_ns' and counts down since; 0: it stands still. */
    int64_t timer_due_ns, timer_ns;
    uint32_t timer_count, timer_initial, timer_divide;
    uint32_t id, tpr, ldr, dfr, svr;
    uint32_t esr, errors; /* what software sees, and what happened since it last looked */
    uint32_t icr_low, icr_high;
    uint32_t lvt[LVT_COUNT];
    uint32_t isr[8], tmr[8], irr[8];
    uint32_t lint_levels;      /* a bit a pin */
    uint32_t external_pending; /* an ExtINT message waits for the processor */
} LocalApicState;

struct LocalApic {
    LocalApicState state;
    Timer timer;
    VirtualClock *clock;
    LocalApicGroup *group;
    LocalApicPins pins;
    uint32_t mapped_base; /* where the registers are in memory at present */
    bool mapped;
    uint8_t initial_id;
    char name[8]; /* among the devices: "apic", "apic1"... */
};

/* local_apic.c: registers as RESET and INIT leave them (the ID and the base stay). */
void local_apic_reset_registers(LocalApic *apic);
/* An access to the page of its registers. */
uint32_t local_apic_mmio_read(LocalApic *apic, uint32_t offset, unsigned size);
void local_apic_mmio_write(LocalApic *apic, uint32_t offset, unsigned size, uint32_t value);
/* A write as software makes it; false: there is no such register, or it cannot be written. */
bool local_apic_write_register(LocalApic *apic, unsigned index, uint32_t value);
bool local_apic_has_register(unsigned index);
/* Bits that software may set; all of them where a register looks at its bits itself. */
uint32_t local_apic_writable_bits(const LocalApic *apic, unsigned index);

/* local_apic_x2apic.c */
bool local_apic_is_x2apic(const LocalApic *apic); /* its mode, as IA32_APIC_BASE says */
/* May IA32_APIC_BASE become 'value'? */
bool local_apic_is_base_allowed(const LocalApic *apic, uint64_t value);
/* Claims the registers' MSRs, if the processor has x2APIC. */
bool local_apic_claim_x2apic(LocalApic *apic, MsrMap *msrs, Error *error);
/* Whether a message of the interrupt command register's upper half means this one. */
bool local_apic_is_x2apic_destination(const LocalApic *apic, uint32_t destination, bool logical);

/* local_apic_interrupts.c */
uint8_t local_apic_priority(const LocalApic *apic); /* the processor priority register */
uint8_t local_apic_arbitration_priority(const LocalApic *apic);
/* Drives INTR by what is requested now. After every change of what it depends on. */
void local_apic_update(LocalApic *apic);
void local_apic_end_interrupt(LocalApic *apic);
/* An event of a local source: what its entry of the local vector table says. */
void local_apic_raise(LocalApic *apic, unsigned entry);
/* The entry was written, or a pin moved: level-triggered requests are looked at again. */
void local_apic_look_at_pins(LocalApic *apic);
void local_apic_error(LocalApic *apic, uint32_t bit);
/* Does the message mean this one, and will it have it? */
bool local_apic_is_destination(const LocalApic *apic, const ApicMessage *message);
bool local_apic_accept(LocalApic *apic, const ApicMessage *message);
/* The lower half of the interrupt command register was written. */
void local_apic_send(LocalApic *apic);

/* local_apic_timer.c */
uint32_t local_apic_timer_count(const LocalApic *apic);
void local_apic_timer_start(LocalApic *apic, uint32_t count);
void local_apic_timer_set_divide(LocalApic *apic, uint32_t value);
/* The timer's mode or mask is to become 'entry'. */
void local_apic_timer_set_entry(LocalApic *apic, uint32_t entry);
void local_apic_timer_fire(void *apic);
/* Claims IA32_TSC_DEADLINE, if the processor has it. */
bool local_apic_claim_deadline(LocalApic *apic, MsrMap *msrs, Error *error);

#endif

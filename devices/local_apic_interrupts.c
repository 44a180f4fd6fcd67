/* Acceptance, priorities and delivery of interrupts: SDM vol. 3A 10.5 to 10.9. */
#include "local_apic_internal.h"

enum { NO_VECTOR = -1, FIRST_LEGAL_VECTOR = 16 };

/* Interrupt command register, SDM vol. 3A 10.6.1. */
enum {
    COMMAND_LOGICAL = 1 << 11,
    COMMAND_ASSERT = 1 << 14,
    COMMAND_LEVEL = 1 << 15,
    SHORTHAND_NONE = 0,
    SHORTHAND_SELF = 1,
    SHORTHAND_ALL = 2,
};

/* --- sets of vectors ---------------------------------------------------------------------------
 */

static bool set_holds(const uint32_t set[8], uint8_t vector) {
    return set[vector >> 5] >> (vector & 31) & 1;
}

static void set_add(uint32_t set[8], uint8_t vector) {
    set[vector >> 5] |= 1u << (vector & 31);
}

static void set_remove(uint32_t set[8], uint8_t vector) {
    set[vector >> 5] &= ~(1u << (vector & 31));
}

static int set_highest(const uint32_t set[8]) {
    for (int word = 7; word >= 0; word--)
        if (set[word] != 0)
            return word * 32 + 31 - __builtin_clz(set[word]);
    return NO_VECTOR;
}

/* --- priorities --------------------------------------------------------------------------------
 */

static unsigned class_of(int vector) {
    return vector < 0 ? 0 : (unsigned)vector & 0xF0;
}

/* SDM vol. 3A 10.8.3.1. */
uint8_t local_apic_priority(const LocalApic *apic) {
    const LocalApicState *state = &apic->state;
    unsigned serving = class_of(set_highest(state->isr));
    return (uint8_t)((state->tpr & 0xF0) >= serving ? state->tpr : serving);
}

/* Pentium III, SDM vol. 3A 10.6.2.4. */
uint8_t local_apic_arbitration_priority(const LocalApic *apic) {
    const LocalApicState *state = &apic->state;
    unsigned task = state->tpr & 0xF0;
    unsigned serving = class_of(set_highest(state->isr));
    unsigned requested = class_of(set_highest(state->irr));
    if (task >= requested && task > serving)
        return (uint8_t)state->tpr;
    unsigned common = task & serving;
    return (uint8_t)(common > requested ? common : requested);
}

/* The vector that would interrupt the processor now. */
static int requested_vector(const LocalApic *apic) {
    int vector = set_highest(apic->state.irr);
    bool enabled = (apic->state.svr & SPURIOUS_VECTOR_ENABLED) != 0;
    return enabled && class_of(vector) > (local_apic_priority(apic) & 0xF0u) ? vector : NO_VECTOR;
}

static bool pin_is_external(const LocalApic *apic, unsigned pin) {
    uint32_t entry = apic->state.lvt[LVT_LINT0 + pin];
    return (apic->state.lint_levels >> pin & 1) && !(entry & LVT_MASKED) &&
           LVT_DELIVERY_MODE_OF(entry) == APIC_DELIVERY_EXTINT;
}

static bool wants_external(const LocalApic *apic) {
    return apic->state.external_pending || pin_is_external(apic, 0) || pin_is_external(apic, 1);
}

void local_apic_update(LocalApic *apic) {
    bool request;
    if (local_apic_is_enabled(apic))
        request = wants_external(apic) || requested_vector(apic) != NO_VECTOR;
    else
        request = apic->state.lint_levels & 1; /* LINT0 is INTR: SDM vol. 3A 10.4.3 */
    wire_set(&apic->pins.intr, request);
}

int local_apic_acknowledge(void *opaque) {
    LocalApic *apic = opaque;
    LocalApicState *state = &apic->state;
    bool enabled = local_apic_is_enabled(apic);
    int vector = enabled ? requested_vector(apic) : NO_VECTOR;
    if (vector != NO_VECTOR) {
        set_remove(state->irr, (uint8_t)vector);
        set_add(state->isr, (uint8_t)vector);
    } else if (!enabled || wants_external(apic)) {
        state->external_pending = 0;
        vector = apic->pins.acknowledge_external(apic->pins.external);
    } else { /* the request went away: SDM vol. 3A 10.9 */
        vector = state->svr & 0xFF;
    }
    local_apic_update(apic);
    return vector;
}

/* --- acceptance --------------------------------------------------------------------------------
 */

static bool accept_fixed(LocalApic *apic, uint8_t vector, bool level) {
    LocalApicState *state = &apic->state;
    if (!(state->svr & SPURIOUS_VECTOR_ENABLED))
        return false;
    if (vector < FIRST_LEGAL_VECTOR) {
        local_apic_error(apic, ERROR_RECEIVE_ILLEGAL_VECTOR);
        return true;
    }
    set_add(state->irr, vector);
    if (level)
        set_add(state->tmr, vector);
    else
        set_remove(state->tmr, vector);
    local_apic_update(apic);
    return true;
}

/* False: nobody took it. */
static bool accept(LocalApic *apic, unsigned delivery_mode, uint8_t vector, bool level) {
    switch (delivery_mode) {
    case APIC_DELIVERY_FIXED:
    case APIC_DELIVERY_LOWEST_PRIORITY:
        return accept_fixed(apic, vector, level);
    case APIC_DELIVERY_SMI:
        wire_pulse(&apic->pins.smi);
        return true;
    case APIC_DELIVERY_NMI:
        wire_pulse(&apic->pins.nmi);
        return true;
    case APIC_DELIVERY_INIT:
        local_apic_reset_registers(apic);
        wire_pulse(&apic->pins.init);
        return true;
    case APIC_DELIVERY_EXTINT:
        apic->state.external_pending = 1;
        local_apic_update(apic);
        return true;
    case APIC_DELIVERY_STARTUP:
        if (apic->pins.startup != NULL)
            apic->pins.startup(apic->pins.processor, vector);
        return apic->pins.startup != NULL;
    default:
        return false;
    }
}

bool local_apic_accept(LocalApic *apic, const ApicMessage *message) {
    return local_apic_is_enabled(apic) &&
           accept(apic, message->delivery_mode, message->vector, message->level);
}

/* SDM vol. 3A 10.6.2, 10.12.9. */
bool local_apic_is_destination(const LocalApic *apic, const ApicMessage *message) {
    uint32_t destination = message->destination;
    if (message->wide)
        return local_apic_is_x2apic_destination(apic, destination, message->logical);
    if (local_apic_is_x2apic(apic))
        return local_apic_is_x2apic_destination(
            apic, destination == APIC_DESTINATION_ALL ? UINT32_MAX : destination, message->logical);
    if (!message->logical)
        return destination == APIC_DESTINATION_ALL || destination == apic->state.id >> 24;
    unsigned logical_id = apic->state.ldr >> 24;
    if (apic->state.dfr >> 28 == 0xF) /* flat */
        return (destination & logical_id) != 0;
    bool cluster = destination >> 4 == 0xF || destination >> 4 == logical_id >> 4;
    return cluster && (destination & logical_id & 0xF) != 0;
}

bool local_apic_receive(LocalApic *apic, const ApicMessage *message) {
    return local_apic_is_destination(apic, message) && local_apic_accept(apic, message);
}

/* --- local sources -----------------------------------------------------------------------------
 */

void local_apic_raise(LocalApic *apic, unsigned index) {
    uint32_t *entry = &apic->state.lvt[index];
    unsigned mode = LVT_DELIVERY_MODE_OF(*entry);
    if (*entry & LVT_MASKED || mode == APIC_DELIVERY_EXTINT) /* the pin's level is what counts */
        return;
    bool is_pin = index == LVT_LINT0 || index == LVT_LINT1;
    bool level = is_pin && mode == APIC_DELIVERY_FIXED && (*entry & LVT_LEVEL);
    if (level && (*entry & LVT_REMOTE_IRR))
        return;
    if (accept(apic, mode, *entry & LVT_VECTOR, level) && level)
        *entry |= LVT_REMOTE_IRR;
}

void local_apic_look_at_pins(LocalApic *apic) {
    for (unsigned pin = 0; pin < 2; pin++) {
        uint32_t entry = apic->state.lvt[LVT_LINT0 + pin];
        bool fixed = LVT_DELIVERY_MODE_OF(entry) == APIC_DELIVERY_FIXED;
        if (fixed && (entry & LVT_LEVEL) && (apic->state.lint_levels >> pin & 1))
            local_apic_raise(apic, LVT_LINT0 + pin);
    }
    local_apic_update(apic);
}

void local_apic_set_lint(void *opaque, int line, int level) {
    LocalApic *apic = opaque;
    uint32_t bit = 1u << line;
    bool rises = level && !(apic->state.lint_levels & bit);
    apic->state.lint_levels =
        level ? apic->state.lint_levels | bit : apic->state.lint_levels & ~bit;
    if (!local_apic_is_enabled(apic)) {
        if (line == 1)
            wire_set(&apic->pins.nmi, level);
        local_apic_update(apic);
        return;
    }
    if (rises)
        local_apic_raise(apic, LVT_LINT0 + (unsigned)line);
    local_apic_update(apic);
}

/* Taking one masks the entry: SDM vol. 3A 10.5.1. */
void local_apic_performance_interrupt(void *opaque, int line, int level) {
    LocalApic *apic = opaque;
    (void)line;
    if (!level || !local_apic_is_enabled(apic))
        return;
    local_apic_raise(apic, LVT_PERFORMANCE);
    apic->state.lvt[LVT_PERFORMANCE] |= LVT_MASKED;
}

/* An error that was there already says nothing new. */
void local_apic_error(LocalApic *apic, uint32_t bit) {
    if (apic->state.errors & bit)
        return;
    apic->state.errors |= bit;
    local_apic_raise(apic, LVT_ERROR);
}

/* --- end of interrupt --------------------------------------------------------------------------
 */

/* The level-triggered source of a local pin asks again if it still does. */
static void end_at_pins(LocalApic *apic, uint8_t vector) {
    for (unsigned i = LVT_LINT0; i <= LVT_LINT1; i++) {
        uint32_t *entry = &apic->state.lvt[i];
        if ((*entry & LVT_REMOTE_IRR) && (*entry & LVT_VECTOR) == vector)
            *entry &= ~(uint32_t)LVT_REMOTE_IRR;
    }
    local_apic_look_at_pins(apic);
}

void local_apic_end_interrupt(LocalApic *apic) {
    int vector = set_highest(apic->state.isr);
    if (vector == NO_VECTOR)
        return;
    set_remove(apic->state.isr, (uint8_t)vector);
    if (set_holds(apic->state.tmr, (uint8_t)vector)) {
        end_at_pins(apic, (uint8_t)vector);
        if (apic->pins.end_of_interrupt != NULL)
            apic->pins.end_of_interrupt(apic->pins.io_apic, (uint8_t)vector);
    }
    local_apic_update(apic);
}

/* --- interrupts to others ----------------------------------------------------------------------
 */

void local_apic_send(LocalApic *apic) {
    uint32_t command = apic->state.icr_low;
    unsigned mode = command >> 8 & 7, shorthand = command >> 18 & 3;
    bool wide = local_apic_is_x2apic(apic);
    ApicMessage message = {.destination = wide ? apic->state.icr_high : apic->state.icr_high >> 24,
                           .wide = wide,
                           .logical = (command & COMMAND_LOGICAL) != 0,
                           .delivery_mode = (uint8_t)mode,
                           .vector = (uint8_t)command};
    bool has_vector = mode == APIC_DELIVERY_FIXED || mode == APIC_DELIVERY_LOWEST_PRIORITY;
    if (has_vector && message.vector < FIRST_LEGAL_VECTOR) {
        local_apic_error(apic, ERROR_SEND_ILLEGAL_VECTOR);
        return;
    }
    /* INIT level de-assert only set arbitration IDs; ExtINT cannot be sent. */
    bool deassert =
        mode == APIC_DELIVERY_INIT && (command & COMMAND_LEVEL) && !(command & COMMAND_ASSERT);
    if (deassert || mode == APIC_DELIVERY_EXTINT)
        return;
    if (shorthand == SHORTHAND_SELF) {
        accept(apic, mode, message.vector, false);
        return;
    }
    if (shorthand == SHORTHAND_NONE)
        local_apic_group_send(apic->group, &message);
    else
        local_apic_group_send_to_all(apic->group, apic, shorthand == SHORTHAND_ALL, &message);
    local_apic_group_tell(apic->group, apic);
}

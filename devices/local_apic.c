/* The local APIC's registers, its place in memory, the device. */
#include "allocate.h"
#include "local_apic_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MSR_IA32_APIC_BASE 0x1Bu

#define BASE_DEFAULT UINT64_C(0xFEE00000)

/* A Pentium 4's: version 14h, five is the last entry of the local vector table. */
#define VERSION ((LVT_COUNT - 1) << 16 | 0x14)

enum { REGISTER_COUNT = 0x40 };

static const Field local_apic_state_fields[] = {
    FIELD(LocalApicState, U64, base),
    FIELD(LocalApicState, U64, deadline),
    FIELD(LocalApicState, U64, timer_due_ns),
    FIELD(LocalApicState, U64, timer_ns),
    FIELD(LocalApicState, U32, timer_count),
    FIELD(LocalApicState, U32, timer_initial),
    FIELD(LocalApicState, U32, timer_divide),
    FIELD(LocalApicState, U32, id),
    FIELD(LocalApicState, U32, tpr),
    FIELD(LocalApicState, U32, ldr),
    FIELD(LocalApicState, U32, dfr),
    FIELD(LocalApicState, U32, svr),
    FIELD(LocalApicState, U32, esr),
    FIELD(LocalApicState, U32, errors),
    FIELD(LocalApicState, U32, icr_low),
    FIELD(LocalApicState, U32, icr_high),
    FIELD_ARRAY(LocalApicState, U32, lvt),
    FIELD_ARRAY(LocalApicState, U32, isr),
    FIELD_ARRAY(LocalApicState, U32, tmr),
    FIELD_ARRAY(LocalApicState, U32, irr),
    FIELD(LocalApicState, U32, lint_levels),
    FIELD(LocalApicState, U32, external_pending),
    FIELD_END,
};

static const FieldTable local_apic_fields = {"apic", 2, sizeof(LocalApicState),
                                             local_apic_state_fields};

/* --- registers ---------------------------------------------------------------------------------
 */

/* A plain register is 'field' of the state; 'writable' are the bits that a store changes. The
 * functions are for what is more. */
typedef struct Register {
    uint32_t field, writable;
    uint32_t (*read)(const LocalApic *apic, unsigned index);
    void (*write)(LocalApic *apic, unsigned index, uint32_t value);
    bool present;
} Register;

static uint32_t *field_of(LocalApic *apic, const Register *row) {
    return (uint32_t *)((uint8_t *)&apic->state + row->field);
}

static uint32_t read_version(const LocalApic *apic, unsigned index) {
    (void)apic;
    (void)index;
    return VERSION;
}

static uint32_t read_arbitration_priority(const LocalApic *apic, unsigned index) {
    (void)index;
    return local_apic_arbitration_priority(apic);
}

static uint32_t read_processor_priority(const LocalApic *apic, unsigned index) {
    (void)index;
    return local_apic_priority(apic);
}

static uint32_t read_vector_set(const LocalApic *apic, unsigned index) {
    const uint32_t *sets[] = {apic->state.isr, apic->state.tmr, apic->state.irr};
    return sets[(index - LOCAL_APIC_IN_SERVICE) / 8][index % 8];
}

static uint32_t read_current_count(const LocalApic *apic, unsigned index) {
    (void)index;
    return local_apic_timer_count(apic);
}

static void write_eoi(LocalApic *apic, unsigned index, uint32_t value) {
    (void)index;
    (void)value;
    local_apic_end_interrupt(apic);
}

/* Without the enable bit all local sources are masked, and stay so: SDM vol. 3A 10.4.7.2. */
static void write_spurious_vector(LocalApic *apic, unsigned index, uint32_t value) {
    enum { WRITABLE = 0x3FF };
    (void)index;
    apic->state.svr = value & WRITABLE;
    if (value & SPURIOUS_VECTOR_ENABLED)
        return;
    for (unsigned i = LVT_THERMAL; i < LVT_COUNT; i++)
        apic->state.lvt[i] |= LVT_MASKED;
    local_apic_timer_set_entry(apic, apic->state.lvt[LVT_TIMER] | LVT_MASKED);
}

/* A write makes visible what came together since the last one. */
static void write_error_status(LocalApic *apic, unsigned index, uint32_t value) {
    (void)index;
    (void)value;
    apic->state.esr = apic->state.errors;
    apic->state.errors = 0;
}

static void write_command(LocalApic *apic, unsigned index, uint32_t value) {
    enum { WRITABLE = 0xCCFFF & ~(1 << 12) };
    (void)index;
    apic->state.icr_low = value & WRITABLE;
    local_apic_send(apic);
}

static uint32_t entry_bits(const LocalApic *apic, unsigned entry) {
    static const uint32_t writable[LVT_COUNT] = {
        [LVT_TIMER] = LVT_VECTOR | LVT_MASKED | LVT_PERIODIC,
        [LVT_THERMAL] = LVT_VECTOR | LVT_DELIVERY_MODE | LVT_MASKED,
        [LVT_PERFORMANCE] = LVT_VECTOR | LVT_DELIVERY_MODE | LVT_MASKED,
        [LVT_LINT0] = LVT_VECTOR | LVT_DELIVERY_MODE | LVT_POLARITY | LVT_LEVEL | LVT_MASKED,
        [LVT_LINT1] = LVT_VECTOR | LVT_DELIVERY_MODE | LVT_POLARITY | LVT_LEVEL | LVT_MASKED,
        [LVT_ERROR] = LVT_VECTOR | LVT_MASKED,
    };
    uint32_t deadline = apic->pins.has_tsc_deadline ? LVT_TSC_DEADLINE : 0;
    return writable[entry] | (entry == LVT_TIMER ? deadline : 0);
}

static void write_vector_table(LocalApic *apic, unsigned index, uint32_t value) {
    unsigned which = index - LOCAL_APIC_LVT;
    uint32_t *entry = &apic->state.lvt[which];
    value &= entry_bits(apic, which);
    if (!(apic->state.svr & SPURIOUS_VECTOR_ENABLED))
        value |= LVT_MASKED;
    if (which == LVT_TIMER) {
        local_apic_timer_set_entry(apic, value);
        return;
    }
    if (value & LVT_LEVEL) /* says something of level-triggered interrupts alone */
        value |= *entry & LVT_REMOTE_IRR;
    *entry = value;
    local_apic_look_at_pins(apic);
}

static void write_initial_count(LocalApic *apic, unsigned index, uint32_t value) {
    (void)index;
    local_apic_timer_start(apic, value);
}

static void write_divide(LocalApic *apic, unsigned index, uint32_t value) {
    (void)index;
    local_apic_timer_set_divide(apic, value & 0xB);
}

#define PLAIN(member, bits)                                                                        \
    { .field = offsetof(LocalApicState, member), .writable = bits, .present = true }
#define WRITTEN(member, function)                                                                  \
    { .field = offsetof(LocalApicState, member), .write = function, .present = true }
#define COMPUTED(function)                                                                         \
    { .read = function, .present = true }

// clang-format off
static const Register registers[REGISTER_COUNT] = {
    [LOCAL_APIC_ID]                   = PLAIN(id, 0xFF000000),
    [LOCAL_APIC_VERSION]              = COMPUTED(read_version),
    [LOCAL_APIC_TASK_PRIORITY]        = PLAIN(tpr, 0xFF),
    [LOCAL_APIC_ARBITRATION_PRIORITY] = COMPUTED(read_arbitration_priority),
    [LOCAL_APIC_PROCESSOR_PRIORITY]   = COMPUTED(read_processor_priority),
    [LOCAL_APIC_EOI]                  = {.write = write_eoi, .present = true},
    [LOCAL_APIC_LOGICAL_DESTINATION]  = PLAIN(ldr, 0xFF000000),
    [LOCAL_APIC_DESTINATION_FORMAT]   = PLAIN(dfr, 0xF0000000),
    [LOCAL_APIC_SPURIOUS_VECTOR]      = WRITTEN(svr, write_spurious_vector),
    [LOCAL_APIC_IN_SERVICE ... LOCAL_APIC_REQUEST + 7] = COMPUTED(read_vector_set),
    [LOCAL_APIC_ERROR_STATUS]         = WRITTEN(esr, write_error_status),
    [LOCAL_APIC_COMMAND_LOW]          = WRITTEN(icr_low, write_command),
    [LOCAL_APIC_COMMAND_HIGH]         = PLAIN(icr_high, 0xFF000000),
    [LOCAL_APIC_LVT + LVT_TIMER]      = WRITTEN(lvt[LVT_TIMER], write_vector_table),
    [LOCAL_APIC_LVT + LVT_THERMAL]    = WRITTEN(lvt[LVT_THERMAL], write_vector_table),
    [LOCAL_APIC_LVT + LVT_PERFORMANCE] = WRITTEN(lvt[LVT_PERFORMANCE], write_vector_table),
    [LOCAL_APIC_LVT + LVT_LINT0]      = WRITTEN(lvt[LVT_LINT0], write_vector_table),
    [LOCAL_APIC_LVT + LVT_LINT1]      = WRITTEN(lvt[LVT_LINT1], write_vector_table),
    [LOCAL_APIC_LVT + LVT_ERROR]      = WRITTEN(lvt[LVT_ERROR], write_vector_table),
    [LOCAL_APIC_INITIAL_COUNT]        = WRITTEN(timer_initial, write_initial_count),
    [LOCAL_APIC_CURRENT_COUNT]        = COMPUTED(read_current_count),
    [LOCAL_APIC_DIVIDE]               = WRITTEN(timer_divide, write_divide),
};
// clang-format on

uint32_t local_apic_register(const LocalApic *apic, unsigned index) {
    const Register *row = &registers[index % REGISTER_COUNT];
    if (row->read != NULL)
        return row->read(apic, index);
    bool plain = row->present && index != LOCAL_APIC_EOI;
    return plain ? *field_of((LocalApic *)apic, row) : 0;
}

/* Registers are 32 bits wide, 16 bytes apart (SDM vol. 3A 10.4.1); between them is nothing. */
static const Register *find_register(LocalApic *apic, uint32_t offset) {
    uint32_t index = offset >> 4;
    if (index < REGISTER_COUNT && registers[index].present)
        return (offset & 0xF) < 4 ? &registers[index] : NULL;
    local_apic_error(apic, ERROR_ILLEGAL_REGISTER);
    return NULL;
}

uint32_t local_apic_mmio_read(LocalApic *apic, uint32_t offset, unsigned size) {
    (void)size;
    if (find_register(apic, offset) == NULL)
        return 0;
    return local_apic_register(apic, offset >> 4) >> 8 * (offset & 3);
}

bool local_apic_has_register(unsigned index) {
    return index < REGISTER_COUNT && registers[index].present;
}

bool local_apic_write_register(LocalApic *apic, unsigned index, uint32_t value) {
    const Register *row = &registers[index % REGISTER_COUNT];
    if (row->write != NULL) {
        row->write(apic, index, value);
    } else if (row->writable != 0) {
        uint32_t *field = field_of(apic, row);
        *field = (*field & ~row->writable) | (value & row->writable);
    } else {
        return false;
    }
    local_apic_update(apic);
    return true;
}

uint32_t local_apic_writable_bits(const LocalApic *apic, unsigned index) {
    enum { SPURIOUS_VECTOR_BITS = 0x3FF, DIVIDE_BITS = 0xB };
    unsigned entry = index - LOCAL_APIC_LVT;
    if (entry < LVT_COUNT) /* and what only reads: status and remote IRR */
        return entry_bits(apic, entry) | LVT_STATUS | LVT_REMOTE_IRR;
    switch (index) {
    case LOCAL_APIC_SPURIOUS_VECTOR:
        return SPURIOUS_VECTOR_BITS;
    case LOCAL_APIC_DIVIDE:
        return DIVIDE_BITS;
    case LOCAL_APIC_EOI:
    case LOCAL_APIC_ERROR_STATUS:
        return 0;
    default:
        return registers[index % REGISTER_COUNT].write != NULL
                   ? UINT32_MAX
                   : registers[index % REGISTER_COUNT].writable;
    }
}

void local_apic_mmio_write(LocalApic *apic, uint32_t offset, unsigned size, uint32_t value) {
    if (find_register(apic, offset) != NULL && size == 4)
        local_apic_write_register(apic, offset >> 4, value);
}

/* --- the place in memory -----------------------------------------------------------------------
 */

bool local_apic_is_enabled(const LocalApic *apic) {
    return (apic->state.base & BASE_ENABLED) != 0;
}

static void map_registers(LocalApic *apic) {
    uint64_t address = apic->state.base & BASE_ADDRESS;
    bool reachable = address <= UINT32_MAX && address >> PAGE_BITS != PHYSICAL_NOWHERE_PAGE;
    bool wanted = local_apic_is_enabled(apic) && !local_apic_is_x2apic(apic) && reachable;
    if (apic->mapped && wanted && apic->mapped_base == address)
        return;
    if (apic->mapped)
        local_apic_group_unmap(apic->group, apic->mapped_base);
    apic->mapped = wanted;
    apic->mapped_base = (uint32_t)address;
    if (wanted)
        local_apic_group_map(apic->group, apic->mapped_base);
}

static bool read_base(void *opaque, uint32_t index, uint64_t *value) {
    const LocalApic *apic = opaque;
    (void)index;
    *value = apic->state.base;
    return true;
}

static bool write_base(void *opaque, uint32_t index, uint64_t value) {
    LocalApic *apic = opaque;
    (void)index;
    if (!local_apic_is_base_allowed(apic, value))
        return false;
    bool was_enabled = local_apic_is_enabled(apic);
    apic->state.base = (value & ~BASE_BOOT_PROCESSOR) | (apic->state.base & BASE_BOOT_PROCESSOR);
    /* Being switched off makes it forget everything, its ID too: SDM vol. 3A 10.4.3. */
    if (was_enabled && !local_apic_is_enabled(apic)) {
        apic->state.id = (uint32_t)apic->initial_id << 24;
        local_apic_reset_registers(apic);
    }
    map_registers(apic);
    local_apic_update(apic);
    return true;
}

/* --- the device --------------------------------------------------------------------------------
 */

/* SDM vol. 3A 10.4.7.1. The pins' levels belong to whoever drives them. One thing differs: LINT0 of
 * the boot processor is open for the 8259 pair, since firmware that knows no APIC leaves it as it
 * is. */
void local_apic_reset_registers(LocalApic *apic) {
    LocalApicState *state = &apic->state;
    timer_cancel(&apic->timer);
    LocalApicState fresh = {
        .base = state->base,
        .timer_due_ns = TIMER_NEVER,
        .id = state->id,
        .lint_levels = state->lint_levels,
        .dfr = UINT32_MAX,
        .svr = 0xFF,
    };
    for (unsigned i = 0; i < LVT_COUNT; i++)
        fresh.lvt[i] = LVT_MASKED;
    if (state->base & BASE_BOOT_PROCESSOR)
        fresh.lvt[LVT_LINT0] = APIC_DELIVERY_EXTINT << 8;
    *state = fresh;
    local_apic_update(apic);
}

static void local_apic_reset(void *opaque) {
    LocalApic *apic = opaque;
    apic->state.base =
        BASE_DEFAULT | BASE_ENABLED | (apic->initial_id == 0 ? BASE_BOOT_PROCESSOR : 0);
    apic->state.id = (uint32_t)apic->initial_id << 24;
    local_apic_reset_registers(apic);
    map_registers(apic);
}

static void local_apic_restored(void *opaque) {
    map_registers(opaque);
}

static const DeviceClass local_apic_class = {
    .name = "apic",
    .fields = &local_apic_fields,
    .reset = local_apic_reset,
    .restored = local_apic_restored,
};

LocalApic *local_apic_create(const DeviceContext *context, LocalApicGroup *group, MsrMap *msrs,
                             uint8_t id, const LocalApicPins *pins, Error *error) {
    LocalApic *apic = allocate_zeroed(sizeof *apic);
    apic->clock = context->clock;
    apic->group = group;
    apic->pins = *pins;
    apic->initial_id = id;
    const MsrRange range = {"IA32_APIC_BASE", MSR_IA32_APIC_BASE, 1, read_base, write_base, apic};
    if (!msr_map_add(msrs, &range, error) || !local_apic_claim_deadline(apic, msrs, error) ||
        !local_apic_claim_x2apic(apic, msrs, error)) {
        free(apic);
        return NULL;
    }
    timer_init(&apic->timer, apic->clock, "local-apic", &apic->state.timer_due_ns,
               local_apic_timer_fire, apic);
    if (id == 0)
        snprintf(apic->name, sizeof(apic->name), "apic");
    else
        snprintf(apic->name, sizeof(apic->name), "apic%u", id);
    device_list_add(context->devices, &local_apic_class, apic->name, apic, &apic->state);
    local_apic_group_add(group, apic);
    local_apic_reset(apic);
    return apic;
}

void local_apic_destroy(LocalApic *apic) {
    if (apic == NULL)
        return;
    if (apic->mapped)
        local_apic_group_unmap(apic->group, apic->mapped_base);
    free(apic);
}

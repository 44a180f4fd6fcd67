/* x2APIC mode: the registers are MSRs, and IDs have 32 bits. SDM vol. 3A 10.12. */
#include "local_apic_internal.h"

enum { FIRST_MSR = 0x800, MSRS = 0x40 };

bool local_apic_is_x2apic(const LocalApic *apic) {
    return (apic->state.base & BASE_X2APIC) != 0;
}

/* By way of the disabled state alone it goes back, and by way of xAPIC mode into it: 10.12.5. */
bool local_apic_is_base_allowed(const LocalApic *apic, uint64_t value) {
    const uint64_t modes = BASE_ENABLED | BASE_X2APIC;
    uint64_t extended = apic->pins.has_x2apic ? BASE_X2APIC : 0;
    uint64_t from = apic->state.base & modes, to = value & modes;
    if (value & ~(BASE_ADDRESS | BASE_ENABLED | BASE_BOOT_PROCESSOR | extended))
        return false;
    return to != BASE_X2APIC && !(from == modes && to == BASE_ENABLED) &&
           !(from == 0 && to == modes);
}

/* Sixteen processors make a cluster: 10.12.10.2. */
static uint32_t logical_id(const LocalApic *apic) {
    return (uint32_t)(apic->initial_id >> 4) << 16 | 1u << (apic->initial_id & 0xF);
}

bool local_apic_is_x2apic_destination(const LocalApic *apic, uint32_t destination, bool logical) {
    uint32_t own = logical_id(apic);
    if (destination == UINT32_MAX)
        return true;
    if (!logical)
        return destination == apic->initial_id;
    return destination >> 16 == own >> 16 && (destination & own & 0xFFFF) != 0;
}

static bool read_register(void *opaque, uint32_t index, uint64_t *value) {
    const LocalApic *apic = opaque;
    if (!local_apic_is_x2apic(apic))
        return false;
    switch (index) {
    case LOCAL_APIC_ID:
        *value = apic->initial_id;
        return true;
    case LOCAL_APIC_LOGICAL_DESTINATION:
        *value = logical_id(apic);
        return true;
    case LOCAL_APIC_COMMAND_LOW:
        *value = (uint64_t)apic->state.icr_high << 32 | apic->state.icr_low;
        return true;
    case LOCAL_APIC_EOI:
    case LOCAL_APIC_ARBITRATION_PRIORITY:
    case LOCAL_APIC_DESTINATION_FORMAT:
    case LOCAL_APIC_COMMAND_HIGH:
    case LOCAL_APIC_SELF_IPI:
        return false;
    default:
        *value = local_apic_register(apic, index);
        return local_apic_has_register(index);
    }
}

static bool write_command(LocalApic *apic, uint64_t value) {
    const uint64_t reserved = UINT64_C(0xFFF33000);
    if (value & reserved)
        return false;
    apic->state.icr_high = (uint32_t)(value >> 32);
    return local_apic_write_register(apic, LOCAL_APIC_COMMAND_LOW, (uint32_t)value);
}

static bool write_self(LocalApic *apic, uint64_t value) {
    enum { SHORTHAND_SELF = 1 << 18, VECTOR = 0xFF };
    if (value & ~(uint64_t)VECTOR)
        return false;
    return local_apic_write_register(apic, LOCAL_APIC_COMMAND_LOW,
                                     SHORTHAND_SELF | (uint32_t)value);
}

static bool write_register(void *opaque, uint32_t index, uint64_t value) {
    LocalApic *apic = opaque;
    if (!local_apic_is_x2apic(apic))
        return false;
    switch (index) {
    case LOCAL_APIC_COMMAND_LOW:
        return write_command(apic, value);
    case LOCAL_APIC_SELF_IPI:
        return write_self(apic, value);
    case LOCAL_APIC_ID:
    case LOCAL_APIC_LOGICAL_DESTINATION:
    case LOCAL_APIC_DESTINATION_FORMAT:
    case LOCAL_APIC_COMMAND_HIGH:
        return false;
    default:
        return !(value & ~(uint64_t)local_apic_writable_bits(apic, index)) &&
               local_apic_write_register(apic, index, (uint32_t)value);
    }
}

bool local_apic_claim_x2apic(LocalApic *apic, MsrMap *msrs, Error *error) {
    const MsrRange range = {"x2APIC", FIRST_MSR, MSRS, read_register, write_register, apic};
    return !apic->pins.has_x2apic || msr_map_add(msrs, &range, error);
}

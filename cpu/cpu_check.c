#include "cpu_check.h"
#include "helpers.h"

#define MXCSR_KNOWN 0xFFFFu
#define EFER_KNOWN (1u << 0 | 1u << 11)
#define STATUS_IN_IMAGE 0xD501u /* LAHF's bits and SETO's, without bit 1, which is always set */
#define INSTRUCTIONS_MAX (UINT64_MAX >> 12)

static bool general_registers_are_32_bits_wide(const CpuState *state) {
    for (unsigned i = 0; i < GPR_COUNT; i++)
        if (state->gpr[i] > (i < 8 ? UINT32_MAX : 0))
            return false;
    return true;
}

static bool segment_kinds_are_true(const CpuState *state) {
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        Segment segment = state->segment[i];
        segment_classify(&segment);
        if (segment.kind != state->segment[i].kind)
            return false;
    }
    return true;
}

static bool flags_are_possible(const CpuState *state) {
    const uint32_t system = FLAG_1 | FLAG_TF | FLAG_IF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_VM |
                            FLAG_AC | FLAG_VIF | FLAG_VIP | FLAG_ID;
    return (state->direction == 1 || state->direction == -1) && (state->eflags & ~system) == 0 &&
           (state->flags_image & ~STATUS_IN_IMAGE & 0xFFFF) == FLAG_1 << 8;
}

static bool privilege_is_possible(const CpuState *state) {
    bool protected = (state->cr0 & CR0_PE) != 0, v8086 = (state->eflags & FLAG_VM) != 0;
    if (state->cpl > 3 || (v8086 && (!protected || state->cpl != 3)))
        return false;
    return protected || (state->cpl == 0 && (state->cr0 & CR0_PG) == 0);
}

bool cpu_check_state(const CpuState *state, Error *error) {
    const struct {
        const char *what;
        bool good;
    } checks[] = {
        {"general registers", general_registers_are_32_bits_wide(state)},
        {"flags", flags_are_possible(state)},
        {"privilege level", privilege_is_possible(state)},
        {"segments", segment_kinds_are_true(state)},
        {"MXCSR", (state->fpu.mxcsr & ~MXCSR_KNOWN) == 0},
        {"EFER", (state->efer & ~(uint64_t)EFER_KNOWN) == 0},
        {"wait for a start", state->waits_for_startup <= 1},
        {"instruction count", state->instruction_count <= INSTRUCTIONS_MAX},
    };
    for (unsigned i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        if (!checks[i].good)
            return error_set(error, "saved state of cpu is damaged: its %s cannot be",
                             checks[i].what);
    return true;
}

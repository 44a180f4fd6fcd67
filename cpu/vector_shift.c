/* Packed shifts. A count of the lane's width and more shifts everything out (SDM vol. 2, PSLLW,
 * PSRAW). */
#include "vector_internal.h"

static uint64_t shift_lane(uint64_t value, unsigned size, uint64_t count, unsigned kind) {
    unsigned bits = 8 * size;
    if (kind == VECTOR_SHIFT_ARITHMETIC) {
        unsigned unused = 64 - bits;
        int64_t extended = (int64_t)(value << unused) >> unused;
        return (uint64_t)(extended >> (count < bits ? count : bits - 1));
    }
    if (count >= bits)
        return 0;
    return kind == VECTOR_SHIFT_LEFT ? value << count : value >> count;
}

static void shift_lanes(VectorOperation *operation, unsigned size, unsigned kind, uint64_t count) {
    for (unsigned i = 0; i < (operation->wide ? 16 : 8) / size; i++) {
        uint64_t value = vector_get(&operation->a, size, i);
        vector_set(&operation->result, size, i, shift_lane(value, size, count, kind));
    }
}

/* By the low 64 bits of the operand. */
HelperResult vector_shift(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    unsigned parameter = operation->row->parameter;
    shift_lanes(operation, parameter & 0xF, parameter & 0xF0, operation->b.half[0]);
    return HELPER_NEXT;
}

/* PSLLDQ, PSRLDQ: by bytes. */
static void shift_bytes(VectorOperation *operation, bool left) {
    int count = operation->immediate;
    for (int i = 0; i < 16; i++) {
        int from = left ? i - count : i + count;
        uint64_t byte = from >= 0 && from < 16 ? vector_get(&operation->a, 1, (unsigned)from) : 0;
        vector_set(&operation->result, 1, (unsigned)i, byte);
    }
}

/* Groups 12, 13, 14 (0F 71 to 0F 73): the register field of ModRM chooses. 'parameter' is the lane
 * size. */
HelperResult vector_shift_immediate(Cpu *cpu, VectorOperation *operation) {
    static const uint8_t kinds[8] = {
        [2] = VECTOR_SHIFT_RIGHT, [4] = VECTOR_SHIFT_ARITHMETIC, [6] = VECTOR_SHIFT_LEFT};
    unsigned field = operation->modrm >> 3 & 7, size = operation->row->parameter;
    if (size == 8 && operation->wide && (field == 3 || field == 7)) {
        shift_bytes(operation, field == 7);
        return HELPER_NEXT;
    }
    if (kinds[field] == 0 || (size == 8 && field == 4))
        return cpu_raise(cpu, EXCEPTION_UD);
    shift_lanes(operation, size, kinds[field], operation->immediate);
    return HELPER_NEXT;
}

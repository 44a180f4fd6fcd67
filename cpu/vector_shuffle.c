/* Packed integers and floats rearranged: unpack, shuffle, align, insert, extract, blend. */
#include "vector_internal.h"

/* MMX interleaves the low 32 bits, SSE the low 64. */
HelperResult vector_unpack_low(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    uint64_t a = operation->a.half[0], b = operation->b.half[0];
    if (operation->row->parameter == 8) {
        operation->result = (Vector){{a, b}};
        return HELPER_NEXT;
    }
    operation->result.half[0] = operation->row->lane(a, b);
    if (operation->wide)
        operation->result.half[1] = operation->row->lane(a >> 32, b >> 32);
    return HELPER_NEXT;
}

HelperResult vector_unpack_high(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    uint64_t a = operation->a.half[operation->wide], b = operation->b.half[operation->wide];
    if (operation->row->parameter == 8) {
        operation->result = (Vector){{a, b}};
        return HELPER_NEXT;
    }
    LaneFunction *interleave_low = operation->row->lane;
    if (operation->wide)
        operation->result = (Vector){{interleave_low(a, b), interleave_low(a >> 32, b >> 32)}};
    else
        operation->result.half[0] = interleave_low(a >> 32, b >> 32);
    return HELPER_NEXT;
}

/* Four 16-bit lanes of one half by two bits of the immediate each. */
static uint64_t shuffle_words(uint64_t words, unsigned immediate) {
    uint64_t result = 0;
    for (unsigned i = 0; i < 4; i++)
        result |= (words >> 16 * (immediate >> 2 * i & 3) & 0xFFFF) << 16 * i;
    return result;
}

HelperResult vector_shuffle_16(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    operation->result.half[0] = shuffle_words(operation->b.half[0], operation->immediate);
    return HELPER_NEXT;
}

HelperResult vector_shuffle_low_16(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    operation->result = operation->b;
    operation->result.half[0] = shuffle_words(operation->b.half[0], operation->immediate);
    return HELPER_NEXT;
}

HelperResult vector_shuffle_high_16(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    operation->result = operation->b;
    operation->result.half[1] = shuffle_words(operation->b.half[1], operation->immediate);
    return HELPER_NEXT;
}

HelperResult vector_shuffle_32(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t lane = vector_get(&operation->b, 4, operation->immediate >> 2 * i & 3);
        vector_set(&operation->result, 4, i, lane);
    }
    return HELPER_NEXT;
}

/* SHUFPS, SHUFPD: the lower half from the destination, the upper from the source. */
HelperResult vector_shuffle_float(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    unsigned size = operation->row->parameter, count = 16 / size, bits = size == 4 ? 2 : 1;
    for (unsigned i = 0; i < count; i++) {
        const Vector *from = i < count / 2 ? &operation->a : &operation->b;
        unsigned lane = operation->immediate >> bits * i & (count - 1);
        vector_set(&operation->result, size, i, vector_get(from, size, lane));
    }
    return HELPER_NEXT;
}

/* PSHUFB. */
HelperResult vector_shuffle_8(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    unsigned count = operation->wide ? 16 : 8;
    for (unsigned i = 0; i < count; i++) {
        unsigned control = (unsigned)vector_get(&operation->b, 1, i);
        uint64_t byte = vector_get(&operation->a, 1, control & (count - 1));
        vector_set(&operation->result, 1, i, control & 0x80 ? 0 : byte);
    }
    return HELPER_NEXT;
}

/* PALIGNR: bytes from a:b, a above. */
HelperResult vector_align(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    unsigned count = operation->wide ? 16 : 8;
    for (unsigned i = 0; i < count; i++) {
        unsigned from = i + operation->immediate;
        uint64_t byte = 0;
        if (from < count)
            byte = vector_get(&operation->b, 1, from);
        else if (from < 2 * count)
            byte = vector_get(&operation->a, 1, from - count);
        vector_set(&operation->result, 1, i, byte);
    }
    return HELPER_NEXT;
}

/* PINSRB, PINSRW, PINSRD. 'parameter' is the lane size. */
HelperResult vector_insert(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    unsigned size = operation->row->parameter, count = (operation->wide ? 16 : 8) / size;
    vector_set(&operation->result, size, operation->immediate & (count - 1), operation->b.half[0]);
    return HELPER_NEXT;
}

/* PEXTRB, PEXTRW, PEXTRD, EXTRACTPS: from the register that is not the destination. */
HelperResult vector_extract(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    bool from_rm = operation->row->form == VECTOR_GN || operation->row->form == VECTOR_GU;
    const Vector *source = from_rm ? &operation->b : &operation->a;
    unsigned size = operation->row->parameter, count = (operation->wide ? 16 : 8) / size;
    uint64_t lane = vector_get(source, size, operation->immediate & (count - 1));
    operation->result = (Vector){{lane, 0}};
    return HELPER_NEXT;
}

/* INSERTPS: from memory there is one float to take. */
HelperResult vector_insert_float(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    unsigned from = operation->memory ? 0 : operation->immediate >> 6;
    uint64_t lane = vector_get(&operation->b, 4, from);
    vector_set(&operation->result, 4, operation->immediate >> 4 & 3, lane);
    for (unsigned i = 0; i < 4; i++) {
        if (operation->immediate >> i & 1)
            vector_set(&operation->result, 4, i, 0);
    }
    return HELPER_NEXT;
}

HelperResult vector_blend_immediate(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    unsigned size = operation->row->parameter;
    for (unsigned i = 0; i < 16 / size; i++) {
        if (operation->immediate >> i & 1)
            vector_set(&operation->result, size, i, vector_get(&operation->b, size, i));
    }
    return HELPER_NEXT;
}

/* PBLENDVB, BLENDVPS, BLENDVPD: by the lanes' sign bits in XMM0. */
HelperResult vector_blend_variable(Cpu *cpu, VectorOperation *operation) {
    unsigned size = operation->row->parameter;
    const uint8_t *mask = cpu->state.fpu.xmm[0];
    for (unsigned i = 0; i < 16 / size; i++) {
        if (mask[i * size + size - 1] & 0x80)
            vector_set(&operation->result, size, i, vector_get(&operation->b, size, i));
    }
    return HELPER_NEXT;
}

/* PHMINPOSUW. */
HelperResult vector_min_position(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    unsigned position = 0;
    for (unsigned i = 1; i < 8; i++) {
        if (vector_get(&operation->b, 2, i) < vector_get(&operation->b, 2, position))
            position = i;
    }
    uint64_t minimum = vector_get(&operation->b, 2, position);
    operation->result = (Vector){{minimum | (uint64_t)position << 16, 0}};
    return HELPER_NEXT;
}

/* MPSADBW. */
HelperResult vector_sums_of_differences(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    unsigned from_a = operation->immediate & 4, from_b = (operation->immediate & 3) * 4;
    for (unsigned i = 0; i < 8; i++) {
        unsigned sum = 0;
        for (unsigned j = 0; j < 4; j++) {
            int difference = (int)vector_get(&operation->a, 1, from_a + i + j) -
                             (int)vector_get(&operation->b, 1, from_b + j);
            sum += (unsigned)(difference < 0 ? -difference : difference);
        }
        vector_set(&operation->result, 2, i, sum);
    }
    return HELPER_NEXT;
}

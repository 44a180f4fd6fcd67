/* Moves between vector registers, general registers and memory, and sign masks. */
#include "vector_internal.h"
#include "x87_internal.h"

/* The operand, whole: loads take b (whose missing bytes are 0), stores a. */
HelperResult vector_copy(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    switch (operation->row->form) {
    case VECTOR_QP:
    case VECTOR_MP:
    case VECTOR_EP:
    case VECTOR_WV:
    case VECTOR_WVu:
    case VECTOR_EV:
        operation->result = operation->a;
        break;
    case VECTOR_WVq: /* MOVQ clears the upper half of a register */
        operation->result = (Vector){{operation->a.half[0], 0}};
        break;
    case VECTOR_VWq:
        operation->result = (Vector){{operation->b.half[0], 0}};
        break;
    default:
        operation->result = operation->b;
        break;
    }
    return HELPER_NEXT;
}

/* MOVLPS, MOVLPD from memory; MOVHLPS between registers: the lower half is replaced. */
HelperResult vector_move_low(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    operation->result.half[0] = operation->b.half[!operation->memory];
    return HELPER_NEXT;
}

/* MOVHPS, MOVHPD from memory; MOVLHPS between registers. */
HelperResult vector_move_high(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    operation->result.half[1] = operation->b.half[0];
    return HELPER_NEXT;
}

HelperResult vector_store_high(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    operation->result.half[0] = operation->a.half[1];
    return HELPER_NEXT;
}

/* MOVSS, MOVSD: between registers the rest stays; a load clears it. 'parameter' is the size. */
HelperResult vector_move_scalar(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    unsigned size = operation->row->parameter;
    bool store = operation->row->form == VECTOR_WVd || operation->row->form == VECTOR_WVq;
    uint64_t scalar = vector_get(store ? &operation->a : &operation->b, size, 0);
    operation->result = operation->memory ? (Vector){{0, 0}} : store ? operation->b : operation->a;
    vector_set(&operation->result, size, 0, scalar);
    return HELPER_NEXT;
}

/* MOVSLDUP, MOVSHDUP, MOVDDUP. */
HelperResult vector_duplicate_low(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t lane = (uint32_t)operation->b.half[i];
        operation->result.half[i] = lane | lane << 32;
    }
    return HELPER_NEXT;
}

HelperResult vector_duplicate_high(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t lane = operation->b.half[i] >> 32;
        operation->result.half[i] = lane | lane << 32;
    }
    return HELPER_NEXT;
}

HelperResult vector_duplicate_64(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    operation->result = (Vector){{operation->b.half[0], operation->b.half[0]}};
    return HELPER_NEXT;
}

/* PMOVMSKB, MOVMSKPS, MOVMSKPD: the lanes' sign bits. 'parameter' is the lane size. */
HelperResult vector_move_mask(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    unsigned size = operation->row->parameter;
    uint64_t mask = 0;
    for (unsigned i = 0; i < (operation->wide ? 16 : 8) / size; i++)
        mask |= (vector_get(&operation->b, size, i) >> (8 * size - 1)) << i;
    operation->result = (Vector){{mask, 0}};
    return HELPER_NEXT;
}

/* PMOVSX, PMOVZX. 'parameter': source lane size << 4 | destination lane size, and 80h for signed.
 */
HelperResult vector_extend(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    unsigned from = operation->row->parameter >> 4 & 7, to = operation->row->parameter & 0xF;
    unsigned unused_bits = 64 - 8 * from;
    for (unsigned i = 0; i < 16 / to; i++) {
        uint64_t lane = vector_get(&operation->b, from, i);
        if (operation->row->parameter & 0x80)
            lane = (uint64_t)((int64_t)(lane << unused_bits) >> unused_bits);
        vector_set(&operation->result, to, i, lane);
    }
    return HELPER_NEXT;
}

/* MASKMOVQ, MASKMOVDQU: bytes of 'a' whose mask bit in 'b' is set. Addresses of all bytes are
 * checked, masked off or not, as of stores of 8 bytes (SDM vol. 2, MASKMOVDQU, leaves it open). */
HelperResult vector_masked_store(Cpu *cpu, VectorOperation *operation) {
    unsigned count = operation->wide ? 16 : 8;
    uint32_t linear;
    if (!cpu_check_segment(cpu, operation->segment, operation->offset, count, true, &linear) ||
        !cpu_check_alignment(cpu, linear, 8) ||
        !x87_check_write(cpu, operation->segment, operation->offset, count))
        return HELPER_FAULT;
    for (unsigned i = 0; i < count; i++) {
        uint64_t byte = vector_get(&operation->a, 1, i);
        if (vector_get(&operation->b, 1, i) >= 0x80 &&
            !cpu_write(cpu, operation->segment, operation->offset + i, 1, byte))
            return HELPER_FAULT;
    }
    return HELPER_NEXT;
}

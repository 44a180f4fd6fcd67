/* The portable backend's loop and its access to operands. */
#include "portable.h"
#include "portable_internal.h"

uint32_t portable_get_register(const Portable *portable, unsigned reg, unsigned size) {
    if (reg >= UREG_T0)
        return portable->temporary[reg - UREG_T0] & (uint32_t)alu_mask(size);
    if (reg >= UREG_AH)
        return (uint32_t)portable->cpu->state.gpr[reg - UREG_AH] >> 8 & 0xFF;
    return (uint32_t)portable->cpu->state.gpr[reg] & (uint32_t)alu_mask(size);
}

void portable_set_register(Portable *portable, unsigned reg, unsigned size, uint32_t value) {
    if (reg >= UREG_T0) {
        portable->temporary[reg - UREG_T0] = value;
        return;
    }
    bool high = reg >= UREG_AH;
    uint64_t *gpr = &portable->cpu->state.gpr[high ? reg - UREG_AH : reg];
    uint32_t mask = high ? 0xFF00u : (uint32_t)alu_mask(size);
    *gpr = (((uint32_t)*gpr & ~mask) | ((high ? value << 8 : value) & mask));
}

uint32_t portable_offset(const Portable *portable, const UopAddress *address) {
    uint32_t offset = (uint32_t)address->displacement;
    if (address->base != UREG_NONE)
        offset += portable_get_register(portable, address->base, 4);
    if (address->index != UREG_NONE)
        offset += portable_get_register(portable, address->index, 4) * address->scale;
    return address->address_size == 2 ? offset & 0xFFFF : offset;
}

static bool read_memory(Portable *portable, const UopAddress *address, unsigned size,
                        uint32_t *value) {
    uint64_t loaded;
    if (!cpu_read(portable->cpu, address->segment, portable_offset(portable, address), size,
                  &loaded))
        return false;
    *value = (uint32_t)loaded;
    return true;
}

bool portable_read_src(Portable *portable, const Uop *uop, unsigned size, uint32_t *value) {
    if (uop->src_kind == UOPERAND_MEM)
        return read_memory(portable, &uop->address, size, value);
    if (uop->src_kind == UOPERAND_IMM)
        *value = uop->imm & (uint32_t)alu_mask(size);
    else
        *value = portable_get_register(portable, uop->src, size);
    return true;
}

/* A read-modify-write reads with the intent to write: a page fault says so. */
static bool check_write(Portable *portable, const UopAddress *address, unsigned size) {
    return cpu_check_write(portable->cpu, address->segment, portable_offset(portable, address),
                           size);
}

bool portable_read_dst(Portable *portable, const Uop *uop, uint32_t *value) {
    if (uop->dst_kind == UOPERAND_REG) {
        *value = portable_get_register(portable, uop->dst, uop->size);
        return true;
    }
    if ((uop_info[uop->code].traits & UOP_WRITES_DST) &&
        !check_write(portable, &uop->address, uop->size))
        return false;
    return read_memory(portable, &uop->address, uop->size, value);
}

bool portable_write_dst(Portable *portable, const Uop *uop, uint32_t value) {
    if (uop->dst_kind == UOPERAND_REG) {
        portable_set_register(portable, uop->dst, uop->size, value);
        return true;
    }
    return cpu_write(portable->cpu, uop->address.segment, portable_offset(portable, &uop->address),
                     uop->size, value & (uint32_t)alu_mask(uop->size));
}

/* The block is left from instruction 'insn', which completed unless it faulted or goes on. */
static PortableExit leave(Portable *portable, PortableStep step, uint64_t count_before,
                          unsigned insn) {
    CpuState *state = &portable->cpu->state;
    uint64_t completed = count_before + insn;
    switch (step) {
    case STEP_FAULT:
        state->instruction_count = completed + portable->cpu->iterations;
        return PORTABLE_FAULT;
    case STEP_AGAIN:
        state->instruction_count = completed + portable->cpu->iterations;
        return PORTABLE_AGAIN;
    default:
        state->instruction_count =
            completed + (portable->cpu->iterations > 1 ? portable->cpu->iterations : 1);
        state->eip = portable->target;
        return step == STEP_LOOK ? PORTABLE_LOOK : PORTABLE_NEXT;
    }
}

/* Instruction 'insn' is done, and the run loop is wanted. The next one may have no micro-op, a NOP,
 * and even be another one by now. */
static PortableExit stop_after(Portable *portable, uint64_t count_before, unsigned insn) {
    CpuState *state = &portable->cpu->state;
    state->eip = portable->block->insn[insn].eip + portable->block->insn[insn].length;
    state->instruction_count = count_before + insn + 1;
    return PORTABLE_LOOK;
}

PortableExit portable_run(Cpu *cpu, const UopBlock *block) {
    Portable portable = {.cpu = cpu, .block = block};
    CpuState *state = &cpu->state;
    uint64_t count_before = state->instruction_count;
    unsigned insn = UINT32_MAX;
    cpu->code_changed = 0;
    for (const Uop *uop = block->uop;; uop++) {
        if (uop->insn != insn) {
            if ((cpu->break_after | cpu->code_changed | state->pending_debug | portable.stop) &&
                insn != UINT32_MAX)
                return stop_after(&portable, count_before, insn);
            insn = uop->insn;
            cpu->iterations = 0;
            state->eip = block->insn[insn].eip;
            state->instruction_count = count_before + insn;
            cpu->next_eip = state->eip + block->insn[insn].length;
        }
        PortableStep step = portable_table[uop->code](&portable, uop);
        if (step == STEP_REPEATED) {
            count_before += cpu->iterations - 1;
            cpu->iterations = 0;
            if (count_before + block->insn_count > cpu->count_end)
                return stop_after(&portable, count_before, insn);
        } else if (step != STEP_ON) {
            return leave(&portable, step, count_before, insn);
        }
    }
}

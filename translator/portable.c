/* The portable backend's loop and its access to operands. */
#include "portable.h"
#include "portable_internal.h"
#include "portable_quick.h"

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

PortableExit portable_leave(Portable *portable, PortableStep step, unsigned insn) {
    CpuState *state = &portable->cpu->state;
    uint64_t completed = portable->count_before + insn;
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
static PortableExit stop_after(Portable *portable, unsigned insn) {
    CpuState *state = &portable->cpu->state;
    state->eip = portable->block->insn[insn].eip + portable->block->insn[insn].length;
    state->instruction_count = portable->count_before + insn + 1;
    return PORTABLE_LOOK;
}

bool portable_end_repeated(Portable *portable) {
    Cpu *cpu = portable->cpu;
    portable->count_before += cpu->iterations - 1;
    cpu->iterations = 0;
    portable->no_room = portable->count_before + portable->block->insn_count > cpu->count_end;
    return !portable->no_room;
}

PortableExit portable_run_from(Portable *portable, const Uop *uop, unsigned insn) {
    for (;; uop++) {
        if (uop->insn != insn) {
            if (insn != UINT32_MAX && portable_wants_stop(portable))
                return stop_after(portable, insn);
            insn = uop->insn;
            portable_begin_insn(portable, insn);
        }
        PortableStep step = portable_table[uop->code](portable, uop);
        if (step == STEP_REPEATED) {
            if (!portable_end_repeated(portable))
                return stop_after(portable, insn);
        } else if (step != STEP_ON) {
            return portable_leave(portable, step, insn);
        }
    }
}

PortableExit portable_run(Cpu *cpu, const UopBlock *block) {
    Portable portable = {.cpu = cpu, .block = block, .count_before = cpu->state.instruction_count};
    cpu->code_changed = 0;
    if (block->quick != NULL)
        return block->quick->run(&portable, block->uop, block->quick);
    return portable_run_from(&portable, block->uop, UINT32_MAX);
}

/* Memory operands: address, checks, the TLB inline; and the slow paths behind the block.
 *
 * What a load of four bytes from a flat segment costs:
 *
 *     lea   ebp, [address]
 *     shrx  r8d, ebp, r14d              ; by 12; without BMI2 MOV and SHR
 *     add   rbp, [r14 + r8*8 + table]   ; host address, or negative
 *     js    slow
 *     test  bpl, 3                      ; an unaligned access may cross a page:
 *     jnz   unaligned                   ; a detour behind the block looks
 *     mov   eax, [rbp]
 *
 * Everything before the last instruction leaves the guest's state alone, so that a fault needs no
 * undoing. */
#include "x86_64_internal.h"

static unsigned write_index(unsigned kind) {
    return kind != SITE_READ;
}

static int32_t tlb_offset(const Translation *translation, unsigned kind) {
    bool user = context_cpl(translation->context) == 3;
    unsigned table = user ? (write_index(kind) ? TLB_USER_WRITE : TLB_USER_READ)
                          : (write_index(kind) ? TLB_SUPER_WRITE : TLB_SUPER_READ);
    return CPU_OFFSET(tlb.entry) + (int32_t)(table * TLB_PAGES * sizeof(int64_t));
}

HostOperand x86_tlb_entry(const Translation *translation, unsigned kind, unsigned page_register) {
    return host_mem_index(HOST_CPU, page_register, sizeof(int64_t),
                          tlb_offset(translation, kind) - HOST_CPU_BIAS);
}

HostOperand x86_tlb_entry_of_page(const Translation *translation, unsigned kind, uint32_t page) {
    return cpu_mem(tlb_offset(translation, kind) + (int32_t)(page * sizeof(int64_t)));
}

/* shrx page, address, r14d; or mov page, address; shr page, 12 */
void x86_emit_page_number(Translation *translation, unsigned page, unsigned address) {
    Assembler *assembler = &translation->assembler;
    _Static_assert(HOST_CPU_BIAS % 32 == PAGE_BITS, "the shift count of SHRX");
    if (translation->backend->has_shrx) {
        asm_shrx(assembler, page, address, HOST_CPU);
        return;
    }
    asm_mov(assembler, 4, page, host_reg(address));
    asm_shift_imm(assembler, 4, SHIFT_SHR, host_reg(page), PAGE_BITS);
}

void x86_emit_offset(Translation *translation, unsigned host, const UopAddress *address) {
    Assembler *assembler = &translation->assembler;
    bool has_base = address->base != UREG_NONE, has_index = address->index != UREG_NONE;
    int32_t displacement = address->displacement;
    if (!has_base && !has_index) {
        uint32_t value =
            address->address_size == 2 ? (uint32_t)displacement & 0xFFFF : (uint32_t)displacement;
        asm_mov_imm(assembler, 4, host_reg(host), value);
        return;
    }
    bool plain = has_base && !has_index && displacement == 0;
    if (plain && address->address_size == 2) {
        asm_reg_rm(assembler, 4, 0x0FB7, host,
                   host_reg(host_register(address->base))); /* movzx host, word base */
        return;
    }
    if (plain) {
        asm_mov(assembler, 4, host, host_reg(host_register(address->base)));
        return;
    }
    if (has_base && has_index) {
        asm_lea(assembler, 4, host,
                host_mem_index(host_register(address->base), host_register(address->index),
                               address->scale, displacement));
    } else if (has_base) {
        asm_lea(assembler, 4, host, host_mem(host_register(address->base), displacement));
    } else {
        asm_lea(assembler, 4, host,
                host_mem_scaled(host_register(address->index), address->scale, displacement));
    }
    if (address->address_size == 2)
        asm_reg_rm(assembler, 4, 0x0FB7, host, host_reg(host));
}

/* Does this access need its offset compared with the limit? A REAL segment takes any 16-bit offset;
 * only an unaligned access at its end is beyond, and those take the detour. */
static bool needs_limit_check(const Translation *translation, const UopAddress *address) {
    unsigned kind = context_segment_kind(translation->context, address->segment);
    if (address->segment == SEG_CS && kind == SEGMENT_FLAT)
        return true; /* a code segment is never writable, and not always readable */
    return kind == SEGMENT_GENERIC || (kind == SEGMENT_REAL && address->address_size == 4);
}

static void emit_segment_base(Translation *translation, const UopAddress *address) {
    if (context_segment_kind(translation->context, address->segment) != SEGMENT_FLAT)
        asm_alu(&translation->assembler, 4, ALU_ADD, HOST_ADDRESS,
                cpu_mem(CPU_OFFSET(state.segment[0].base) +
                        (int32_t)(address->segment * sizeof(Segment))));
}

/* An absolute address, or a table of up to 256 entries indexed by a byte, may be known to lie on
 * one page: then nothing has to be computed to find its entry, and nothing crosses its end. */
static bool find_only_page(const Translation *translation, const UopAddress *address, unsigned size,
                           uint32_t *page) {
    bool indexed = address->index != UREG_NONE || address->base != UREG_NONE;
    unsigned reg = address->base != UREG_NONE ? address->base : address->index;
    bool one_register = address->base == UREG_NONE || address->index == UREG_NONE;
    if (context_segment_kind(translation->context, address->segment) != SEGMENT_FLAT ||
        address->address_size != 4 || !one_register)
        return false;
    if (indexed && (reg >= 8 || !(translation->byte_registers >> reg & 1)))
        return false;
    uint32_t first = (uint32_t)address->displacement;
    uint32_t scale = address->base != UREG_NONE ? 1 : address->scale;
    uint32_t last = first + (indexed ? 0xFF * scale : 0) + size - 1;
    *page = first >> PAGE_BITS;
    return last >> PAGE_BITS == *page;
}

void x86_memory_begin(Translation *translation, unsigned kind, unsigned size) {
    Assembler *assembler = &translation->assembler;
    const UopAddress *address = &translation->uop->address;
    if (x86_emit_shared_operand(translation))
        return;
    translation->memory = host_mem(HOST_ADDRESS, 0);
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    SlowPath *slow = &translation->slow[translation->slow_count];
    *slow = (SlowPath){.uop = translation->uop,
                       .site = x86_add_site(translation, kind, size, address->segment)};
    x86_emit_offset(translation, HOST_ADDRESS, address);
    if (needs_limit_check(translation, address)) {
        int32_t limit = CPU_OFFSET(segment_limit[0][0]) +
                        (int32_t)(8 * (write_index(kind) * SEG_COUNT + address->segment));
        asm_lea(assembler, 8, HOST_SCRATCH, host_mem(HOST_ADDRESS, (int32_t)size - 1));
        asm_alu(assembler, 8, ALU_CMP, HOST_SCRATCH, cpu_mem(limit));
        slow->limit_site = asm_jcc(assembler, 15); /* jg */
    }
    emit_segment_base(translation, address);
    uint32_t page = 0;
    bool page_is_known = !translation->backend->translator->options.no_known_pages &&
                         find_only_page(translation, address, size, &page);
    if (page_is_known) {
        asm_alu(assembler, 8, ALU_ADD, HOST_ADDRESS,
                x86_tlb_entry_of_page(translation, kind, page));
    } else {
        x86_emit_page_number(translation, HOST_SCRATCH, HOST_ADDRESS);
        asm_alu(assembler, 8, ALU_ADD, HOST_ADDRESS,
                x86_tlb_entry(translation, kind, HOST_SCRATCH));
    }
    slow->miss_site = translation->backend->translator->options.force_misses
                          ? asm_jmp(assembler)
                          : asm_jcc(assembler, COND_S);
    if (size > 1 && !(page_is_known && size < 16)) { /* 16 bytes may have to be aligned */
        unsigned alignment = size == 10 ? 16 : size; /* an x87 extended has none of its own */
        asm_test_imm(assembler, 1, host_reg(HOST_ADDRESS), alignment - 1);
        slow->unaligned_site = asm_jcc(assembler, COND_NZ);
    }
    slow->operation = assembler->code;
}

void x86_memory_require_alignment(Translation *translation) {
    SlowPath *slow = &translation->slow[translation->slow_count];
    translation->backend->sites[slow->site].aligned = 1;
}

void x86_memory_end(Translation *translation) {
    if (translation->shared.access[translation->uop - translation->lifted->uop].group != 0)
        return;
    translation->slow[translation->slow_count].operation_end = translation->assembler.code;
    translation->slow_count++;
}

/* An address that must be aligned and is not. */
static void emit_misaligned(Translation *translation, const SlowPath *slow) {
    Assembler *assembler = &translation->assembler;
    asm_patch(slow->unaligned_site, assembler->code);
    asm_mov_imm(assembler, 4, host_reg(HOST_SCRATCH), LEAVE_STEP | slow->site << 8);
    asm_patch(asm_jmp(assembler), translation->backend->exit);
}

/* An unaligned access within its page and segment goes back to the operation. */
static uint8_t *emit_unaligned(Translation *translation, const SlowPath *slow, unsigned size) {
    Assembler *assembler = &translation->assembler;
    const UopAddress *address = &slow->uop->address;
    asm_patch(slow->unaligned_site, assembler->code);
    uint8_t *beyond = NULL;
    if (context_segment_kind(translation->context, address->segment) == SEGMENT_REAL &&
        address->address_size == 2) {
        x86_emit_offset(translation, HOST_SCRATCH, address);
        asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_SCRATCH), 0x10000 - size);
        beyond = asm_jcc(assembler, COND_NBE);
    }
    asm_lea(assembler, 4, HOST_SCRATCH, host_mem(HOST_ADDRESS, (int32_t)size - 1));
    asm_alu(assembler, 4, ALU_XOR, HOST_SCRATCH, host_reg(HOST_ADDRESS));
    asm_test_imm(assembler, 4, host_reg(HOST_SCRATCH), PAGE_SIZE);
    asm_patch(asm_jcc(assembler, COND_Z), slow->operation);
    return beyond;
}

static void copy_operation(Assembler *assembler, const SlowPath *slow) {
    for (const uint8_t *byte = slow->operation; byte < slow->operation_end; byte++)
        asm_byte(assembler, *byte);
}

/* Calls the function that finds the host's address of the operand. */
static void emit_look_up(Translation *translation, const SlowPath *slow, const uint8_t *function) {
    Assembler *assembler = &translation->assembler;
    x86_emit_offset(translation, HOST_ADDRESS, &slow->uop->address);
    emit_segment_base(translation, &slow->uop->address);
    asm_mov_imm(assembler, 4, host_reg(HOST_SCRATCH), slow->site);
    asm_patch(asm_call(assembler), function);
}

/* The stub for a store that may lie beside code; where one is not to be used, slow_access. */
static const uint8_t *find_store_stub(const Translation *translation, const Site *site) {
    const JitBackend *backend = translation->backend;
    const TranslatorOptions *options = &backend->translator->options;
    if (site->kind == SITE_READ || site->aligned || options->force_misses ||
        options->no_side_stores)
        return backend->slow_access;
    return x86_store_stub(backend, context_cpl(translation->context) == 3, site->size);
}

static void emit_slow_path(Translation *translation, const SlowPath *slow) {
    Assembler *assembler = &translation->assembler;
    const Site *site = &translation->backend->sites[slow->site];
    const uint8_t *slow_access = translation->backend->slow_access;
    const uint8_t *look_up = find_store_stub(translation, site);
    uint8_t *beyond = NULL;
    if (slow->unaligned_site != NULL && site->aligned)
        emit_misaligned(translation, slow);
    else if (slow->unaligned_site != NULL)
        beyond = emit_unaligned(translation, slow, site->size);
    bool apart = look_up != slow_access && (slow->limit_site != NULL || beyond != NULL);
    asm_patch(slow->miss_site, assembler->code);
    if (!apart) {
        asm_patch(slow->limit_site, assembler->code);
        asm_patch(beyond, assembler->code);
    }
    emit_look_up(translation, slow, look_up);
    uint8_t *found = assembler->code;
    if (site->kind == SITE_READ) {
        asm_patch(asm_jmp(assembler), slow->operation);
        return;
    }
    asm_test(assembler, 4, host_reg(HOST_SCRATCH), HOST_SCRATCH);
    asm_patch(asm_jcc(assembler, COND_Z), slow->operation);
    copy_operation(assembler, slow);
    asm_mov_imm(assembler, 4, host_reg(HOST_SCRATCH), slow->site);
    asm_patch(asm_call(assembler), translation->backend->flush_bounce);
    asm_patch(asm_jmp(assembler), slow->operation_end);
    if (apart) { /* the segment has a say */
        asm_patch(slow->limit_site, assembler->code);
        asm_patch(beyond, assembler->code);
        emit_look_up(translation, slow, slow_access);
        asm_patch(asm_jmp(assembler), found);
    }
}

void x86_emit_slow_paths(Translation *translation) {
    for (unsigned i = 0; i < translation->slow_count; i++)
        emit_slow_path(translation, &translation->slow[i]);
}

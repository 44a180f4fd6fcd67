/* Short runs of REP strings in translated code, before the helper that does all of them.
 *
 * Taken where the direction is up, the elements lie on one page that the TLB has on each side, in a
 * segment that is flat or real mode's, and there are at most so many; MOVS and STOS whole, CMPS and
 * SCAS as far as that goes, and if they are not done then, the helper goes on with what is left.
 * Nothing has changed before it is known that this goes through. Each element counts as an
 * instruction, as the helper counts.
 *
 * The flags are in memory here, so R9 is free. R11 counts down, RBP and R10 are the host's
 * addresses of destination and source. XMM8 to XMM10 are nobody's: a 32-bit guest has no such
 * registers. */
#include "helpers.h"
#include "x86_64_internal.h"

enum { COPIED_MAX = 256, COMPARED_MAX = 64, JUMPS_MAX = 12, JUMP_IF_LESS = 12, DONE_MAX = 6 };

/* SDM vol. 2; with a size of 2 for those that have the prefix 66h. */
enum {
    MOVDQU_LOAD = 0xF30F6F,
    MOVDQU_STORE = 0xF30F7F,
    MOVQ_LOAD = 0xF30F7E,
    MOVQ_STORE = 0x0FD6, /* 66h */
    MOVD_LOAD = 0x0F6E,  /* 66h */
    MOVD_STORE = 0x0F7E, /* 66h */
    PSHUFD = 0x0F70,     /* 66h */
    PCMPEQB = 0x0F74,    /* 66h; the wider ones follow it */
    PMOVMSKB = 0x0FD7,   /* 66h */
    BSF = 0x0FBC,
    IMUL_IMMEDIATE = 0x69,
    XMM8 = 8,
    XMM9,
    XMM10,
    VECTOR_BYTES = 16,
};

typedef struct StringCode {
    Translation *translation;
    Assembler *assembler;
    unsigned size, address_size;
    bool copies, compares, source, destination; /* MOVS, STOS; CMPS, SCAS; by ESI; by EDI */
    unsigned source_segment;
    int direction; /* 0: not known */
    uint8_t *slow[JUMPS_MAX], *done[DONE_MAX];
    unsigned slow_count, done_count;
    uint8_t *again; /* where a comparison goes on that has not come to its end */
} StringCode;

static void slow_if(StringCode *code, unsigned condition) {
    code->slow[code->slow_count++] = asm_jcc(code->assembler, condition);
}

static bool describe(Translation *translation, const Uop *uop, StringCode *code) {
    *code = (StringCode){.translation = translation,
                         .assembler = &translation->assembler,
                         .size = uop->imm & 0xF,
                         .address_size = uop->imm >> 4 & 0xF,
                         .destination = true,
                         .source_segment = uop->imm2,
                         .direction = translator_known_direction(translation->backend->translator,
                                                                 translation->context)};
    switch (uop->helper) {
    case HELPER_ID_string_movs:
        code->copies = code->source = true;
        return true;
    case HELPER_ID_string_stos:
        code->copies = true;
        return true;
    case HELPER_ID_string_cmps:
        code->compares = code->source = true;
        return true;
    case HELPER_ID_string_scas:
        code->compares = true;
        return true;
    default:
        return false;
    }
}

static bool segment_is_simple(const StringCode *code, unsigned segment) {
    unsigned kind = context_segment_kind(code->translation->context, segment);
    return segment != SEG_CS &&
           (kind == SEGMENT_FLAT || (kind == SEGMENT_REAL && code->address_size == 2));
}

/* movzx or mov host, register */
static void load_sized(const StringCode *code, unsigned host, unsigned guest) {
    if (code->address_size == 2)
        asm_reg_rm_sized(code->assembler, 4, 2, 0x0FB7, host, host_reg(guest));
    else
        asm_mov(code->assembler, 4, host, host_reg(guest));
}

/* 'host' becomes the host's address of [segment:guest] if R11 elements from there on are on one
 * page that the TLB has; else it is the helper's. mov host, guest; (lea r8d, [host + r11*size]; cmp
 * r8d, 10000h; ja slow); (add host, [base]) lea r8d, [host + r11*size - 1]; xor r8d, host; test
 * r8d, ~FFFh; jnz slow shrx r8, host, 12; add host, [tlb + r8*8]; js slow */
static void find_elements(StringCode *code, unsigned host, unsigned guest, unsigned segment,
                          unsigned kind) {
    Assembler *assembler = code->assembler;
    load_sized(code, host, guest);
    if (code->address_size == 2) {
        asm_lea(assembler, 4, HOST_R8, host_mem_index(host, HOST_R11, code->size, 0));
        asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_R8), 0x10000);
        slow_if(code, COND_NBE);
    }
    if (context_segment_kind(code->translation->context, segment) != SEGMENT_FLAT)
        asm_alu(assembler, 4, ALU_ADD, host,
                cpu_mem(CPU_OFFSET(state.segment[0].base) + (int32_t)(segment * sizeof(Segment))));
    asm_lea(assembler, 4, HOST_R8, host_mem_index(host, HOST_R11, code->size, -1));
    asm_alu(assembler, 4, ALU_XOR, HOST_R8, host_reg(host));
    asm_test_imm(assembler, 4, host_reg(HOST_R8), ~PAGE_OFFSET_MASK);
    slow_if(code, COND_NZ);
    x86_emit_page_number(code->translation, HOST_R8, host);
    asm_alu(assembler, 8, ALU_ADD, host, x86_tlb_entry(code->translation, kind, HOST_R8));
    slow_if(code, COND_S);
}

static void find_both(StringCode *code) {
    find_elements(code, HOST_RBP, HOST_RDI, SEG_ES, code->copies ? SITE_WRITE : SITE_READ);
    if (code->source)
        find_elements(code, HOST_R10, HOST_RSI, code->source_segment, SITE_READ);
}

/* ESI, EDI and ECX by 'count' elements on.
 *     lea edi, [rdi + count*size]; the same with esi; sub ecx, count; or their low words alone */
static void advance(const StringCode *code, unsigned count) {
    Assembler *assembler = code->assembler;
    for (unsigned i = 0; i < 2; i++) {
        unsigned guest = i == 0 ? HOST_RDI : HOST_RSI;
        if (i == 1 && !code->source)
            continue;
        HostOperand moved = host_mem_index(guest, count, code->size, 0);
        if (code->address_size == 2) {
            asm_lea(assembler, 4, HOST_R8, moved);
            asm_mov(assembler, 2, guest, host_reg(HOST_R8));
        } else {
            asm_lea(assembler, 4, guest, moved);
        }
    }
    asm_alu(assembler, code->address_size, ALU_SUB, HOST_RCX, host_reg(count));
}

static void jump_done(StringCode *code) {
    code->done[code->done_count++] = asm_jmp(code->assembler);
}

static void load_vector(const StringCode *code, unsigned xmm, HostOperand source) {
    asm_reg_rm(code->assembler, 4, MOVDQU_LOAD, xmm, source);
}
static void store_vector(const StringCode *code, HostOperand destination, unsigned xmm) {
    asm_reg_rm(code->assembler, 4, MOVDQU_STORE, xmm, destination);
}

static unsigned size_log(const StringCode *code) {
    return code->size >> 1; /* of 1, 2, 4 */
}

/* XMM8 and R8 = the accumulator again and again: movzx or mov r8d, eax; imul r8d, r8d, 01010101h or
 * 10001h; movd xmm8, r8d; pshufd xmm8, xmm8, 0 */
static void load_pattern(const StringCode *code) {
    Assembler *assembler = code->assembler;
    if (code->size == 4)
        asm_mov(assembler, 4, HOST_R8, host_reg(HOST_RAX));
    else
        asm_reg_rm_sized(assembler, 4, code->size, code->size == 1 ? 0x0FB6 : 0x0FB7, HOST_R8,
                         host_reg(HOST_RAX));
    if (code->size != 4) {
        asm_reg_rm(assembler, 4, IMUL_IMMEDIATE, HOST_R8, host_reg(HOST_R8));
        asm_dword(assembler, code->size == 1 ? 0x01010101 : 0x00010001);
    }
    asm_reg_rm(assembler, 2, MOVD_LOAD, XMM8, host_reg(HOST_R8));
    asm_reg_rm(assembler, 2, PSHUFD, XMM8, host_reg(XMM8));
    asm_byte(assembler, 0);
}

/* The last bytes of so many as R11 says. */
static HostOperand last_of(unsigned base, int bytes) {
    return host_mem_index(base, HOST_R11, 1, -bytes);
}

/* All of a source is read before any of it can be overwritten: where the two overlap, the
 * destination lies below.
 * more: movdqu xmm8, [r10]; movdqu xmm9, [r10 + 16]; movdqu [rbp], xmm8; movdqu [rbp + 16], xmm9
 *     add r10, 32; add rbp, 32; sub r11d, 32
 *     cmp r11d, 32; ja more
 *     cmp r11d, 16; jb few
 *     movdqu xmm8, [r10]; movdqu xmm9, [r10 + r11 - 16]
 *     movdqu [rbp], xmm8; movdqu [rbp + r11 - 16], xmm9; jmp done
 * few: */
static void copy_many(StringCode *code) {
    enum { STEP = 2 * VECTOR_BYTES };
    Assembler *assembler = code->assembler;
    unsigned second = code->source ? XMM9 : XMM8;
    uint8_t *enter = asm_jmp(assembler);
    uint8_t *more = assembler->code;
    if (code->source) {
        load_vector(code, XMM8, host_mem(HOST_R10, 0));
        load_vector(code, XMM9, host_mem(HOST_R10, VECTOR_BYTES));
        asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_R10), STEP);
    }
    store_vector(code, host_mem(HOST_RBP, 0), XMM8);
    store_vector(code, host_mem(HOST_RBP, VECTOR_BYTES), second);
    asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_RBP), STEP);
    asm_alu_imm(assembler, 4, ALU_SUB, host_reg(HOST_R11), STEP);
    asm_patch(enter, assembler->code);
    asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_R11), STEP);
    asm_patch(asm_jcc(assembler, COND_NBE), more);
    asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_R11), VECTOR_BYTES);
    uint8_t *few = asm_jcc(assembler, COND_B);
    if (code->source) {
        load_vector(code, XMM8, host_mem(HOST_R10, 0));
        load_vector(code, XMM9, last_of(HOST_R10, VECTOR_BYTES));
    }
    store_vector(code, host_mem(HOST_RBP, 0), XMM8);
    store_vector(code, last_of(HOST_RBP, VECTOR_BYTES), second);
    jump_done(code);
    asm_patch(few, assembler->code);
}

/* 4 to 15 bytes: the first half by XMM8, the last, which may overlap it, by R8.
 *     cmp r11d, 8; jb fewer
 *     movq xmm8, [r10]; mov r8, [r10 + r11 - 8]; movq [rbp], xmm8; mov [rbp + r11 - 8], r8
 *     jmp done
 * fewer: the same with four */
static void copy_halves(StringCode *code, unsigned half) {
    Assembler *assembler = code->assembler;
    asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_R11), half);
    uint8_t *fewer = asm_jcc(assembler, COND_B);
    if (code->source) {
        asm_reg_rm(assembler, half == 8 ? 4 : 2, half == 8 ? MOVQ_LOAD : MOVD_LOAD, XMM8,
                   host_mem(HOST_R10, 0));
        asm_mov(assembler, half, HOST_R8, last_of(HOST_R10, (int)half));
    }
    asm_reg_rm(assembler, 2, half == 8 ? MOVQ_STORE : MOVD_STORE, XMM8, host_mem(HOST_RBP, 0));
    if (half == 8 && !code->source) /* R8 has four */
        asm_reg_rm(assembler, 2, MOVQ_STORE, XMM8, last_of(HOST_RBP, 8));
    else
        asm_mov_to(assembler, half, last_of(HOST_RBP, (int)half), HOST_R8);
    jump_done(code);
    asm_patch(fewer, assembler->code);
}

/* 1 to 3 bytes: first, last, and that in the middle, which may be either.
 *     movzx r8d, [r10]; movzx r9d, [r10 + r11 - 1]; mov [rbp], r8b
 *     mov r8d, r11d; shr r8d, 1; movzx r10d, [r10 + r8]; add r8, rbp
 *     mov [rbp + r11 - 1], r9b; mov [r8], r10b */
static void copy_bytes(const StringCode *code) {
    Assembler *assembler = code->assembler;
    if (!code->source) {
        asm_mov_to(assembler, 1, host_mem(HOST_RBP, 0), HOST_R8);
        asm_mov_to(assembler, 1, last_of(HOST_RBP, 1), HOST_R8);
        asm_shift_imm(assembler, 4, SHIFT_SHR, host_reg(HOST_R11), 1);
        asm_mov_to(assembler, 1, host_mem_index(HOST_RBP, HOST_R11, 1, 0), HOST_R8);
        return;
    }
    asm_reg_rm_sized(assembler, 4, 1, 0x0FB6, HOST_R8, host_mem(HOST_R10, 0));
    asm_reg_rm_sized(assembler, 4, 1, 0x0FB6, HOST_R9, last_of(HOST_R10, 1));
    asm_mov_to(assembler, 1, host_mem(HOST_RBP, 0), HOST_R8);
    asm_mov(assembler, 4, HOST_R8, host_reg(HOST_R11));
    asm_shift_imm(assembler, 4, SHIFT_SHR, host_reg(HOST_R8), 1);
    asm_reg_rm_sized(assembler, 4, 1, 0x0FB6, HOST_R10, host_mem_index(HOST_R10, HOST_R8, 1, 0));
    asm_alu(assembler, 8, ALU_ADD, HOST_R8, host_reg(HOST_RBP));
    asm_mov_to(assembler, 1, last_of(HOST_RBP, 1), HOST_R9);
    asm_mov_to(assembler, 1, host_mem(HOST_R8, 0), HOST_R10);
}

/* One element after another, where a destination above overlaps its source.
 * next: mov r8, [r10]; add r10, size; mov [rbp], r8; add rbp, size; sub r11d, size; jnz next */
static void copy_elements(const StringCode *code) {
    Assembler *assembler = code->assembler;
    uint8_t *next = assembler->code;
    asm_mov(assembler, code->size, HOST_R8, host_mem(HOST_R10, 0));
    asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_R10), code->size);
    asm_mov_to(assembler, code->size, host_mem(HOST_RBP, 0), HOST_R8);
    asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_RBP), code->size);
    asm_alu_imm(assembler, 4, ALU_SUB, host_reg(HOST_R11), code->size);
    asm_patch(asm_jcc(assembler, COND_NZ), next);
}

/*     lea r8, [r15 + 1]; sub r8, r11; js slow; mov r15, r8
 *     advance; shl r11d, log2 size
 *     mov r8, rbp; sub r8, r10; cmp r8, r11; jb one after another     ; MOVS */
static void copy(StringCode *code) {
    Assembler *assembler = code->assembler;
    uint8_t *overlaps = NULL;
    asm_lea(assembler, 8, HOST_R8, host_mem(HOST_COUNT, 1));
    asm_alu(assembler, 8, ALU_SUB, HOST_R8, host_reg(HOST_R11));
    slow_if(code, COND_S);
    asm_mov(assembler, 8, HOST_COUNT, host_reg(HOST_R8));
    advance(code, HOST_R11);
    if (code->size != 1)
        asm_shift_imm(assembler, 4, SHIFT_SHL, host_reg(HOST_R11), size_log(code));
    if (code->source) {
        asm_mov(assembler, 8, HOST_R8, host_reg(HOST_RBP));
        asm_alu(assembler, 8, ALU_SUB, HOST_R8, host_reg(HOST_R10));
        asm_alu(assembler, 8, ALU_CMP, HOST_R8, host_reg(HOST_R11));
        overlaps = asm_jcc(assembler, COND_B);
    } else {
        load_pattern(code);
    }
    copy_many(code);
    copy_halves(code, 8);
    if (code->size == 4) { /* one is left */
        if (code->source)
            asm_mov(assembler, 4, HOST_R8, host_mem(HOST_R10, 0));
        asm_mov_to(assembler, 4, host_mem(HOST_RBP, 0), HOST_R8);
    } else {
        copy_halves(code, 4);
        if (code->size == 1) {
            copy_bytes(code);
        } else {
            if (code->source)
                asm_mov(assembler, 2, HOST_R8, host_mem(HOST_R10, 0));
            asm_mov_to(assembler, 2, host_mem(HOST_RBP, 0), HOST_R8);
        }
    }
    if (overlaps != NULL) {
        jump_done(code);
        asm_patch(overlaps, assembler->code);
        copy_elements(code);
    }
}

/* The comparison before RBP and R10 once more, or for the first time: source or accumulator, and
 * destination. mov r8, [r10 - size]; cmp r8 or eax, [rbp - size] */
static void compare_last(const StringCode *code) {
    if (code->source)
        asm_mov(code->assembler, code->size, HOST_R8, host_mem(HOST_R10, -(int32_t)code->size));
    asm_alu(code->assembler, code->size, ALU_CMP, code->source ? HOST_R8 : HOST_RAX,
            host_mem(HOST_RBP, -(int32_t)code->size));
}

/* As many as fill a vector at a time; gives the jump of one among them that ends the instruction,
 * RBP and R10 being behind it.
 * next: cmp r11d, elements; jb rest
 *     movdqu xmm9, [r10] (or xmm8); movdqu xmm10, [rbp]; pcmpeqb xmm10, xmm9; pmovmskb r8d, xmm10
 *     xor r8d, FFFFh (REPNE: test r8d, r8d); jnz found
 *     add rbp, 16; add r10, 16; sub r11d, elements; jmp next
 * found: bsf r8d, r8d; lea rbp, [rbp + r8 + size]; the same with r10
 *     shr r8d, log2 size; sub r11d, r8d; dec r11d
 *     mov r8, [r10 - size]; cmp r8 or eax, [rbp - size]; jmp stopped
 * rest: */
static uint8_t *compare_vectors(StringCode *code, bool while_equal) {
    Assembler *assembler = code->assembler;
    unsigned elements = VECTOR_BYTES / code->size, compared = code->source ? XMM9 : XMM8;
    uint8_t *next = assembler->code;
    asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_R11), elements);
    uint8_t *rest = asm_jcc(assembler, COND_B);
    if (code->source)
        load_vector(code, XMM9, host_mem(HOST_R10, 0));
    load_vector(code, XMM10, host_mem(HOST_RBP, 0));
    asm_reg_rm(assembler, 2, PCMPEQB + size_log(code), XMM10, host_reg(compared));
    asm_reg_rm(assembler, 2, PMOVMSKB, HOST_R8, host_reg(XMM10));
    if (while_equal)
        asm_alu_imm(assembler, 4, ALU_XOR, host_reg(HOST_R8), 0xFFFF);
    else
        asm_test(assembler, 4, host_reg(HOST_R8), HOST_R8);
    uint8_t *found = asm_jcc(assembler, COND_NZ);
    asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_RBP), VECTOR_BYTES);
    if (code->source)
        asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_R10), VECTOR_BYTES);
    asm_alu_imm(assembler, 4, ALU_SUB, host_reg(HOST_R11), elements);
    asm_patch(asm_jmp(assembler), next);
    asm_patch(found, assembler->code);
    asm_reg_rm(assembler, 4, BSF, HOST_R8, host_reg(HOST_R8));
    asm_lea(assembler, 8, HOST_RBP, host_mem_index(HOST_RBP, HOST_R8, 1, (int32_t)code->size));
    if (code->source)
        asm_lea(assembler, 8, HOST_R10, host_mem_index(HOST_R10, HOST_R8, 1, (int32_t)code->size));
    if (code->size != 1)
        asm_shift_imm(assembler, 4, SHIFT_SHR, host_reg(HOST_R8), size_log(code));
    asm_alu(assembler, 4, ALU_SUB, HOST_R11, host_reg(HOST_R8));
    asm_inc(assembler, 4, true, host_reg(HOST_R11));
    compare_last(code);
    uint8_t *stopped = asm_jmp(assembler);
    asm_patch(rest, assembler->code);
    return stopped;
}

/*     mov r9d, r11d; mov r8, r15; sub r8, r11; js slow
 *     vectors; test r11d, r11d; jz ended
 * next: mov r8, [r10]; add r10, size; add rbp, size; dec r11d
 *     cmp r8 or eax, [rbp - size]; jne (REPNE: je) stopped
 *     test r11d, r11d; jnz next
 * ended: cmp r9, rcx; je all
 *     advance by r9; sub r15, r9; jmp again
 * all: mov r8, [r10 - size]; cmp r8 or eax, [rbp - size]
 * stopped: mov r8d, eax; lahf; seto al; mov [flags_image], ax; mov eax, r8d
 *     sub r9d, r11d; advance by r9; lea r15, [r15 + 1]; sub r15, r9 */
static void compare(StringCode *code, bool while_equal) {
    Assembler *assembler = code->assembler;
    asm_mov(assembler, 4, HOST_R9, host_reg(HOST_R11));
    asm_mov(assembler, 8, HOST_R8, host_reg(HOST_COUNT));
    asm_alu(assembler, 8, ALU_SUB, HOST_R8, host_reg(HOST_R11));
    slow_if(code, COND_S);
    if (!code->source)
        load_pattern(code);
    uint8_t *found = compare_vectors(code, while_equal);
    asm_test(assembler, 4, host_reg(HOST_R11), HOST_R11);
    uint8_t *ended = asm_jcc(assembler, COND_Z);
    uint8_t *next = assembler->code;
    asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_RBP), code->size);
    if (code->source)
        asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_R10), code->size);
    asm_inc(assembler, 4, true, host_reg(HOST_R11));
    compare_last(code);
    uint8_t *stopped = asm_jcc(assembler, while_equal ? COND_NZ : COND_Z);
    asm_test(assembler, 4, host_reg(HOST_R11), HOST_R11);
    asm_patch(asm_jcc(assembler, COND_NZ), next);
    asm_patch(ended, assembler->code);
    asm_alu(assembler, code->address_size, ALU_CMP, HOST_R9, host_reg(HOST_RCX));
    uint8_t *all = asm_jcc(assembler, COND_Z);
    asm_alu(assembler, 8, ALU_SUB, HOST_COUNT, host_reg(HOST_R9));
    advance(code, HOST_R9);
    asm_patch(asm_jmp(assembler), code->again);
    asm_patch(all, assembler->code);
    compare_last(code);
    asm_patch(stopped, assembler->code);
    asm_patch(found, assembler->code);
    asm_mov(assembler, 4, HOST_R8, host_reg(HOST_RAX));
    asm_byte(assembler, 0x9F); /* lahf */
    asm_setcc(assembler, COND_O, host_reg(HOST_RAX));
    asm_mov_to(assembler, 2, cpu_mem(CPU_OFFSET(state.flags_image)), HOST_RAX);
    asm_mov(assembler, 4, HOST_RAX, host_reg(HOST_R8));
    asm_alu(assembler, 4, ALU_SUB, HOST_R9, host_reg(HOST_R11));
    asm_lea(assembler, 8, HOST_COUNT, host_mem(HOST_COUNT, 1));
    asm_alu(assembler, 8, ALU_SUB, HOST_COUNT, host_reg(HOST_R9));
    advance(code, HOST_R9);
}

/*     mov r11d, ecx; test r11d, r11d; jz done
 *     cmp r11d, most; ja slow      or: cmp r11d, 64; jbe few; mov r11d, 64; few:
 *     (cmp dword [direction], 0; jl slow) */
static uint8_t *load_count(StringCode *code) {
    Assembler *assembler = code->assembler;
    load_sized(code, HOST_R11, HOST_RCX);
    asm_test(assembler, 4, host_reg(HOST_R11), HOST_R11);
    uint8_t *none = asm_jcc(assembler, COND_Z);
    asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_R11),
                code->copies ? COPIED_MAX / code->size : COMPARED_MAX);
    if (code->copies) {
        slow_if(code, COND_NBE);
    } else {
        uint8_t *few = asm_jcc(assembler, COND_BE);
        asm_mov_imm(assembler, 4, host_reg(HOST_R11), COMPARED_MAX);
        asm_patch(few, assembler->code);
    }
    if (code->direction == 0) {
        asm_alu_imm(assembler, 4, ALU_CMP, cpu_mem(CPU_OFFSET(state.direction)), 0);
        slow_if(code, JUMP_IF_LESS);
    }
    return none;
}

uint8_t *x86_emit_short_string(Translation *translation, const Uop *uop) {
    enum { REPE = 1 };
    StringCode code;
    unsigned repeat = uop->imm >> 8;
    const TranslatorOptions *options = &translation->backend->translator->options;
    if (options->no_inline_strings || options->force_misses || repeat == 0 ||
        !describe(translation, uop, &code) || code.direction < 0 ||
        !segment_is_simple(&code, SEG_ES) ||
        (code.source && !segment_is_simple(&code, code.source_segment)))
        return NULL;
    code.again = translation->assembler.code;
    uint8_t *none = load_count(&code);
    find_both(&code);
    if (code.copies)
        copy(&code);
    else
        compare(&code, repeat == REPE);
    asm_patch(none, translation->assembler.code);
    for (unsigned i = 0; i < code.done_count; i++)
        asm_patch(code.done[i], translation->assembler.code);
    uint8_t *done = asm_jmp(&translation->assembler);
    for (unsigned i = 0; i < code.slow_count; i++)
        asm_patch(code.slow[i], translation->assembler.code);
    return done;
}

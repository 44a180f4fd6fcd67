/* Short runs of REP strings in translated code, before the helper that does all of them.
 *
 * Taken where the direction is up, the elements lie on one page that the TLB has on each side, in a
 * segment that is flat or real mode's, and there are at most so many; MOVS and STOS whole, CMPS and
 * SCAS as far as that goes, and if they are not done then, the helper goes on with what is left.
 * Nothing has changed before it is known that this goes through. Each element counts as an
 * instruction, as the helper counts.
 *
 * The flags are in memory here, so R9 is free. R11 counts down, RBP and R10 are the host's
 * addresses of destination and source. */
#include "helpers.h"
#include "x86_64_internal.h"

enum { COPIED_MAX = 24, COMPARED_MAX = 32, JUMPS_MAX = 12, JUMP_IF_LESS = 12 };

typedef struct StringCode {
    Translation *translation;
    Assembler *assembler;
    unsigned size, address_size;
    bool copies, compares, source, destination; /* MOVS, STOS; CMPS, SCAS; by ESI; by EDI */
    unsigned source_segment;
    uint8_t *slow[JUMPS_MAX];
    unsigned slow_count;
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
                         .source_segment = uop->imm2};
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

/*     lea r8, [r15 + 1]; sub r8, r11; js slow; mov r15, r8
 *     advance
 * next: mov r8, [r10]; add r10, size; mov [rbp], r8 (or eax); add rbp, size; dec r11d; jnz next */
static void copy(StringCode *code) {
    Assembler *assembler = code->assembler;
    asm_lea(assembler, 8, HOST_R8, host_mem(HOST_COUNT, 1));
    asm_alu(assembler, 8, ALU_SUB, HOST_R8, host_reg(HOST_R11));
    slow_if(code, COND_S);
    asm_mov(assembler, 8, HOST_COUNT, host_reg(HOST_R8));
    advance(code, HOST_R11);
    uint8_t *next = assembler->code;
    if (code->source) {
        asm_mov(assembler, code->size, HOST_R8, host_mem(HOST_R10, 0));
        asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_R10), code->size);
    }
    asm_mov_to(assembler, code->size, host_mem(HOST_RBP, 0), code->source ? HOST_R8 : HOST_RAX);
    asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_RBP), code->size);
    asm_inc(assembler, 4, true, host_reg(HOST_R11));
    asm_patch(asm_jcc(assembler, COND_NZ), next);
}

/* The last comparison once more, or for the first time: source or accumulator, and destination. */
static void compare_last(const StringCode *code) {
    asm_alu(code->assembler, code->size, ALU_CMP, code->source ? HOST_R8 : HOST_RAX,
            host_mem(HOST_RBP, -(int32_t)code->size));
}

/*     mov r9d, r11d; mov r8, r15; sub r8, r11; js slow
 * next: mov r8, [r10]; add r10, size; add rbp, size; dec r11d
 *     cmp r8 or eax, [rbp - size]; jne (REPNE: je) stopped
 *     test r11d, r11d; jnz next
 *     cmp r9, rcx; je all
 *     advance by r9; sub r15, r9; jmp slow
 * all: cmp r8 or eax, [rbp - size]
 * stopped: mov r8d, eax; lahf; seto al; mov [flags_image], ax; mov eax, r8d
 *     sub r9d, r11d; advance by r9; lea r15, [r15 + 1]; sub r15, r9 */
static void compare(StringCode *code, bool while_equal) {
    Assembler *assembler = code->assembler;
    asm_mov(assembler, 4, HOST_R9, host_reg(HOST_R11));
    asm_mov(assembler, 8, HOST_R8, host_reg(HOST_COUNT));
    asm_alu(assembler, 8, ALU_SUB, HOST_R8, host_reg(HOST_R11));
    slow_if(code, COND_S);
    uint8_t *next = assembler->code;
    if (code->source) {
        asm_mov(assembler, code->size, HOST_R8, host_mem(HOST_R10, 0));
        asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_R10), code->size);
    }
    asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_RBP), code->size);
    asm_inc(assembler, 4, true, host_reg(HOST_R11));
    compare_last(code);
    uint8_t *stopped = asm_jcc(assembler, while_equal ? COND_NZ : COND_Z);
    asm_test(assembler, 4, host_reg(HOST_R11), HOST_R11);
    asm_patch(asm_jcc(assembler, COND_NZ), next);
    asm_alu(assembler, code->address_size, ALU_CMP, HOST_R9, host_reg(HOST_RCX));
    uint8_t *all = asm_jcc(assembler, COND_Z);
    asm_alu(assembler, 8, ALU_SUB, HOST_COUNT, host_reg(HOST_R9));
    advance(code, HOST_R9);
    code->slow[code->slow_count++] = asm_jmp(assembler);
    asm_patch(all, assembler->code);
    compare_last(code);
    asm_patch(stopped, assembler->code);
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
 *     cmp r11d, 24; ja slow        or: cmp r11d, 32; jbe few; mov r11d, 32; few:
 *     cmp dword [direction], 0; jl slow */
static uint8_t *load_count(StringCode *code) {
    Assembler *assembler = code->assembler;
    load_sized(code, HOST_R11, HOST_RCX);
    asm_test(assembler, 4, host_reg(HOST_R11), HOST_R11);
    uint8_t *none = asm_jcc(assembler, COND_Z);
    asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_R11),
                code->copies ? COPIED_MAX : COMPARED_MAX);
    if (code->copies) {
        slow_if(code, COND_NBE);
    } else {
        uint8_t *few = asm_jcc(assembler, COND_BE);
        asm_mov_imm(assembler, 4, host_reg(HOST_R11), COMPARED_MAX);
        asm_patch(few, assembler->code);
    }
    asm_alu_imm(assembler, 4, ALU_CMP, cpu_mem(CPU_OFFSET(state.direction)), 0);
    slow_if(code, JUMP_IF_LESS);
    return none;
}

uint8_t *x86_emit_short_string(Translation *translation, const Uop *uop) {
    enum { REPE = 1 };
    StringCode code;
    unsigned repeat = uop->imm >> 8;
    const TranslatorOptions *options = &translation->backend->translator->options;
    if (options->no_inline_strings || options->force_misses || repeat == 0 ||
        !describe(translation, uop, &code) || !segment_is_simple(&code, SEG_ES) ||
        (code.source && !segment_is_simple(&code, code.source_segment)))
        return NULL;
    uint8_t *none = load_count(&code);
    find_both(&code);
    if (code.copies)
        copy(&code);
    else
        compare(&code, repeat == REPE);
    asm_patch(none, translation->assembler.code);
    uint8_t *done = asm_jmp(&translation->assembler);
    for (unsigned i = 0; i < code.slow_count; i++)
        asm_patch(code.slow[i], translation->assembler.code);
    return done;
}

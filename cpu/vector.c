/* MMX and SSE instructions: what all of them have in common. */
#include "vector.h"
#include "cpu_debug.h"
#include "linear.h"
#include "little_endian.h"
#include "vector_internal.h"
#include "x87_internal.h"

enum { NOTHING, MM, XMM, GPR };

enum {
    STORE = 1 << 0,       /* the rm operand is the destination */
    ANY_ADDRESS = 1 << 1, /* 16 bytes at any address */
    NO_RESULT = 1 << 2,   /* no register or memory is written */
    IN_PLACE = 1 << 3,    /* the rm register is both source and destination */
    NO_MEMORY = 1 << 4,   /* ModRM names registers; what memory there is, the handler accesses */
};

/* What the operands of a form are; the rm operand may be memory of 'size' bytes where that is not
 * 0. */
static const struct {
    uint8_t reg, rm, size, attributes;
} forms[VECTOR_FORM_COUNT] = {
    [VECTOR_NONE] = {NOTHING, NOTHING, 0, NO_RESULT | NO_MEMORY},
    [VECTOR_PQ] = {MM, MM, 8, 0},
    [VECTOR_PQd] = {MM, MM, 4, 0},
    [VECTOR_QP] = {MM, MM, 8, STORE},
    [VECTOR_MP] = {MM, MM, 8, STORE},
    [VECTOR_PE] = {MM, GPR, 4, 0},
    [VECTOR_PEw] = {MM, GPR, 2, 0},
    [VECTOR_EP] = {MM, GPR, 4, STORE},
    [VECTOR_GN] = {GPR, MM, 0, 0},
    [VECTOR_NI] = {NOTHING, MM, 0, IN_PLACE},
    [VECTOR_UI] = {NOTHING, XMM, 0, IN_PLACE},
    [VECTOR_VW] = {XMM, XMM, 16, 0},
    [VECTOR_VWu] = {XMM, XMM, 16, ANY_ADDRESS},
    [VECTOR_VWq] = {XMM, XMM, 8, 0},
    [VECTOR_VWd] = {XMM, XMM, 4, 0},
    [VECTOR_VWw] = {XMM, XMM, 2, 0},
    [VECTOR_WV] = {XMM, XMM, 16, STORE},
    [VECTOR_WVu] = {XMM, XMM, 16, STORE | ANY_ADDRESS},
    [VECTOR_WVq] = {XMM, XMM, 8, STORE},
    [VECTOR_WVd] = {XMM, XMM, 4, STORE},
    [VECTOR_VE] = {XMM, GPR, 4, 0},
    [VECTOR_VEb] = {XMM, GPR, 1, 0},
    [VECTOR_VEw] = {XMM, GPR, 2, 0},
    [VECTOR_EV] = {XMM, GPR, 4, STORE},
    [VECTOR_EVb] = {XMM, GPR, 1, STORE},
    [VECTOR_EVw] = {XMM, GPR, 2, STORE},
    [VECTOR_GU] = {GPR, XMM, 0, 0},
    [VECTOR_GWd] = {GPR, XMM, 4, 0},
    [VECTOR_GWq] = {GPR, XMM, 8, 0},
    [VECTOR_VQ] = {XMM, MM, 8, 0},
    [VECTOR_PW] = {MM, XMM, 16, 0},
    [VECTOR_PWq] = {MM, XMM, 8, 0},
    [VECTOR_VN] = {XMM, MM, 0, 0},
    [VECTOR_PU] = {MM, XMM, 0, 0},
    [VECTOR_compare] = {XMM, XMM, 16, NO_RESULT},
    [VECTOR_compare_u] = {XMM, XMM, 16, NO_RESULT | ANY_ADDRESS},
    [VECTOR_compare_d] = {XMM, XMM, 4, NO_RESULT},
    [VECTOR_compare_q] = {XMM, XMM, 8, NO_RESULT},
    [VECTOR_masked_PN] = {MM, MM, 0, NO_RESULT | NO_MEMORY},
    [VECTOR_masked_VU] = {XMM, XMM, 0, NO_RESULT | NO_MEMORY},
    [VECTOR_M] = {NOTHING, NOTHING, 0, NO_RESULT | NO_MEMORY},
};

static Vector get_register(const Cpu *cpu, unsigned kind, unsigned index) {
    const FpuState *fpu = &cpu->state.fpu;
    switch (kind) {
    case MM:
        return (Vector){{fpu_get_mmx(fpu, index), 0}};
    case XMM:
        return (Vector){{load_le64(fpu->xmm[index]), load_le64(fpu->xmm[index] + 8)}};
    case GPR:
        return (Vector){{(uint32_t)cpu->state.gpr[index], 0}};
    default:
        return (Vector){{0, 0}};
    }
}

static void set_register(Cpu *cpu, unsigned kind, unsigned index, const Vector *value) {
    FpuState *fpu = &cpu->state.fpu;
    switch (kind) {
    case MM:
        fpu_set_mmx(fpu, index, value->half[0]);
        break;
    case XMM:
        store_le64(fpu->xmm[index], value->half[0]);
        store_le64(fpu->xmm[index] + 8, value->half[1]);
        break;
    case GPR:
        cpu->state.gpr[index] = (uint32_t)value->half[0];
        break;
    default:
        break;
    }
}

/* 16 bytes at an address that is no multiple of 16 are #GP(0), but for MOVUPS and its like: they
 * are an alignment check's. */
static bool check_address(Cpu *cpu, const VectorOperation *operation, unsigned size, bool write,
                          uint32_t *linear) {
    bool unaligned = (forms[operation->row->form].attributes & ANY_ADDRESS) != 0;
    if (!cpu_check_segment(cpu, operation->segment, operation->offset, size, write, linear))
        return false;
    if (size == 16 && !unaligned && (*linear & 15) != 0) {
        cpu_raise_error(cpu, EXCEPTION_GP, 0);
        return false;
    }
    return size != 16 || cpu_check_alignment(cpu, *linear, 16);
}

/* Host memory behind an operand that the TLB holds and that needs nothing else done; else NULL. */
static uint8_t *find_host_memory(Cpu *cpu, uint32_t linear, unsigned size, bool write) {
    unsigned table = (cpu->state.cpl == 3 ? TLB_USER_READ : TLB_SUPER_READ) + write;
    int64_t address = cpu->tlb.entry[table][linear >> PAGE_BITS] + (int64_t)linear;
    if (address < 0 || (linear & PAGE_OFFSET_MASK) + size > PAGE_SIZE || cpu_checks_alignment(cpu))
        return NULL;
    return (uint8_t *)(uintptr_t)address;
}

static bool read_memory(Cpu *cpu, const VectorOperation *operation, unsigned size, Vector *value) {
    uint32_t linear;
    unsigned first = size < 8 ? size : 8;
    *value = (Vector){{0, 0}};
    if (!check_address(cpu, operation, size, false, &linear))
        return false;
    const uint8_t *host = find_host_memory(cpu, linear, size, false);
    if (host != NULL) {
        value->half[0] = load_le(host, first);
        value->half[1] = size == 16 ? load_le64(host + 8) : 0;
        return true;
    }
    return cpu_read(cpu, operation->segment, operation->offset, first, &value->half[0]) &&
           (size != 16 ||
            cpu_read(cpu, operation->segment, operation->offset + 8, 8, &value->half[1]));
}

static bool write_memory(Cpu *cpu, const VectorOperation *operation, unsigned size,
                         const Vector *value) {
    uint32_t linear;
    if (!check_address(cpu, operation, size, true, &linear))
        return false;
    if (size != 16)
        return cpu_write(cpu, operation->segment, operation->offset, size, value->half[0]);
    uint8_t *host = find_host_memory(cpu, linear, size, true);
    if (host != NULL) {
        store_le64(host, value->half[0]);
        store_le64(host + 8, value->half[1]);
        return true;
    }
    return x87_check_write(cpu, operation->segment, operation->offset, 16) &&
           cpu_write(cpu, operation->segment, operation->offset, 8, value->half[0]) &&
           cpu_write(cpu, operation->segment, operation->offset + 8, 8, value->half[1]);
}

void fpu_enter_mmx(FpuState *fpu) {
    x87_set_top(fpu, 0);
    fpu->tags = 0;
    x87_settle_tags(fpu);
}

/* Which x87 registers are touched: none by a form whose MMX operand is in memory. */
static bool uses_mmx(const VectorOperation *operation) {
    unsigned form = operation->row->form;
    return form == VECTOR_NONE || forms[form].reg == MM ||
           (forms[form].rm == MM && !operation->memory);
}

/* #UD, #NM, #MF in this order (SDM vol. 2 2.4, tables 2-18 to 2-26; 3A 13.1). */
static HelperResult check_availability(Cpu *cpu, const VectorOperation *operation) {
    const VectorRow *row = operation->row;
    unsigned form = row->form;
    bool sse = forms[form].reg == XMM || forms[form].rm == XMM;
    if (row->handler == NULL || !cpu_has(cpu, row->feature))
        return cpu_raise(cpu, EXCEPTION_UD);
    if (form != VECTOR_M) { /* FXSAVE and its group have checks of their own */
        if (cpu->state.cr0 & CR0_EM || (sse && !(cpu->state.cr4 & CR4_OSFXSR)))
            return cpu_raise(cpu, EXCEPTION_UD);
        if (cpu->state.cr0 & CR0_TS)
            return cpu_raise(cpu, EXCEPTION_NM);
    }
    return uses_mmx(operation) ? x87_check_pending(cpu) : HELPER_NEXT;
}

static const VectorRow *find_row(unsigned map, unsigned opcode, unsigned prefix) {
    static const VectorRow none = {0};
    unsigned index = prefix == 0x66 ? 1 : prefix == 0xF3 ? 2 : prefix == 0xF2 ? 3 : 0;
    if (map == 1)
        return &vector_rows_0f[opcode][index];
    if (index > 1 || (map != 2 && map != 3))
        return &none;
    return map == 2 ? &vector_rows_0f38[opcode][index] : &vector_rows_0f3a[opcode][index];
}

static bool fetch_operands(Cpu *cpu, VectorOperation *operation) {
    unsigned form = operation->row->form, attributes = forms[form].attributes;
    operation->wide = forms[form].reg == XMM || (forms[form].reg != MM && forms[form].rm == XMM);
    operation->a = get_register(cpu, forms[form].reg, operation->modrm >> 3 & 7);
    if (!operation->memory)
        operation->b = get_register(cpu, forms[form].rm, operation->modrm & 7);
    else if ((attributes & (STORE | NO_MEMORY)) == 0 &&
             !read_memory(cpu, operation, forms[form].size, &operation->b))
        return false;
    if (attributes & IN_PLACE)
        operation->a = operation->b;
    operation->result = operation->a;
    return true;
}

static bool store_result(Cpu *cpu, const VectorOperation *operation) {
    unsigned form = operation->row->form, attributes = forms[form].attributes;
    if (attributes & NO_RESULT)
        return true;
    if (attributes & STORE && operation->memory)
        return write_memory(cpu, operation, forms[form].size, &operation->result);
    if (attributes & (STORE | IN_PLACE))
        set_register(cpu, forms[form].rm, operation->modrm & 7, &operation->result);
    else
        set_register(cpu, forms[form].reg, operation->modrm >> 3 & 7, &operation->result);
    return true;
}

/* Conversions between MMX registers and numbers change to MMX state even where an exception keeps
 * them from anything else. */
static bool is_conversion(const VectorOperation *operation) {
    unsigned form = operation->row->form;
    return form == VECTOR_VQ || form == VECTOR_PW || form == VECTOR_PWq;
}

static HelperResult run(Cpu *cpu, VectorOperation *operation) {
    HelperResult result = check_availability(cpu, operation);
    if (result != HELPER_NEXT)
        return result;
    bool mmx = uses_mmx(operation);
    if (!fetch_operands(cpu, operation))
        return HELPER_FAULT;
    if (mmx && is_conversion(operation))
        fpu_enter_mmx(&cpu->state.fpu);
    result = operation->row->handler(cpu, operation);
    if (result != HELPER_NEXT)
        return result;
    if (!store_result(cpu, operation))
        return HELPER_FAULT;
    if (mmx && operation->row->form != VECTOR_NONE)
        fpu_enter_mmx(&cpu->state.fpu);
    return HELPER_NEXT;
}

static VectorOperation begin_operation(uint32_t a, uint32_t b) {
    return (VectorOperation){.row = find_row(a >> 24, a >> 8 & 0xFF, a >> 16 & 0xFF),
                             .opcode = (uint8_t)(a >> 8),
                             .modrm = (uint8_t)a,
                             .segment = (uint8_t)b,
                             .immediate = (uint8_t)(b >> 8),
                             .memory = (a & 0xFF) < 0xC0};
}

void vector_run_loaded(Cpu *cpu, uint32_t a, uint32_t b, const uint8_t *memory) {
    VectorOperation operation = begin_operation(a, b);
    bool mmx = uses_mmx(&operation);
    unsigned form = operation.row->form;
    bool in_memory = operation.memory && form != VECTOR_NONE;
    operation.memory = false; /* operands are there */
    fetch_operands(cpu, &operation);
    if (in_memory)
        operation.b = (Vector){{load_le64(memory), load_le64(memory + 8)}};
    operation.memory = in_memory;
    if (mmx && is_conversion(&operation))
        fpu_enter_mmx(&cpu->state.fpu);
    operation.row->handler(cpu, &operation);
    store_result(cpu, &operation);
    if (mmx && form != VECTOR_NONE)
        fpu_enter_mmx(&cpu->state.fpu);
}

HelperResult helper_vector(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t1;
    VectorOperation operation = begin_operation(a, b);
    operation.offset = t0;
    unsigned ready = fpu_find_ready_units(cpu);
    HelperResult result = run(cpu, &operation);
    return result == HELPER_NEXT ? fpu_finish_helper(cpu, ready) : result;
}

/* Handlers of what hosts do otherwise, or that access memory or registers that ModRM does not
 * name. */
static bool is_for_helper(const VectorRow *row) {
    static VectorHandler *const handlers[] = {vector_dot_product, vector_compare_strings,
                                              vector_fx_group, vector_masked_store, vector_3dnow};
    for (unsigned i = 0; i < sizeof handlers / sizeof handlers[0]; i++)
        if (row->handler == handlers[i])
            return true;
    return row->handler == NULL;
}

/* CVTPI2PS from memory: Intel's processors count it among MMX's instructions, AMD's do not, and
 * here it leaves the x87 alone on every host. */
static bool is_host_dependent(uint32_t a) {
    return a >> 24 == 1 && (a >> 8 & 0xFFFF) == 0x002A && (a & 0xFF) < 0xC0;
}

VectorShape vector_find_shape(uint32_t a) {
    static const uint8_t banks[] = {[NOTHING] = VECTOR_BANK_NONE,
                                    [MM] = VECTOR_BANK_MMX,
                                    [XMM] = VECTOR_BANK_XMM,
                                    [GPR] = VECTOR_BANK_GPR};
    const VectorRow *row = find_row(a >> 24, a >> 8 & 0xFF, a >> 16 & 0xFF);
    unsigned attributes = forms[row->form].attributes;
    bool memory = (a & 0xFF) < 0xC0 && row->form != VECTOR_NONE;
    bool accesses = memory && !(attributes & NO_MEMORY);
    return (VectorShape){
        .reg = banks[forms[row->form].reg],
        .rm = memory ? VECTOR_BANK_NONE : banks[forms[row->form].rm],
        .memory_size = accesses ? forms[row->form].size : 0,
        .stores = accesses && (attributes & STORE),
        .writes_rm = !memory && (attributes & (STORE | IN_PLACE)) && !(attributes & NO_RESULT),
        .writes_reg = !(attributes & (STORE | IN_PLACE | NO_RESULT)),
        .aligned = !(attributes & ANY_ADDRESS) && forms[row->form].size == 16,
        .mmx = row->form == VECTOR_NONE || forms[row->form].reg == MM ||
               (!memory && forms[row->form].rm == MM),
        .sse = forms[row->form].reg == XMM || forms[row->form].rm == XMM,
        .by_host = !is_for_helper(row) && (!memory || accesses) && !is_host_dependent(a),
        .feature = row->feature,
    };
}

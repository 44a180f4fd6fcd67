/* See gdb_registers.h. Names and order of the first two groups are GDB's own ("i386 Features" in
 * "Debugging with GDB"); the third is ours. */
#include "gdb_registers.h"
#include "gdb_packet.h"
#include "helpers.h"
#include "little_endian.h"

#include <string.h>

typedef void RegisterRead(Cpu *cpu, unsigned index, uint8_t *bytes);
typedef bool RegisterWrite(Cpu *cpu, unsigned index, const uint8_t *bytes);

/* Registers of one kind. */
typedef struct RegisterRow {
    const char *names; /* separated by spaces */
    const char *type;
    unsigned size;  /* in bytes */
    unsigned first; /* the first one's index, for the functions */
    RegisterRead *read;
    RegisterWrite *write; /* NULL: never */
    const char *group;    /* NULL: GDB's own choice */
} RegisterRow;

static void read_general(Cpu *cpu, unsigned index, uint8_t *bytes) {
    store_le32(bytes, (uint32_t)cpu->state.gpr[index]);
}

static bool write_general(Cpu *cpu, unsigned index, const uint8_t *bytes) {
    cpu->state.gpr[index] = load_le32(bytes);
    return true;
}

static void read_linear_ip(Cpu *cpu, unsigned index, uint8_t *bytes) {
    (void)index;
    store_le32(bytes, cpu->state.segment[SEG_CS].base + cpu->state.eip);
}

static bool write_linear_ip(Cpu *cpu, unsigned index, const uint8_t *bytes) {
    (void)index;
    cpu->state.eip = load_le32(bytes) - cpu->state.segment[SEG_CS].base;
    return true;
}

static void read_flags(Cpu *cpu, unsigned index, uint8_t *bytes) {
    (void)index;
    store_le32(bytes, cpu_get_eflags(cpu));
}

/* Between v8086 mode and others no flag switches alone. */
static bool write_flags(Cpu *cpu, unsigned index, const uint8_t *bytes) {
    (void)index;
    uint32_t old = cpu_get_eflags(cpu);
    cpu_set_eflags(cpu, (load_le32(bytes) & ~(uint32_t)FLAG_VM) | (old & FLAG_VM));
    return true;
}

static const uint8_t segment_order[SEG_COUNT] = {SEG_CS, SEG_SS, SEG_DS, SEG_ES, SEG_FS, SEG_GS};

static void read_selector(Cpu *cpu, unsigned index, uint8_t *bytes) {
    store_le32(bytes, cpu->state.segment[segment_order[index]].selector);
}

/* In protected mode a selector alone says nothing about the segment. */
static bool write_selector(Cpu *cpu, unsigned index, const uint8_t *bytes) {
    uint32_t value = load_le32(bytes);
    unsigned segment = segment_order[index];
    if (value == cpu->state.segment[segment].selector)
        return true;
    if (!cpu_is_real_addressing(cpu) || value > 0xFFFF)
        return false;
    if (cpu_is_v8086(cpu)) {
        cpu->state.segment[segment].selector = (uint16_t)value;
        cpu->state.segment[segment].base = value << 4;
        segment_classify(&cpu->state.segment[segment]);
    } else {
        segment_load_real(cpu, segment, (uint16_t)value);
    }
    return true;
}

static struct FpuRegister *find_stack_register(Cpu *cpu, unsigned index) {
    return &cpu->state.fpu.st[((cpu->state.fpu.status >> 11) + index) & 7];
}

static void read_stack_register(Cpu *cpu, unsigned index, uint8_t *bytes) {
    const struct FpuRegister *st = find_stack_register(cpu, index);
    store_le64(bytes, st->significand);
    store_le16(bytes + 8, st->sign_exponent);
}

static bool write_stack_register(Cpu *cpu, unsigned index, const uint8_t *bytes) {
    struct FpuRegister *st = find_stack_register(cpu, index);
    st->significand = load_le64(bytes);
    st->sign_exponent = load_le16(bytes + 8);
    return true;
}

/* fctrl fstat ftag fiseg fioff foseg fooff fop */
static void read_fpu_word(Cpu *cpu, unsigned index, uint8_t *bytes) {
    const FpuState *fpu = &cpu->state.fpu;
    const uint32_t words[] = {fpu->control, fpu->status, fpu->tags, fpu->cs,
                              fpu->ip,      fpu->ds,     fpu->dp,   fpu->opcode};
    store_le32(bytes, words[index]);
}

static void read_xmm(Cpu *cpu, unsigned index, uint8_t *bytes) {
    memcpy(bytes, cpu->state.fpu.xmm[index], 16);
}

static bool write_xmm(Cpu *cpu, unsigned index, const uint8_t *bytes) {
    memcpy(cpu->state.fpu.xmm[index], bytes, 16);
    return true;
}

static void read_mxcsr(Cpu *cpu, unsigned index, uint8_t *bytes) {
    (void)index;
    store_le32(bytes, cpu->state.fpu.mxcsr);
}

static void read_base(Cpu *cpu, unsigned index, uint8_t *bytes) {
    store_le32(bytes, cpu->state.segment[segment_order[index]].base);
}

static void read_tables(Cpu *cpu, unsigned index, uint8_t *bytes) {
    const CpuState *state = &cpu->state;
    const uint32_t words[] = {state->gdtr.base,
                              state->gdtr.limit,
                              state->idtr.base,
                              state->idtr.limit,
                              state->segment[SEG_LDTR].base,
                              state->segment[SEG_TR].base};
    store_le32(bytes, words[index]);
}

static void read_control(Cpu *cpu, unsigned index, uint8_t *bytes) {
    const CpuState *state = &cpu->state;
    const uint32_t words[] = {state->cr0, state->cr2, state->cr3, state->cr4};
    store_le32(bytes, words[index]);
}

static void read_state(Cpu *cpu, unsigned index, uint8_t *bytes) {
    const CpuState *state = &cpu->state;
    const uint32_t words[] = {state->eip, state->cpl, state->smm, state->halted};
    store_le32(bytes, words[index]);
}

static void read_count(Cpu *cpu, unsigned index, uint8_t *bytes) {
    (void)index;
    store_le64(bytes, cpu->state.instruction_count);
}

/* In the order of their numbers. A row without a reader begins a feature of this name. */
static const RegisterRow register_rows[] = {
    // clang-format off
    {"org.gnu.gdb.i386.core",       NULL,         0,  0,  NULL,                NULL,                 NULL},
    {"eax ecx edx ebx",             "int32",      4,  0,  read_general,        write_general,        NULL},
    {"esp ebp",                     "data_ptr",   4,  4,  read_general,        write_general,        NULL},
    {"esi edi",                     "int32",      4,  6,  read_general,        write_general,        NULL},
    {"eip",                         "code_ptr",   4,  0,  read_linear_ip,      write_linear_ip,      NULL},
    {"eflags",                      "i386_eflags", 4, 0,  read_flags,          write_flags,          NULL},
    {"cs ss ds es fs gs",           "int32",      4,  0,  read_selector,       write_selector,       NULL},
    {"st0 st1 st2 st3 st4 st5 st6 st7", "i387_ext", 10, 0, read_stack_register, write_stack_register, NULL},
    {"fctrl fstat ftag fiseg fioff foseg fooff fop", "int", 4, 0, read_fpu_word, NULL,               "float"},
    {"org.gnu.gdb.i386.sse",        NULL,         0,  0,  NULL,                NULL,                 NULL},
    {"xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7", "vec128", 16, 0, read_xmm,     write_xmm,            NULL},
    {"mxcsr",                       "i386_mxcsr", 4,  0,  read_mxcsr,          NULL,                 "vector"},
    {"org.reprise.i386.system",     NULL,         0,  0,  NULL,                NULL,                 NULL},
    {"cs_base ss_base ds_base es_base fs_base gs_base", "int32", 4, 0, read_base, NULL,              "system"},
    {"gdt_base gdt_limit idt_base idt_limit ldt_base tr_base", "int32", 4, 0, read_tables, NULL,     "system"},
    {"cr0",                         "i386_cr0",   4,  0,  read_control,        NULL,                 "system"},
    {"cr2 cr3",                     "int32",      4,  1,  read_control,        NULL,                 "system"},
    {"cr4",                         "i386_cr4",   4,  3,  read_control,        NULL,                 "system"},
    {"ip cpl smm halted",           "int32",      4,  0,  read_state,          NULL,                 "system"},
    {"instruction_count",           "uint64",     8,  0,  read_count,          NULL,                 "system"},
    // clang-format on
};
enum { ROWS = sizeof(register_rows) / sizeof(register_rows[0]) };

static unsigned count_names(const RegisterRow *row) {
    unsigned count = row->read != NULL;
    for (const char *at = row->names; *at != '\0' && count != 0; at++)
        count += *at == ' ';
    return count;
}

unsigned gdb_register_count(void) {
    unsigned count = 0;
    for (unsigned i = 0; i < ROWS; i++)
        count += count_names(&register_rows[i]);
    return count;
}

static const RegisterRow *find_row(unsigned number, unsigned *index) {
    const RegisterRow *row = register_rows;
    for (unsigned names; number >= (names = count_names(row)); row++)
        number -= names;
    *index = number + row->first;
    return row;
}

bool gdb_find_register(const char *name, unsigned *number) {
    size_t length = strlen(name);
    *number = 0;
    for (const RegisterRow *row = register_rows; row < register_rows + ROWS; row++) {
        for (const char *at = row->names; row->read != NULL && *at != '\0'; *number += 1) {
            size_t word = strcspn(at, " ");
            if (word == length && memcmp(at, name, length) == 0)
                return true;
            at += word;
            at += *at == ' ';
        }
    }
    return false;
}

void gdb_get_register(Cpu *cpu, unsigned number, uint8_t *bytes) {
    unsigned index;
    const RegisterRow *row = find_row(number, &index);
    memset(bytes, 0, GDB_REGISTER_BYTES);
    row->read(cpu, index, bytes);
}

unsigned gdb_register_size(unsigned number) {
    unsigned index;
    return find_row(number, &index)->size;
}

void gdb_append_register(ByteBuffer *payload, Cpu *cpu, unsigned number) {
    unsigned index;
    const RegisterRow *row = find_row(number, &index);
    uint8_t bytes[GDB_REGISTER_BYTES] = {0};
    row->read(cpu, index, bytes);
    gdb_append_hex(payload, bytes, row->size);
}

bool gdb_set_register(Cpu *cpu, unsigned number, const uint8_t *bytes) {
    unsigned index;
    const RegisterRow *row = find_row(number, &index);
    uint8_t present[GDB_REGISTER_BYTES] = {0};
    row->read(cpu, index, present);
    if (memcmp(present, bytes, row->size) == 0)
        return true;
    return row->write != NULL && row->write(cpu, index, bytes);
}

/* ---- The target description ---- */

typedef struct FlagBits {
    const char *type, *names; /* bit 0 first; "-": not one that is shown */
} FlagBits;

static const FlagBits flag_types[] = {
    {"i386_eflags", "CF - PF - AF - ZF SF TF IF DF OF - - NT - RF VM AC VIF VIP ID"},
    {"i386_mxcsr", "IE DE ZE OE UE PE DAZ IM DM ZM OM UM PM - - FZ"},
    {"i386_cr0", "PE MP EM TS ET NE - - - - - - - - - - WP - AM - - - - - - - - - - NW CD PG"},
    {"i386_cr4", "VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT UMIP - - - - - - - - SMEP "
                 "SMAP"},
};

static void describe_flags(ByteBuffer *text, const FlagBits *flags) {
    byte_buffer_print(text, "<flags id=\"%s\" size=\"4\">", flags->type);
    unsigned bit = 0;
    for (const char *at = flags->names; *at != '\0'; bit++) {
        int length = (int)strcspn(at, " ");
        if (*at != '-')
            byte_buffer_print(text, "<field name=\"%.*s\" start=\"%u\" end=\"%u\"/>", length, at,
                              bit, bit);
        at += length;
        at += *at == ' ';
    }
    byte_buffer_print(text, "</flags>");
}

static const char vector_type[] =
    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
    "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
    "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
    "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
    "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
    "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
    "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
    "<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
    "<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/>"
    "</union>";

static void describe_row(ByteBuffer *text, const RegisterRow *row) {
    for (const char *at = row->names; *at != '\0';) {
        int length = (int)strcspn(at, " ");
        byte_buffer_print(text, "<reg name=\"%.*s\" bitsize=\"%u\" type=\"%s\"", length, at,
                          row->size * 8, row->type);
        if (row->group != NULL)
            byte_buffer_print(text, " group=\"%s\"", row->group);
        byte_buffer_print(text, "/>");
        at += length;
        at += *at == ' ';
    }
}

void gdb_describe_target(ByteBuffer *text) {
    byte_buffer_print(text, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
                            "<target><architecture>i386</architecture>");
    for (unsigned i = 0; i < ROWS; i++) {
        const RegisterRow *row = &register_rows[i];
        if (row->read != NULL) {
            describe_row(text, row);
            continue;
        }
        byte_buffer_print(text, "%s<feature name=\"%s\">", i == 0 ? "" : "</feature>", row->names);
        for (unsigned type = 0; type < sizeof(flag_types) / sizeof(flag_types[0]); type++)
            describe_flags(text, &flag_types[type]);
        byte_buffer_print(text, "%s", vector_type);
    }
    byte_buffer_print(text, "</feature></target>");
}

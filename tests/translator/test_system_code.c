/* Instructions of operating systems that are translated whole: EFLAGS pushed and popped, interrupts
 * off and on, segment registers, CMPXCHG8B. Both backends run the same code by small numbers
 * of instructions, with and without interrupts, and must be in the same state after each: the
 * shadow of STI and what is left for the run loop are part of it. Each piece of code is run over
 * and over, from its start again where it ends or faults. */
#include "guest_fixture.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLES = 0x100000, CODE = 0x10000, DATA = 0x20000, STACK = 0x30000, INSTRUCTIONS = 120 };

/* Selectors that are put into the GDT behind the fixture's own. */
enum {
    LOWER_DATA = 0x18,   /* flat, DPL 3 */
    SMALL_DATA = 0x20,   /* base DATA, limit FFh */
    FRESH_DATA = 0x28,   /* flat, not accessed yet */
    ABSENT_DATA = 0x30,  /* not present */
    READABLE_CODE = 0x38 /* flat */
};

typedef struct SystemCase {
    const char *name;
    bool real;
    uint8_t code[44];
} SystemCase;

// clang-format off
static const SystemCase cases[] = {
    /* pushf; cli; cmp eax, eax; popf; nop; hlt */
    {"flags are kept over a stretch with interrupts off", false, {0x9C, 0xFA, 0x39, 0xC0, 0x9D, 0x90, 0xF4}},
    /* cli; pushf; sti; nop; popf; nop; sti; nop; hlt */
    {"interrupts go on and off", false, {0xFA, 0x9C, 0xFB, 0x90, 0x9D, 0x90, 0xFB, 0x90, 0xF4}},
    /* sti; sti; nop; cli; nop; sti; cli; nop; hlt */
    {"STI several times", false, {0xFB, 0xFB, 0x90, 0xFA, 0x90, 0xFB, 0xFA, 0x90, 0xF4}},
    /* push 202h; popf; push 0; popf; push 0AD5h; popf; pushf; pop eax; hlt */
    {"POPF sets and clears IF, DF and status flags", false,
     {0x68, 0x02, 0x02, 0, 0, 0x9D, 0x6A, 0, 0x9D, 0x68, 0xD5, 0x0E, 0, 0, 0x9D, 0x9C, 0x58, 0xFC, 0xF4}},
    /* push 240000h; popf; pushf; pop eax; push 7002h; popf; pushf; pop ebx; push 302h; popf; nop; hlt */
    {"POPF of AC, ID, NT, IOPL and TF", false,
     {0x68, 0, 0, 0x24, 0, 0x9D, 0x9C, 0x58, 0x68, 0x02, 0x70, 0, 0, 0x9D, 0x9C, 0x5B, 0x68, 0x02, 0x03, 0, 0, 0x9D, 0x90, 0xF4}},
    /* add eax, ebx; pushfw; adc eax, ebx; popfw; adc eax, ebx; std; pushf; cld; popf; hlt */
    {"16-bit forms and flags from arithmetic", false,
     {0x01, 0xD8, 0x66, 0x9C, 0x11, 0xD8, 0x66, 0x9D, 0x11, 0xD8, 0xFD, 0x9C, 0xFC, 0x9D, 0xF4}},
    /* mov al, 18h; mov ds, eax; mov es, eax; mov [DATA], eax; mov al, 10h; push eax; pop fs; push eax; pop gs; hlt */
    {"flat segments", false,
     {0xB0, LOWER_DATA, 0x8E, 0xD8, 0x8E, 0xC0, 0xA3, 0, 0, 2, 0, 0xB0, 0x10, 0x50, 0x0F, 0xA1, 0x50, 0x0F, 0xA9, 0xF4}},
    /* mov al, 20h; mov es, eax; mov [es:10h], eax; mov ebx, [DATA + 10h]; mov al, 28h; mov es, eax; mov [es:DATA + 4], eax; hlt */
    {"segments of other kinds, accessed for the first time", false,
     {0xB0, SMALL_DATA, 0x8E, 0xC0, 0x26, 0xA3, 0x10, 0, 0, 0, 0x8B, 0x1D, 0x10, 0, 2, 0, 0xB0, FRESH_DATA, 0x8E, 0xC0, 0x26, 0xA3, 4, 0, 2, 0, 0xF4}},
    /* mov dword [DATA], 40h; mov word [DATA + 4], 20h; les eax, [DATA]; mov [es:eax], eax; mov word [DATA + 4], 18h; lfs ebx, [DATA]; hlt */
    {"far pointers", false,
     {0xC7, 0x05, 0, 0, 2, 0, 0x40, 0, 0, 0, 0xB0, SMALL_DATA, 0xA2, 4, 0, 2, 0, 0xC4, 0x05, 0, 0, 2, 0, 0x26, 0x89, 0x00,
      0xB0, LOWER_DATA, 0xA2, 4, 0, 2, 0, 0x0F, 0xB4, 0x1D, 0, 0, 2, 0, 0xF4}},
    /* mov al, 20h; mov es, eax; mov [es:100h], eax: #GP; hlt */
    {"a limit is known at once", false, {0xB0, SMALL_DATA, 0x8E, 0xC0, 0x26, 0xA3, 0, 1, 0, 0, 0xF4}},
    /* mov al, 0; mov fs, eax; mov gs, eax; mov [fs:0], eax: #GP */
    {"null segments", false, {0xB0, 0, 0x8E, 0xE0, 0x8E, 0xE8, 0x64, 0xA3, 0, 0, 0, 0, 0xF4}},
    /* mov al, 30h; mov es, eax: #NP */
    {"an absent segment", false, {0xB0, ABSENT_DATA, 0x8E, 0xC0, 0xF4}},
    /* mov al, 38h; push eax; pop es; mov ebx, [es:DATA]; mov [es:DATA], ebx: #GP */
    {"a code segment for data", false,
     {0xB0, READABLE_CODE, 0x50, 0x07, 0x26, 0x8B, 0x1D, 0, 0, 2, 0, 0x26, 0x89, 0x1D, 0, 0, 2, 0, 0xF4}},
    /* mov al, 0F8h; push eax; pop es: #GP beyond the table, ESP as it was */
    {"beyond the table", false, {0xB0, 0xF8, 0x50, 0x07, 0xF4}},
    /* mov al, 20h; verr ax; setz bl; verw ax; setz bh; mov al, 38h; verw ax; setz cl; mov al, 0; verr ax; setz ch; hlt */
    {"VERR and VERW", false,
     {0xB0, SMALL_DATA, 0x0F, 0x00, 0xE0, 0x0F, 0x94, 0xC3, 0x0F, 0x00, 0xE8, 0x0F, 0x94, 0xC7, 0xB0, READABLE_CODE, 0x0F, 0x00,
      0xE8, 0x0F, 0x94, 0xC1, 0xB0, 0, 0x0F, 0x00, 0xE0, 0x0F, 0x94, 0xC5, 0xF4}},
    /* xor eax, eax; cdq; stc; cmpxchg8b [DATA]; setz bl; adc ecx, 0; cmpxchg8b [DATA]; jnz; cmpxchg8b [DATA + FFDh]; hlt */
    {"CMPXCHG8B, also over a page's end", false,
     {0x31, 0xC0, 0x99, 0xF9, 0x0F, 0xC7, 0x0D, 0, 0, 2, 0, 0x0F, 0x94, 0xC3, 0x83, 0xD1, 0, 0x0F, 0xC7, 0x0D, 0, 0, 2, 0,
      0x75, 0, 0x0F, 0xC7, 0x0D, 0xFD, 0x0F, 2, 0, 0xF4}},
    /* invlpg [DATA]; mov [DATA], eax; mov eax, cr3; mov cr3, eax; invlpg [CODE]; nop; in al, 60h; out 80h, al; nop; hlt */
    {"the TLB and ports", false,
     {0x0F, 0x01, 0x3D, 0, 0, 2, 0, 0xA3, 0, 0, 2, 0, 0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8, 0x0F, 0x01, 0x3D, 0, 0, 1, 0, 0x90,
      0xE4, 0x60, 0xE6, 0x80, 0x90, 0xF4}},
    /* push 10202h; push cs; push next; iret; next: pushf; pop eax; nop; hlt */
    {"IRET sets RF, which the next instruction clears", false,
     {0x68, 0x02, 0x02, 0x01, 0, 0x0E, 0x68, 0x0C, 0, 1, 0, 0xCF, 0x9C, 0x58, 0x90, 0xF4}},
    /* mov eax, cr0; mov ebx, cr2; mov ecx, cr3; mov edx, cr4; mov esi, dr7; mov edi, dr0; smsw ebp; smsw bx; str eax; sldt bx; hlt */
    {"system registers", false,
     {0x0F, 0x20, 0xC0, 0x0F, 0x20, 0xD3, 0x0F, 0x20, 0xD9, 0x0F, 0x20, 0xE2, 0x0F, 0x21, 0xFE, 0x0F, 0x21, 0xC7, 0x0F, 0x01,
      0xE5, 0x66, 0x0F, 0x01, 0xE3, 0x0F, 0x00, 0xC8, 0x66, 0x0F, 0x00, 0xC3, 0xF4}},
    /* sgdt [DATA]; sidt [DATA + FFDh]; smsw [DATA + 10h]; str [DATA + 12h]; hlt */
    {"system registers in memory", false,
     {0x0F, 0x01, 0x05, 0, 0, 2, 0, 0x0F, 0x01, 0x0D, 0xFD, 0x0F, 2, 0, 0x0F, 0x01, 0x25, 0x10, 0, 2, 0, 0x0F, 0x00, 0x0D,
      0x12, 0, 2, 0, 0xF4}},
    /* fninit; fld1; fstp qword [DATA]; fninit; fnstenv [DATA + 40h]; fldpi; fnclex; fldz; wait; fnstenv [DATA + 80h]; hlt */
    {"FNINIT and FNCLEX beside the x87's pointers", false,
     {0xDB, 0xE3, 0xD9, 0xE8, 0xDD, 0x1D, 0, 0, 2, 0, 0xDB, 0xE3, 0xD9, 0x35, 0x40, 0, 2, 0, 0xD9, 0xEB, 0xDB, 0xE2, 0xD9, 0xEE,
      0x9B, 0xD9, 0x35, 0x80, 0, 2, 0, 0xF4}},
    /* mov eax, 2400h; mov dr7, eax; mov ebx, dr7: #DB; hlt */
    {"DR7.GD", false, {0xB8, 0, 0x24, 0, 0, 0x0F, 0x23, 0xF8, 0x0F, 0x21, 0xFB, 0x90, 0xF4}},
    /* sgdt [100h]; sidt [110h]; smsw ax; mov ebx, cr0; smsw [106h]; hlt */
    {"system registers in real mode", true,
     {0x0F, 0x01, 0x06, 0x00, 0x01, 0x0F, 0x01, 0x0E, 0x10, 0x01, 0x0F, 0x01, 0xE0, 0x0F, 0x20, 0xC3, 0x0F, 0x01, 0x26, 0x06, 0x01, 0xF4}},
    /* pushf; cli; push cs; pop ds; push cs; pop es; mov [0], ax; mov ax, 2000h; mov es, ax; mov [es:2], ax; popf; sti; nop; hlt */
    {"real mode", true,
     {0x9C, 0xFA, 0x0E, 0x1F, 0x0E, 0x07, 0xA3, 0x80, 0, 0xB8, 0, 0x20, 0x8E, 0xC0, 0x26, 0xA3, 2, 0, 0x9D, 0xFB, 0x90, 0xF4}},
};
// clang-format on
enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

static void add_descriptors(Guest *guest) {
    static const uint64_t descriptors[] = {0x00CFF3000000FFFF, 0x00409302000000FF,
                                           0x00CF92000000FFFF, 0x00CF13000000FFFF,
                                           0x00CF9B000000FFFF};
    for (unsigned i = 0; i < sizeof(descriptors) / sizeof(descriptors[0]); i++)
        physical_write(guest->map, TABLES + LOWER_DATA + 8 * i, 8, descriptors[i]);
}

/* jmp to the code's start, from here. */
static void put_jump(uint8_t *at, uint32_t from, bool real) {
    int32_t distance = CODE - (int32_t)(from + (real ? 3 : 5));
    at[0] = 0xE9;
    memcpy(at + 1, &distance, real ? 2 : 4);
}

static size_t code_length(const SystemCase *item) {
    size_t length = sizeof(item->code);
    while (item->code[length - 1] != 0xF4)
        length--;
    return length - 1;
}

static void set_up(Guest *guest, const SystemCase *item, TranslatorBackend backend) {
    size_t length = code_length(item);
    guest_create(guest, &(TranslatorOptions){.backend = backend});
    memcpy(guest->ram + CODE, item->code, length);
    put_jump(guest->ram + CODE + length, CODE + (uint32_t)length, item->real);
    if (item->real) {
        guest_enter_real_mode(guest, CODE >> 4, 0);
        guest_return_from_interrupts(guest);
    } else {
        guest_enter_flat_mode(guest, TABLES, CODE, true);
        guest_resume_after_events(guest, TABLES, CODE + 0x1000, 0, STACK);
        put_jump(guest->ram + CODE + 0x1000, CODE + 0x1000, false);
        add_descriptors(guest);
    }
    guest->cpu->state.gpr[REG_ESP] = item->real ? 0x8000 : STACK;
    guest->cpu->state.gpr[REG_EBX] = 0x87654321;
}

/* Both run on by 'stride' instructions at a time; now and then an interrupt comes. */
static void compare(const SystemCase *item, bool interrupt, unsigned stride) {
    Guest jit, portable;
    char text[512];
    set_up(&jit, item, BACKEND_JIT);
    set_up(&portable, item, BACKEND_PORTABLE);
    for (unsigned done = stride; done <= INSTRUCTIONS; done += stride) {
        guest_run(&jit, done);
        guest_run(&portable, done);
        ck_assert_msg(!field_table_diff(&cpu_fields, &jit.cpu->state, &portable.cpu->state, text,
                                        sizeof(text)),
                      "%s, %s, after %u instructions by %u: %s", item->name,
                      interrupt ? "interrupted" : "not interrupted", done, stride, text);
        if (interrupt && done / stride % 3 == 0) {
            guest_interrupt(&jit);
            guest_interrupt(&portable);
        }
    }
    ck_assert_msg(guest_compare(&jit, &portable, text, sizeof(text)), "%s: %s", item->name, text);
    guest_destroy(&jit);
    guest_destroy(&portable);
}

START_TEST(test_each_stride) {
    if (translator_default_backend() != BACKEND_JIT)
        return;
    static const uint8_t strides[] = {1, 2, 3, 5, 7, 40};
    for (unsigned i = 0; i < sizeof(strides); i++)
        for (int interrupt = 0; interrupt < 2; interrupt++)
            compare(&cases[_i], interrupt != 0, strides[i]);
}
END_TEST

static unsigned long count_steps(const Guest *guest) {
    ByteBuffer text = {0};
    translator_print_info(guest->translator, &text);
    const char *row = strstr((const char *)text.data, "single steps");
    ck_assert_ptr_nonnull(row);
    unsigned long steps = strtoul(row + strlen("single steps"), NULL, 10);
    byte_buffer_free(&text);
    return steps;
}

/* What is common is not run instruction by instruction. */
START_TEST(test_common_code_is_not_stepped) {
    if (translator_default_backend() != BACKEND_JIT)
        return;
    Guest guest;
    set_up(&guest, &cases[_i], BACKEND_JIT);
    guest_run(&guest, 100);
    unsigned long steps = count_steps(&guest);
    guest_run(&guest, 1000);
    ck_assert_uint_le(count_steps(&guest), steps + 2); /* STI at a budget's end is stepped */
    guest_destroy(&guest);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("system_code");
    TCase *each = tcase_create("each stride");
    tcase_add_loop_test(each, test_each_stride, 0, CASE_COUNT);
    suite_add_tcase(suite, each);
    TCase *common = tcase_create("not stepped");
    tcase_add_loop_test(common, test_common_code_is_not_stepped, 0, 3);
    suite_add_tcase(suite, common);
    return suite_run(suite);
}

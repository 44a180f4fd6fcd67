/* Short programs in which several places for flags are wanted at once, on both backends. */
#include "guest_fixture.h"
#include "helpers.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

enum { CODE = 0x10000, TABLES = 0x100000, INSTRUCTIONS = 64 };

typedef struct Program {
    const char *name;
    uint8_t code[48];
    uint32_t size;
} Program;

static const Program programs[] = {
    {"CF of BTS beside ZF of BSR",
     {
         0x0F, 0xBD, 0xFB,                         /* bsr edi, ebx: ZF from what was scanned */
         0x0F, 0xBA, 0x2D, 0x00, 0x00, 0x02, 0, 3, /* bts dword [20000h], 3: CF */
         0x0F, 0x95, 0xC4,                         /* setne ah */
         0x48,                                     /* dec eax: keeps CF */
         0xF4,                                     /* hlt */
     },
     16},
    {"CF of BT beside ZF of BSF",
     {
         0x0F, 0xBC, 0xFB,       /* bsf edi, ebx */
         0x0F, 0xBA, 0xE2, 0x01, /* bt edx, 1 */
         0x74, 0x01,             /* jz over the next */
         0x40,                   /* inc eax */
         0x19, 0xC9,             /* sbb ecx, ecx */
         0xF4,                   /* hlt */
     },
     13},
};

static void run_program(Guest *guest, const Program *program, uint32_t ebx) {
    CpuState *state = &guest->cpu->state;
    memset(guest->ram, 0, GUEST_RAM_BYTES);
    memcpy(guest->ram + CODE, program->code, program->size);
    guest_enter_flat_mode(guest, TABLES, CODE, false);
    state->gpr[REG_EBX] = ebx;
    cpu_set_eflags(guest->cpu, FLAG_1);
    ck_assert_int_eq(guest_run(guest, INSTRUCTIONS), RUN_HALTED);
}

START_TEST(test_backends_agree) {
    static const uint32_t values[] = {0, 1, 0x100, 0x80000000, 0xFFFFFFFF};
    const Program *program = &programs[_i];
    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        Guest portable, translated;
        char text[200];
        guest_create(&portable, &(TranslatorOptions){.backend = BACKEND_PORTABLE});
        guest_create(&translated, &(TranslatorOptions){.backend = translator_default_backend()});
        run_program(&portable, program, values[i]);
        run_program(&translated, program, values[i]);
        ck_assert_msg(guest_compare(&portable, &translated, text, sizeof(text)), "%s, EBX %X: %s",
                      program->name, values[i], text);
        guest_destroy(&portable);
        guest_destroy(&translated);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("flag_sources");
    TCase *tests = tcase_create("programs");
    tcase_add_loop_test(tests, test_backends_agree, 0, sizeof(programs) / sizeof(programs[0]));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

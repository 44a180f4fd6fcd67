/* The transcendental instructions where the x87 stands in the host's registers: all of its state is
 * as the portable backend leaves it, for every class of operands, stack and conditions before. */
#include "guest_fixture.h"
#include "x87.h"
#include <check.h>
#include <stdio.h>
#include <string.h>

enum { CODE = 0x10000, CODE_STRIDE = 16, TABLES = 0x100000, CASES = 4000, FUNCTION_COUNT = 8 };

static const uint8_t functions[FUNCTION_COUNT] = {0xF0, 0xF1, 0xF2, 0xF3, 0xF9, 0xFB, 0xFE, 0xFF};

/* FNOP, whose block makes the state live, the function, and HLT. */
static void open_guest(Guest *guest, TranslatorBackend backend) {
    TranslatorOptions options = {.backend = backend};
    guest_create(guest, &options);
    for (unsigned i = 0; i < FUNCTION_COUNT; i++) {
        const uint8_t code[] = {0xD9, 0xD0, 0xD9, functions[i], 0xF4};
        memcpy(guest->ram + CODE + CODE_STRIDE * i, code, sizeof code);
    }
    guest_enter_flat_mode(guest, TABLES, CODE, false);
}

/* Mostly numbers around 1, and of every other class. */
static struct FpuRegister random_register(uint64_t *random) {
    uint64_t r = guest_random(random);
    struct FpuRegister value = {.significand = guest_random(random) | UINT64_C(1) << 63};
    unsigned exponent = 0x3FFF - 6 + (r & 7);
    switch (r >> 8 & 15) {
    case 0:
        value.significand = 0;
        exponent = 0;
        break;
    case 1:
        value.significand = UINT64_C(1) << 63;
        break;
    case 2: /* NaN, unsupported */
        value.significand ^= r & UINT64_C(1) << 63;
        exponent = 0x7FFF;
        break;
    case 3:
        value.significand = UINT64_C(1) << 63;
        exponent = 0x7FFF;
        break;
    case 4: /* denormal */
        value.significand >>= 1 + (r >> 12 & 31);
        exponent = 0;
        break;
    case 5:
        exponent = r >> 16 & 0x7FFF;
        break;
    case 6:
        exponent = 0x3FFF - 70 + (r >> 16) % 140;
        break;
    default:
        break;
    }
    value.sign_exponent = (uint16_t)(exponent | (r >> 40 & 3 ? 0 : 0x8000));
    return value;
}

static void set_random_state(FpuState *fpu, uint64_t *random) {
    uint64_t r = guest_random(random);
    unsigned rounding = r >> 61 ? 0 : r & 3;
    fpu->control = (uint16_t)(0x7F | (r >> 8 & 3) << 8 | rounding << 10);
    fpu->status = (uint16_t)((r >> 16 & 0x7F3F) & ~0x80u);
    for (unsigned i = 0; i < 8; i++) {
        fpu->st[i] = random_register(random);
        /* Other tags follow the contents when the state is taken back from the host. */
        bool is_room = i == (((r >> 27) - 1) & 7) && (r >> 32 & 3) != 0; /* ST(7) */
        bool is_empty = is_room || (guest_random(random) & 7) == 0;
        unsigned exponent = fpu->st[i].sign_exponent & 0x7FFF;
        bool is_zero = exponent == 0 && fpu->st[i].significand == 0;
        bool is_normal = exponent != 0 && exponent != 0x7FFF && fpu->st[i].significand >> 63;
        unsigned tag = is_empty ? 3 : is_zero ? 1 : is_normal ? 0 : 2;
        fpu->tags = (uint16_t)((fpu->tags & ~(3u << 2 * i)) | tag << 2 * i);
    }
}

static void run_function(Guest *guest, unsigned function, const FpuState *fpu) {
    CpuState *state = &guest->cpu->state;
    state->fpu = *fpu;
    state->eip = CODE + CODE_STRIDE * function;
    state->halted = 0;
    ck_assert_int_eq(translator_run(guest->translator, 1000), RUN_HALTED);
}

static void print_state(const char *name, const FpuState *fpu) {
    printf("%s: control %04X status %04X tags %04X eip %08X opcode %03X\n", name, fpu->control,
           fpu->status, fpu->tags, fpu->ip, fpu->opcode);
    for (unsigned i = 0; i < 8; i++)
        printf("  %04X:%016llX\n", fpu->st[i].sign_exponent,
               (unsigned long long)fpu->st[i].significand);
}

START_TEST(test_like_portable) {
    Guest ours, portable;
    open_guest(&ours, translator_default_backend());
    open_guest(&portable, BACKEND_PORTABLE);
    uint64_t random = (uint64_t)_i + 1;
    FpuState before = ours.cpu->state.fpu;
    for (unsigned i = 0; i < CASES; i++) {
        set_random_state(&before, &random);
        run_function(&ours, (unsigned)_i, &before);
        run_function(&portable, (unsigned)_i, &before);
        if (memcmp(&ours.cpu->state.fpu, &portable.cpu->state.fpu, sizeof before) != 0) {
            print_state("before", &before);
            print_state("translated", &ours.cpu->state.fpu);
            print_state("portable", &portable.cpu->state.fpu);
            ck_abort_msg("D9 %02X, case %u", functions[_i], i);
        }
    }
    guest_destroy(&ours);
    guest_destroy(&portable);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fpu_functions");
    TCase *tests = tcase_create("fpu_functions");
    tcase_add_loop_test(tests, test_like_portable, 0, FUNCTION_COUNT);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    setvbuf(stdout, NULL, _IOLBF, 0);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

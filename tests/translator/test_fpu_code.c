/* x87, MMX and SSE code through the translator, with every backend: operands reach the helpers, and
 * an x87 error goes the PC's way to IRQ 13 and back. */
#include "cpu_model.h"
#include "helpers.h"
#include "little_endian.h"
#include "msr.h"
#include "suite_run.h"
#include "translator.h"
#include "x87.h"
#include <check.h>
#include <string.h>

enum { CODE = 0x7C00, RAM = 1 << 20 };

typedef struct FpuGuest {
    PhysicalMap *map;
    PortMap *ports;
    VirtualClock clock;
    Trace trace;
    Cpu *cpu;
    Translator *translator;
    uint8_t *ram;
    int ferr_edges;
} FpuGuest;

static void count_ferr(void *listener, int line, int level) {
    (void)line;
    ((FpuGuest *)listener)->ferr_edges += level;
}

static void open_guest(FpuGuest *guest, TranslatorBackend backend, const uint8_t *code,
                       size_t size) {
    TranslatorOptions options = {.backend = backend};
    memset(guest, 0, sizeof *guest);
    guest->map = physical_map_create(RAM, NULL);
    guest->ports = port_map_create();
    guest->cpu = cpu_create(guest->map, guest->ports, &guest->clock, &guest->trace,
                            cpu_model_find("max"), NULL);
    guest->translator = translator_create(guest->cpu, &options, NULL);
    ck_assert_ptr_nonnull(guest->translator);
    guest->ram = physical_map_ram(guest->map);
    for (unsigned i = 0; i < SEG_COUNT; i++)
        segment_load_real(guest->cpu, i, 0);
    guest->cpu->state.eip = CODE;
    guest->cpu->state.cr4 = CR4_OSFXSR;
    guest->cpu->ferr = (Wire){count_ferr, guest, 0};
    memcpy(guest->ram + CODE, code, size);
}

static void close_guest(FpuGuest *guest) {
    translator_destroy(guest->translator);
    cpu_destroy(guest->cpu);
    port_map_destroy(guest->ports);
    physical_map_destroy(guest->map);
}

static TranslatorBackend backend_of(int i) {
    return i == 0 ? BACKEND_PORTABLE : translator_default_backend();
}

static const uint8_t mixed_code[] = {
    // clang-format off
    0xDB, 0xE3, /* fninit */
    0xD9, 0xEB, /* fldpi */
    0xD9, 0xE8, /* fld1 */
    0xDE, 0xC1, /* faddp st1, st0 */
    0xDD, 0x1E, 0x00, 0x05, /* fstp qword [0x500] */
    0xDF, 0x06, 0x20, 0x05, /* fild word [0x520] */
    0xDF, 0x06, 0x22, 0x05, /* fild word [0x522] */
    0xDB, 0xF1, /* fcomi st0, st1 */
    0x0F, 0x92, 0x06, 0x08, 0x05, /* setb [0x508] */
    0xDD, 0xD8, /* fstp st0 */
    0xDB, 0x1E, 0x0C, 0x05, /* fistp dword [0x50c] */
    0x66, 0xB8, 0x04, 0x03, 0x02, 0x01, /* mov eax, 0x01020304 */
    0x0F, 0x6E, 0xC0, /* movd mm0, eax */
    0x0F, 0xFC, 0xC0, /* paddb mm0, mm0 */
    0x0F, 0x7E, 0x06, 0x10, 0x05, /* movd [0x510], mm0 */
    0x0F, 0x77, /* emms */
    0x0F, 0x10, 0x0E, 0x30, 0x05, /* movups xmm1, [0x530] */
    0x0F, 0x58, 0xC9, /* addps xmm1, xmm1 */
    0x0F, 0x11, 0x0E, 0x40, 0x05, /* movups [0x540], xmm1 */
    0x0F, 0xC3, 0x06, 0x14, 0x05, /* movnti [0x514], eax */
    0x66, 0xBB, 0xFF, 0xFF, 0xFF, 0xFF, /* mov ebx, 0xffffffff */
    0xF2, 0x0F, 0x38, 0xF0, 0xD8, /* crc32 ebx, al */
    0x66, 0x89, 0x1E, 0x18, 0x05, /* mov [0x518], ebx */
    0xF4, /* hlt */
    // clang-format on
};

START_TEST(test_mixed_code) {
    FpuGuest guest;
    open_guest(&guest, backend_of(_i), mixed_code, sizeof mixed_code);
    store_le16(guest.ram + 0x520, 1000);
    store_le16(guest.ram + 0x522, (uint16_t)-7);
    store_le32(guest.ram + 0x530, 0x3FC00000); /* 1.5 */
    store_le32(guest.ram + 0x53C, 0xC0000000); /* -2 */
    ck_assert_int_eq(translator_run(guest.translator, 1000), RUN_HALTED);
    ck_assert_uint_eq(guest.cpu->state.instruction_count, 24);
    ck_assert_uint_eq(load_le64(guest.ram + 0x500), UINT64_C(0x401090FDAA22168C));
    /* pi + 1 */
    ck_assert_uint_eq(guest.ram[0x508], 1);
    ck_assert_uint_eq(load_le32(guest.ram + 0x50C), 1000);
    ck_assert_uint_eq(load_le32(guest.ram + 0x510), 0x02040608);
    ck_assert_uint_eq(load_le32(guest.ram + 0x514), 0x01020304);
    ck_assert_uint_eq(load_le32(guest.ram + 0x540), 0x40400000);
    ck_assert_uint_eq(load_le32(guest.ram + 0x54C), 0xC0800000);
    ck_assert_uint_eq(guest.cpu->state.fpu.tags, 0xFFFF);
    /* CRC-32C of the byte 04h. */
    uint32_t crc = 0xFFFFFFFF ^ 4;
    for (unsigned i = 0; i < 8; i++)
        crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78 : 0);
    ck_assert_uint_eq(load_le32(guest.ram + 0x518), crc);
    close_guest(&guest);
}
END_TEST

static const uint8_t failing_code[] = {
    // clang-format off
    0xDB, 0xE3, /* fninit */
    0xD9, 0x2E, 0x20, 0x05, /* fldcw [0x520] */
    0xD9, 0xE8, /* fld1 */
    0xD9, 0xEE, /* fldz */
    0xDE, 0xF9, /* fdivp st1, st0 */
    0x90, /* nop */
    0x9B, /* fwait */
    0xDB, 0xE2, /* fnclex */
    0xF4, /* hlt */
    // clang-format on
};

START_TEST(test_error_by_interrupt) {
    FpuGuest guest;
    open_guest(&guest, backend_of(_i), failing_code, sizeof failing_code);
    store_le16(guest.ram + 0x520, 0x37B); /* divide by zero unmasked */
    /* It stands still at the FWAIT, and time goes on. */
    ck_assert_int_ne(translator_run(guest.translator, 1000), RUN_HALTED);
    ck_assert_uint_eq(guest.cpu->state.eip, CODE + 13);
    ck_assert_int_eq(guest.ferr_edges, 1);
    ck_assert_uint_ge(guest.cpu->state.instruction_count, 7);
    x87_set_ignne(guest.cpu, 0, 1);
    ck_assert_int_eq(translator_run(guest.translator, 1000), RUN_HALTED);
    ck_assert_uint_eq(guest.cpu->state.fpu.status & 0x80FF, 0);
    ck_assert_uint_eq(guest.cpu->state.ferr, 0);
    close_guest(&guest);
}
END_TEST

static const uint8_t pointer_code[] = {
    // clang-format off
    0xDB, 0xE3, /* fninit */
    0xD9, 0x06, 0x20, 0x05, /* fld dword [0x520] */
    0xD9, 0xE8, /* fld1 */
    0xD9, 0x36, 0x00, 0x05, /* fnstenv [0x500] */
    0xF4, /* hlt */
    // clang-format on
};

/* What each model keeps of the last instruction. */
START_TEST(test_pointers) {
    static const struct {
        const char *model;
        uint64_t misc_enable;
        unsigned opcode;
    } cases[] = {{"max", 0, 0x1E8},
                 {"pentium3", 0, 0x1E8},
                 {"pentium4", 0, 0},
                 {"pentium4", MISC_ENABLE_FOPCODE, 0x1E8}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FpuGuest guest;
        open_guest(&guest, backend_of(_i), pointer_code, sizeof pointer_code);
        guest.cpu->model = cpu_model_find(cases[i].model);
        guest.cpu->state.misc_enable = cases[i].misc_enable;
        ck_assert_int_eq(translator_run(guest.translator, 1000), RUN_HALTED);
        ck_assert_uint_eq(load_le16(guest.ram + 0x506), CODE + 6);
        ck_assert_uint_eq(load_le16(guest.ram + 0x508), cases[i].opcode);
        ck_assert_uint_eq(load_le16(guest.ram + 0x50A), 0x520);
        close_guest(&guest);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fpu_code");
    TCase *backends = tcase_create("backends");
    tcase_add_loop_test(backends, test_mixed_code, 0, 2);
    tcase_add_loop_test(backends, test_error_by_interrupt, 0, 2);
    tcase_add_loop_test(backends, test_pointers, 0, 2);
    suite_add_tcase(suite, backends);
    return suite_run(suite);
}

/* Instructions that came with extensions - LZCNT, ADCX, ADOX, CRC32, MOVBE - on random operands:
 * both backends against what the manual says, with flags before and after. */
#include "guest_fixture.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

enum { CODE = 0x10000, TABLES = 0x100000, DATA = 0x20000, STACK = 0x30000, ROUNDS = 300 };

// clang-format off
static const uint8_t code[] = {
    0x9D,                                     /* popf */
    0xF3, 0x0F, 0xBD, 0xC1,                   /* lzcnt eax, ecx */
    0x72, 0x00,                               /* jc next */
    0x0F, 0x92, 0x05, 0x10, 0, 2, 0,          /* setc [DATA + 10h] */
    0x0F, 0x94, 0x05, 0x11, 0, 2, 0,          /* setz [DATA + 11h] */
    0x66, 0xF3, 0x0F, 0xBD, 0x15, 0, 0, 2, 0, /* lzcnt dx, [DATA] */
    0x9C,                                     /* pushf */
    0xF2, 0x0F, 0x38, 0xF1, 0xD9,             /* crc32 ebx, ecx */
    0xF2, 0x0F, 0x38, 0xF0, 0xE5,             /* crc32 esp, ch */
    0xF2, 0x0F, 0x38, 0xF0, 0xE5,             /* the same */
    0x66, 0xF2, 0x0F, 0x38, 0xF1, 0x1D, 0, 0, 2, 0, /* crc32 ebx, word [DATA] */
    0xBC, 0xFC, 0xFF, 2, 0,                   /* mov esp, STACK - 4 */
    0x9D,                                     /* popf */
    0xF3, 0x0F, 0x38, 0xF6, 0xF1,             /* adox esi, ecx */
    0x66, 0x0F, 0x38, 0xF6, 0x3D, 0, 0, 2, 0, /* adcx edi, [DATA] */
    0x66, 0x0F, 0x38, 0xF6, 0xE9,             /* adcx ebp, ecx */
    0xF3, 0x0F, 0x38, 0xF6, 0xE9,             /* adox ebp, ecx */
    0x66, 0x0F, 0x38, 0xF1, 0x0D, 8, 0, 2, 0, /* movbe [DATA + 8], cx */
    0x66, 0x0F, 0x38, 0xF0, 0x0D, 0, 0, 2, 0, /* movbe cx, [DATA] */
    0x9C,                                     /* pushf */
    0xF4,                                     /* hlt */
};
// clang-format on

static uint32_t crc32c(uint32_t crc, uint32_t data, unsigned bits) {
    for (unsigned i = 0; i < bits; i++)
        crc = crc >> 1 ^ ((crc ^ data >> i) & 1 ? 0x82F63B78 : 0);
    return crc;
}

static uint32_t count_leading_zeros(uint32_t value, uint32_t bits) {
    uint32_t count = 0;
    while (count < bits && !(value >> (bits - 1 - count) & 1))
        count++;
    return count;
}

/* Adds *flag, too, and sets it. */
static uint32_t add_with_flag(uint32_t a, uint32_t b, bool *flag) {
    uint64_t sum = (uint64_t)a + b + *flag;
    *flag = sum >> 32 != 0;
    return (uint32_t)sum;
}

static uint32_t random_operand(uint64_t *seed) {
    uint64_t random = guest_random(seed);
    return (random & 7) == 0 ? 0 : (uint32_t)(random >> 32) >> (random >> 8 & 31);
}

static void check(Guest *guest, uint32_t ecx, uint32_t data, uint32_t flags,
                  const uint64_t *before) {
    const uint64_t *gpr = guest->cpu->state.gpr;
    bool carry = flags & FLAG_CF, overflow = flags & FLAG_OF;
    ck_assert_uint_eq(gpr[REG_EAX], count_leading_zeros(ecx, 32));
    ck_assert_uint_eq(guest->ram[DATA + 0x10], ecx == 0);
    ck_assert_uint_eq(guest->ram[DATA + 0x11], ecx >> 31);
    ck_assert_uint_eq(gpr[REG_EDX] & 0xFFFF, count_leading_zeros(data & 0xFFFF, 16));
    ck_assert_uint_eq(gpr[REG_EBX],
                      crc32c(crc32c((uint32_t)before[REG_EBX], ecx, 32), data & 0xFFFF, 16));
    ck_assert_uint_eq(gpr[REG_ESI], add_with_flag((uint32_t)before[REG_ESI], ecx, &overflow));
    ck_assert_uint_eq(gpr[REG_EDI], add_with_flag((uint32_t)before[REG_EDI], data, &carry));
    uint32_t sum = add_with_flag((uint32_t)before[REG_EBP], ecx, &carry);
    ck_assert_uint_eq(gpr[REG_EBP], add_with_flag(sum, ecx, &overflow));
    ck_assert_uint_eq(guest->ram[DATA + 8], ecx >> 8 & 0xFF);
    ck_assert_uint_eq(guest->ram[DATA + 9], ecx & 0xFF);
    ck_assert_uint_eq(gpr[REG_ECX], (ecx & 0xFFFF0000) | (data >> 8 & 0xFF) | (data & 0xFF) << 8);
    uint32_t after = load_le32(guest->ram + STACK - 4);
    ck_assert_uint_eq(after & FLAG_STATUS, (flags & FLAG_STATUS & ~(uint32_t)(FLAG_CF | FLAG_OF)) |
                                               (carry ? FLAG_CF : 0) | (overflow ? FLAG_OF : 0));
}

START_TEST(test_random_operands) {
    Guest guest;
    uint64_t seed = 1;
    guest_create_model(&guest, &(TranslatorOptions){.backend = (TranslatorBackend)_i}, "max");
    memcpy(guest.ram + CODE, code, sizeof code);
    for (unsigned round = 0; round < ROUNDS; round++) {
        guest_enter_flat_mode(&guest, TABLES, CODE, true);
        CpuState *state = &guest.cpu->state;
        uint64_t before[8];
        for (unsigned i = 0; i < 8; i++)
            before[i] = state->gpr[i] = random_operand(&seed);
        uint32_t data = random_operand(&seed), flags = random_operand(&seed) & FLAG_STATUS;
        flags |= FLAG_1;
        store_le32(guest.ram + DATA, data);
        store_le32(guest.ram + STACK - 4, flags);
        store_le32(guest.ram + STACK - 8, flags);
        state->gpr[REG_ESP] = STACK - 8;
        /* PUSHF behind LZCNT goes where the first POPF has read. */
        ck_assert_int_eq(guest_run(&guest, state->instruction_count + 100), RUN_HALTED);
        uint32_t counted = load_le32(guest.ram + STACK - 8);
        uint32_t bits = count_leading_zeros(data & 0xFFFF, 16);
        ck_assert_uint_eq(counted & FLAG_STATUS,
                          (bits == 16 ? FLAG_CF : 0) | (bits == 0 ? FLAG_ZF : 0));
        check(&guest, (uint32_t)before[REG_ECX], data, flags, before);
        state->halted = 0;
    }
    guest_destroy(&guest);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("extensions");
    TCase *tests = tcase_create("extensions");
    tcase_add_loop_test(tests, test_random_operands, BACKEND_PORTABLE,
                        translator_default_backend() + 1);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

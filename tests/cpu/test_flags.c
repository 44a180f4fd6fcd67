/* The ALU functions of flags.h against the host's own instructions, where the host is an x86-64;
 * what the manual leaves undefined is checked against the rules at the head of flags.h by values.
 */
#include "flags.h"
#include "suite_run.h"
#include <check.h>

/* Interesting operands, cut to size where they are used. */
static const uint64_t samples[] = {
    0,          1,          2,          0x7E,       0x7F,       0x80,      0x81,    0xFE,
    0xFF,       0x100,      0x7FFF,     0x8000,     0x8001,     0xFFFF,    0x10000, 0x12345678,
    0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF, 0xA5A5A5A5, 0x5A5A5A5A};
enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

typedef uint64_t Binary(unsigned size, uint64_t a, uint64_t b, uint32_t *flags);
typedef uint64_t Unary(unsigned size, uint64_t a, uint32_t *flags);
typedef uint64_t Shift(unsigned size, uint64_t a, unsigned count, uint32_t *flags);

#ifdef __x86_64__

/* Runs one instruction on the host with the given status flags. PUSHF goes below the red zone's
 * reach. */
#define HOST_BINARY(name, suffix, type, text)                                                      \
    static uint64_t name##_##suffix(uint64_t a, uint64_t b, uint32_t *flags) {                     \
        type value = (type)a;                                                                      \
        uint64_t image = *flags;                                                                   \
        __asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushq %1\n\tpopfq\n\t" text                    \
                         "\n\tpushfq\n\tpopq %1\n\tlea 128(%%rsp), %%rsp"                          \
                         : "+q"(value), "+r"(image)                                                \
                         : "c"((type)b)                                                            \
                         : "cc", "memory");                                                        \
        *flags = (uint32_t)image & FLAG_STATUS;                                                    \
        return value;                                                                              \
    }
#define HOST_SIZES(name, mnemonic)                                                                 \
    HOST_BINARY(name, 1, uint8_t, mnemonic "b %2, %0")                                             \
    HOST_BINARY(name, 2, uint16_t, mnemonic "w %2, %0")                                            \
    HOST_BINARY(name, 4, uint32_t, mnemonic "l %2, %0")
#define HOST_SHIFT(name, mnemonic)                                                                 \
    HOST_BINARY(name, 1, uint8_t, mnemonic "b %%cl, %0")                                           \
    HOST_BINARY(name, 2, uint16_t, mnemonic "w %%cl, %0")                                          \
    HOST_BINARY(name, 4, uint32_t, mnemonic "l %%cl, %0")
#define HOST_UNARY(name, mnemonic)                                                                 \
    HOST_BINARY(name, 1, uint8_t, mnemonic "b %0")                                                 \
    HOST_BINARY(name, 2, uint16_t, mnemonic "w %0")                                                \
    HOST_BINARY(name, 4, uint32_t, mnemonic "l %0")

HOST_SIZES(add, "add")
HOST_SIZES(adc, "adc")
HOST_SIZES(sub, "sub")
HOST_SIZES(sbb, "sbb")
HOST_SIZES(and, "and")
HOST_SIZES(or, "or")
HOST_SIZES(xor, "xor")
HOST_UNARY(inc, "inc")
HOST_UNARY(dec, "dec")
HOST_UNARY(neg, "neg")
HOST_SHIFT(shl, "shl")
HOST_SHIFT(shr, "shr")
HOST_SHIFT(sar, "sar")
HOST_SHIFT(rol, "rol")
HOST_SHIFT(ror, "ror")
HOST_SHIFT(rcl, "rcl")
HOST_SHIFT(rcr, "rcr")

typedef uint64_t Host(uint64_t a, uint64_t b, uint32_t *flags);
#define HOSTS(name)                                                                                \
    { name##_1, name##_2, NULL, name##_4 }

static void compare(const char *name, unsigned size, uint64_t a, uint64_t b, uint32_t before,
                    uint64_t ours, uint32_t our_flags, Host *host, uint32_t undefined) {
    uint32_t host_flags = before;
    uint64_t theirs = host(a, b, &host_flags);
    ck_assert_msg(ours == theirs && ((our_flags ^ host_flags) & ~undefined & FLAG_STATUS) == 0,
                  "%s size %u %llx, %llx flags %x: %llx %x, host %llx %x", name, size,
                  (unsigned long long)a, (unsigned long long)b, before, (unsigned long long)ours,
                  our_flags, (unsigned long long)theirs, host_flags);
}

START_TEST(arithmetic_agrees_with_the_host) {
    static const struct {
        const char *name;
        Binary *ours;
        Host *host[4];
        uint32_t undefined;
    } rows[] = {
        {"add", alu_add, HOSTS(add), 0},       {"adc", alu_adc, HOSTS(adc), 0},
        {"sub", alu_sub, HOSTS(sub), 0},       {"sbb", alu_sbb, HOSTS(sbb), 0},
        {"and", alu_and, HOSTS(and), FLAG_AF}, {"or", alu_or, HOSTS(or), FLAG_AF},
        {"xor", alu_xor, HOSTS(xor), FLAG_AF},
    };
    for (unsigned row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
        for (unsigned size = 1; size <= 4; size *= 2)
            for (unsigned i = 0; i < SAMPLES * SAMPLES * 2; i++) {
                uint64_t a = samples[i / 2 % SAMPLES] & alu_mask(size);
                uint64_t b = samples[i / 2 / SAMPLES] & alu_mask(size);
                uint32_t before = i & 1 ? FLAG_STATUS : 0, flags = before;
                uint64_t ours = rows[row].ours(size, a, b, &flags);
                compare(rows[row].name, size, a, b, before, ours, flags, rows[row].host[size - 1],
                        rows[row].undefined);
            }
}
END_TEST

START_TEST(increments_agree_with_the_host) {
    static const struct {
        const char *name;
        Unary *ours;
        Host *host[4];
    } rows[] = {
        {"inc", alu_inc, HOSTS(inc)}, {"dec", alu_dec, HOSTS(dec)}, {"neg", alu_neg, HOSTS(neg)}};
    for (unsigned row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
        for (unsigned size = 1; size <= 4; size *= 2)
            for (unsigned i = 0; i < SAMPLES * 2; i++) {
                uint64_t a = samples[i / 2] & alu_mask(size);
                uint32_t before = i & 1 ? FLAG_STATUS : 0, flags = before;
                uint64_t ours = rows[row].ours(size, a, &flags);
                compare(rows[row].name, size, a, 0, before, ours, flags, rows[row].host[size - 1],
                        0);
            }
}
END_TEST

/* OF is undefined for counts other than 1; AF for the shifts. Shifts beyond the width leave CF
 * undefined. */
static uint32_t undefined_of_shift(bool rotate, unsigned size, unsigned count) {
    count &= 31;
    if (count == 0)
        return 0;
    uint32_t undefined = rotate ? 0 : FLAG_AF;
    if (count != 1)
        undefined |= FLAG_OF;
    if (!rotate && count >= 8 * size)
        undefined |= FLAG_CF;
    return undefined;
}

START_TEST(shifts_agree_with_the_host) {
    static const struct {
        const char *name;
        Shift *ours;
        Host *host[4];
        bool rotate;
    } rows[] = {
        {"shl", alu_shl, HOSTS(shl), false}, {"shr", alu_shr, HOSTS(shr), false},
        {"sar", alu_sar, HOSTS(sar), false}, {"rol", alu_rol, HOSTS(rol), true},
        {"ror", alu_ror, HOSTS(ror), true},  {"rcl", alu_rcl, HOSTS(rcl), true},
        {"rcr", alu_rcr, HOSTS(rcr), true},
    };
    for (unsigned row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
        for (unsigned size = 1; size <= 4; size *= 2)
            for (unsigned i = 0; i < SAMPLES * 2; i++)
                for (unsigned count = 0; count < 40; count++) {
                    uint64_t a = samples[i / 2] & alu_mask(size);
                    uint32_t before = i & 1 ? FLAG_STATUS : 0, flags = before;
                    uint64_t ours = rows[row].ours(size, a, count, &flags);
                    compare(rows[row].name, size, a, count, before, ours, flags,
                            rows[row].host[size - 1],
                            undefined_of_shift(rows[row].rotate, size, count));
                }
}
END_TEST

static uint32_t host_double_shift(bool left, uint32_t a, uint32_t b, unsigned count,
                                  uint32_t *flags) {
    uint64_t image = 0;
    if (left)
        __asm__("shldl %%cl, %3, %0\n\tlea -128(%%rsp), %%rsp\n\tpushfq\n\tpopq %1\n\tlea "
                "128(%%rsp), %%rsp"
                : "+r"(a), "+r"(image)
                : "c"(count), "r"(b)
                : "cc", "memory");
    else
        __asm__("shrdl %%cl, %3, %0\n\tlea -128(%%rsp), %%rsp\n\tpushfq\n\tpopq %1\n\tlea "
                "128(%%rsp), %%rsp"
                : "+r"(a), "+r"(image)
                : "c"(count), "r"(b)
                : "cc", "memory");
    *flags = (uint32_t)image & FLAG_STATUS;
    return a;
}

START_TEST(double_shifts_agree_with_the_host) {
    for (unsigned i = 0; i < SAMPLES * SAMPLES; i++)
        for (unsigned count = 1; count < 32; count++)
            for (unsigned left = 0; left < 2; left++) {
                uint32_t a = (uint32_t)samples[i % SAMPLES], b = (uint32_t)samples[i / SAMPLES];
                uint32_t flags = 0, host_flags;
                uint64_t ours = (left ? alu_shld : alu_shrd)(4, a, b, count, &flags);
                uint32_t theirs = host_double_shift(left, a, b, count, &host_flags);
                uint32_t undefined = FLAG_AF | (count == 1 ? 0 : FLAG_OF);
                ck_assert_msg(ours == theirs && ((flags ^ host_flags) & ~undefined) == 0,
                              "%s %x, %x by %u: %x %x, host %x %x", left ? "shld" : "shrd", a, b,
                              count, (uint32_t)ours, flags, theirs, host_flags);
            }
}
END_TEST

#endif

/* Division and multiplication against wide C arithmetic. */
START_TEST(products_and_quotients) {
    for (unsigned i = 0; i < SAMPLES * SAMPLES; i++) {
        uint32_t a = (uint32_t)samples[i % SAMPLES], b = (uint32_t)samples[i / SAMPLES];
        uint64_t high, quotient, remainder;
        uint32_t flags = 0;
        uint64_t low = alu_mul(4, a, b, &high, &flags);
        ck_assert_uint_eq(high << 32 | low, (uint64_t)a * b);
        ck_assert_uint_eq(!!(flags & FLAG_CF), high != 0);
        low = alu_imul(4, a, b, &high, &flags);
        int64_t product = (int64_t)(int32_t)a * (int32_t)b;
        ck_assert_uint_eq(high << 32 | low, (uint64_t)product);
        ck_assert_uint_eq(!!(flags & FLAG_OF), product != (int32_t)product);
        if (b != 0) {
            ck_assert(alu_div(4, 0, a, b, &quotient, &remainder));
            ck_assert_uint_eq(quotient, a / b);
            ck_assert_uint_eq(remainder, a % b);
        }
        if (b != 0 && !(a == 0x80000000 && b == 0xFFFFFFFF)) {
            ck_assert(alu_idiv(4, (int32_t)a < 0 ? 0xFFFFFFFF : 0, a, b, &quotient, &remainder));
            ck_assert_uint_eq(quotient, (uint32_t)((int32_t)a / (int32_t)b));
            ck_assert_uint_eq(remainder, (uint32_t)((int32_t)a % (int32_t)b));
        }
    }
}
END_TEST

START_TEST(divide_errors) {
    uint64_t quotient, remainder;
    ck_assert(!alu_div(1, 0, 5, 0, &quotient, &remainder));
    ck_assert(!alu_div(1, 2, 0, 2, &quotient, &remainder));
    ck_assert(!alu_idiv(4, 0, 5, 0, &quotient, &remainder));
    ck_assert(!alu_idiv(4, 0xFFFFFFFF, 0x80000000, 0xFFFFFFFF, &quotient, &remainder));
    ck_assert(!alu_idiv(1, 0, 0x80, 1, &quotient, &remainder));
    ck_assert(alu_idiv(1, 0xFF, 0x80, 1, &quotient, &remainder)); /* -128 / 1 */
    ck_assert_uint_eq(quotient, 0x80);
    ck_assert(!alu_idiv(8, UINT64_C(1) << 63, 0, UINT64_MAX, &quotient, &remainder));
}
END_TEST

START_TEST(decimal_adjustments) {
    uint32_t flags = 0;
    ck_assert_uint_eq(alu_daa(0xAE, &flags), 0x14); /* the manual's example: 79h + 35h = AEh */
    ck_assert_uint_eq(flags & (FLAG_CF | FLAG_AF), FLAG_CF | FLAG_AF);
    flags = FLAG_AF;
    ck_assert_uint_eq(alu_das(0xEE, &flags), 0x88);
    ck_assert(flags & FLAG_CF);
    flags = 0;
    ck_assert_uint_eq(alu_aaa(0x000F, &flags), 0x0105);
    ck_assert(flags & FLAG_CF);
    flags = 0;
    ck_assert_uint_eq(alu_aas(0x020F, &flags), 0x0109);
    uint16_t ax = 0x00FF;
    ck_assert(alu_aam(&ax, 10, &flags));
    ck_assert_uint_eq(ax, 0x1905);
    ck_assert(!alu_aam(&ax, 0, &flags));
    ck_assert_uint_eq(alu_aad(0x0905, 10, &flags), 95);
}
END_TEST

/* The rules for what the manual leaves undefined. */
START_TEST(undefined_flags_by_rule) {
    uint32_t flags = FLAG_AF;
    alu_and(4, 3, 1, &flags);
    ck_assert_uint_eq(flags & FLAG_AF, 0);
    flags = 0;
    alu_shl(1, 0x41, 2, &flags); /* 04h, CF = 1: OF = 0 ^ 1 */
    ck_assert_uint_eq(flags & (FLAG_CF | FLAG_OF), FLAG_CF | FLAG_OF);
    flags = 0;
    alu_shl(1, 0xFF, 9, &flags); /* beyond the width */
    ck_assert_uint_eq(flags, FLAG_ZF | FLAG_PF);
    flags = FLAG_OF;
    alu_shr(1, 0x80, 2, &flags);
    ck_assert_uint_eq(flags & FLAG_OF, 0);
    flags = 0;
    alu_rol(1, 0x80, 8, &flags); /* all the way round: CF is bit 0, OF follows */
    ck_assert_uint_eq(flags, FLAG_OF);
    flags = 0;
    alu_rcl(1, 0x40, 9, &flags); /* through carry all the way round */
    ck_assert_uint_eq(flags, 0);
    /* 16-bit SHLD by 20 shifts the destination in behind the source. */
    ck_assert_uint_eq(alu_shld(2, 0x1234, 0x5678, 20, &flags), 0x6781);
    ck_assert_uint_eq(alu_shrd(2, 0x1234, 0x5678, 20, &flags), 0x4567);
    flags = FLAG_STATUS;
    ck_assert_uint_eq(alu_bsf(4, 77, 0, &flags), 77);
    ck_assert_uint_eq(flags, FLAG_ZF | FLAG_PF);
    flags = FLAG_STATUS;
    ck_assert_uint_eq(alu_bsr(4, 77, 0x8000, &flags), 15);
    ck_assert_uint_eq(flags, FLAG_PF);
    flags = FLAG_OF;
    alu_bt(4, 2, 33, &flags);
    ck_assert_uint_eq(flags, FLAG_OF | FLAG_CF);
    uint64_t high;
    flags = FLAG_AF;
    alu_mul(1, 0x10, 0x10, &high, &flags);
    ck_assert_uint_eq(flags, FLAG_CF | FLAG_OF | FLAG_ZF | FLAG_PF);
}
END_TEST

START_TEST(conditions) {
    for (uint32_t flags = 0; flags < 0x1000; flags++) {
        bool cf = flags & FLAG_CF, zf = flags & FLAG_ZF, sf = flags & FLAG_SF, of = flags & FLAG_OF,
             pf = flags & FLAG_PF;
        bool expected[8] = {of, cf, zf, cf || zf, sf, pf, sf != of, zf || sf != of};
        for (unsigned condition = 0; condition < 16; condition++)
            ck_assert_int_eq(alu_condition_holds(condition, flags),
                             expected[condition / 2] != (condition & 1));
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("flags");
    TCase *tests = tcase_create("flags");
#ifdef __x86_64__
    tcase_add_test(tests, arithmetic_agrees_with_the_host);
    tcase_add_test(tests, increments_agree_with_the_host);
    tcase_add_test(tests, shifts_agree_with_the_host);
    tcase_add_test(tests, double_shifts_agree_with_the_host);
#endif
    tcase_add_test(tests, products_and_quotients);
    tcase_add_test(tests, divide_errors);
    tcase_add_test(tests, decimal_adjustments);
    tcase_add_test(tests, undefined_flags_by_rule);
    tcase_add_test(tests, conditions);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* A CPU for the tests of x87 and vector instructions: flat protected mode, one page of memory for
 * operands, and random numbers that hit the edges. */
#ifndef REPRISE_FPU_FIXTURE_H
#define REPRISE_FPU_FIXTURE_H

#include "cpu_model.h"
#include "float80.h"
#include "helpers.h"
#include "x87.h"
#include <stdlib.h>
#include <string.h>

enum { OPERAND_ADDRESS = 0x10000, FIXTURE_RAM = 0x100000 };

typedef struct FpuFixture {
    PhysicalMap *map;
    VirtualClock clock;
    Cpu *cpu;
} FpuFixture;

static inline void fixture_open(FpuFixture *fixture) {
    Error error = {0};
    fixture->map = physical_map_create(FIXTURE_RAM, &error);
    fixture->clock = (VirtualClock){0};
    const CpuModel *model = cpu_model_find("max");
    fixture->cpu = cpu_create(fixture->map, NULL, &fixture->clock, NULL, model, &error);
    Cpu *cpu = fixture->cpu;
    if (cpu == NULL)
        abort();
    cpu->features[0] = ~UINT64_C(0);
    cpu->state.cr0 = CR0_PE | CR0_NE | CR0_ET;
    cpu->state.cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        Segment *segment = &cpu->state.segment[i];
        *segment = (Segment){.selector = 8,
                             .limit = UINT32_MAX,
                             .access = ACCESS_P | ACCESS_S | ACCESS_RW | ACCESS_DB | ACCESS_G};
        segment_classify(segment);
    }
}

static inline void fixture_close(FpuFixture *fixture) {
    cpu_destroy(fixture->cpu);
    physical_map_destroy(fixture->map);
}

static inline uint8_t *fixture_operand(FpuFixture *fixture) {
    return physical_map_ram(fixture->map) + OPERAND_ADDRESS;
}

/* An ESC instruction; a memory operand is at OPERAND_ADDRESS. */
/* An instruction that makes a unit ready, or not any more, ends its block: to these tests that is
 * the same. */
static inline HelperResult fixture_done(HelperResult result) {
    return result == HELPER_JUMP ? HELPER_NEXT : result;
}

static inline HelperResult fixture_x87(FpuFixture *fixture, unsigned opcode, unsigned modrm) {
    fixture->cpu->exception.vector = EXCEPTION_NONE;
    return fixture_done(helper_x87(fixture->cpu, opcode << 8 | modrm, SEG_DS | 4 << 8 | 4 << 16,
                                   OPERAND_ADDRESS, 0));
}

/* Random numbers: xorshift64*, Marsaglia 2003. */
static inline uint64_t random_u64(uint64_t *seed) {
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

static inline unsigned random_below(uint64_t *seed, unsigned limit) {
    return (unsigned)(random_u64(seed) >> 33) % limit;
}

/* Bits in runs: carries travel far and ties happen. */
static inline uint64_t random_runs(uint64_t *seed) {
    uint64_t value = random_u64(seed);
    switch (random_below(seed, 6)) {
    case 0:
        return value;
    case 1:
        return value << random_below(seed, 64);
    case 2:
        return value >> random_below(seed, 64);
    case 3:
        return ~(value << random_below(seed, 64));
    case 4:
        return (UINT64_C(1) << random_below(seed, 64)) + (UINT64_C(1) << random_below(seed, 64));
    default:
        return (UINT64_C(1) << random_below(seed, 64)) - (UINT64_C(1) << random_below(seed, 64));
    }
}

/* A number of the given exponent field. */
static inline Float80 random_float80_near(uint64_t *seed, int biased) {
    uint16_t sign = random_below(seed, 2) ? 0x8000 : 0;
    return (Float80){random_runs(seed) | UINT64_C(1) << 63, (uint16_t)(sign | (biased & 0x7FFF))};
}

/* Any encoding, edges often. */
static inline Float80 random_float80(uint64_t *seed) {
    static const uint16_t exponents[] = {0,
                                         1,
                                         2,
                                         0x3FFF,
                                         0x7FFE,
                                         0x7FFF,
                                         0x3FFF - 16,
                                         0x3FFF + 62,
                                         0x3FFF + 63,
                                         0x3FFF + 64,
                                         0x3FFF + 127,
                                         0x3FFF + 128,
                                         0x3FFF - 126,
                                         0x3FFF - 149,
                                         0x3FFF - 150,
                                         0x3FFF + 1023,
                                         0x3FFF + 1024,
                                         0x3FFF - 1022,
                                         0x3FFF - 1074,
                                         0x3FFF - 1075,
                                         0x3FFE,
                                         0x4000,
                                         0x403B};
    static const uint64_t significands[] = {UINT64_C(0x8000000000000000),
                                            UINT64_C(0xC000000000000000),
                                            UINT64_C(0xFFFFFFFFFFFFFFFF),
                                            UINT64_C(0x8000000000000001),
                                            0,
                                            1,
                                            UINT64_C(0x7FFFFFFFFFFFFFFF),
                                            UINT64_C(0xA000000000000000),
                                            UINT64_C(0xFFFFFF8000000000),
                                            UINT64_C(0xFFFFFF7FFFFFFFFF),
                                            UINT64_C(0xFFFFFFFFFFFFFC00),
                                            UINT64_C(0x8000008000000000),
                                            UINT64_C(0x8000000000000400),
                                            UINT64_C(0x4000000000000000)};
    uint16_t sign = random_below(seed, 2) ? 0x8000 : 0;
    unsigned kind = random_below(seed, 16);
    if (kind < 5)
        return random_float80_near(seed, 0x3FFF - 70 + (int)random_below(seed, 140));
    if (kind < 7)
        return random_float80_near(seed, 0x3FFF - 4 + (int)random_below(seed, 8));
    if (kind < 8)
        return (Float80){random_runs(seed), (uint16_t)random_u64(seed)};
    if (kind < 10)
        return float80_from_integer((int64_t)(random_runs(seed) >> random_below(seed, 64)));
    uint16_t exponent = exponents[random_below(seed, sizeof exponents / sizeof exponents[0])];
    exponent =
        (uint16_t)((exponent + (random_below(seed, 4) == 0 ? random_below(seed, 3) - 1 : 0)) &
                   0x7FFF);
    uint64_t significand =
        significands[random_below(seed, sizeof significands / sizeof significands[0])];
    if (kind < 14)
        significand = random_runs(seed) | (exponent != 0 ? UINT64_C(1) << 63 : 0);
    return (Float80){significand, (uint16_t)(exponent | sign)};
}

static inline uint32_t random_float32(uint64_t *seed) {
    static const uint32_t edges[] = {0,          1,          0x7FFFFF,   0x800000,   0x800001,
                                     0x3F800000, 0x3F7FFFFF, 0x7F7FFFFF, 0x7F800000, 0x7F800001,
                                     0x7FC00000, 0x7FFFFFFF, 0x7FA00000, 0x7FC12345, 0x4F000000,
                                     0x4EFFFFFF, 0x4F800000, 0x3F000000, 0x3FC00000, 0x5F000000,
                                     0x47000000, 0x46FFFE00, 0x40000000, 0x00400000};
    uint32_t sign = random_below(seed, 2) << 31;
    switch (random_below(seed, 6)) {
    case 0:
        return (uint32_t)random_u64(seed);
    case 1:
    case 2:
        return sign | edges[random_below(seed, sizeof edges / sizeof edges[0])];
    case 3:
        return sign | (uint32_t)(random_runs(seed) & 0x7FFFFFFF);
    default:
        return sign | (0x7F - 32 + random_below(seed, 64)) << 23 |
               (uint32_t)(random_runs(seed) & 0x7FFFFF);
    }
}

static inline uint64_t random_float64(uint64_t *seed) {
    static const uint64_t edges[] = {0,
                                     1,
                                     UINT64_C(0xFFFFFFFFFFFFF),
                                     UINT64_C(0x10000000000000),
                                     UINT64_C(0x3FF0000000000000),
                                     UINT64_C(0x3FEFFFFFFFFFFFFF),
                                     UINT64_C(0x7FEFFFFFFFFFFFFF),
                                     UINT64_C(0x7FF0000000000000),
                                     UINT64_C(0x7FF0000000000001),
                                     UINT64_C(0x7FF8000000000000),
                                     UINT64_C(0x7FFFFFFFFFFFFFFF),
                                     UINT64_C(0x7FF4000000000000),
                                     UINT64_C(0x41E0000000000000),
                                     UINT64_C(0x41DFFFFFFFC00000),
                                     UINT64_C(0x43E0000000000000),
                                     UINT64_C(0x3FE0000000000000),
                                     UINT64_C(0x47EFFFFFE0000000),
                                     UINT64_C(0x47EFFFFFF0000000),
                                     UINT64_C(0x3690000000000000),
                                     UINT64_C(0x3810000000000000),
                                     UINT64_C(0x380FFFFFFFFFFFFF),
                                     UINT64_C(0x7FF8000012345678)};
    uint64_t sign = (uint64_t)random_below(seed, 2) << 63;
    switch (random_below(seed, 6)) {
    case 0:
        return random_u64(seed);
    case 1:
    case 2:
        return sign | edges[random_below(seed, sizeof edges / sizeof edges[0])];
    case 3:
        return sign | (random_runs(seed) & INT64_MAX);
    default:
        return sign | (uint64_t)(0x3FF - 40 + random_below(seed, 80)) << 52 |
               (random_runs(seed) & UINT64_C(0xFFFFFFFFFFFFF));
    }
}

#endif

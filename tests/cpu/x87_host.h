/* Runs single x87 instructions on the x87 of an x86-64 host and on ours, from the same state. */
#ifndef REPRISE_X87_HOST_H
#define REPRISE_X87_HOST_H

#include "fpu_fixture.h"
#include <check.h>
#include <stdio.h>
#include <sys/mman.h>

enum { IMAGE_BYTES = 108, MEMORY_BYTES = 128, THUNK_BYTES = 48 };

/* What the instruction works on, and what it leaves. */
typedef struct MachineState {
    uint8_t image[112]; /* FSAVE, 32-bit protected-mode format */
    uint8_t memory[MEMORY_BYTES];
    uint64_t flags;
    uint64_t ax;
} MachineState;

typedef void Thunk(uint8_t *image, uint8_t *memory, uint64_t *flags_and_ax);

/* mov eax,0; push [rdx]; popfq; frstor [rdi]; INSTRUCTION; mov [rdx+8],ax; fnsave [rdi]; pushfq;
 * pop [rdx]; ret */
static inline void write_thunk(uint8_t *code, unsigned opcode, unsigned modrm) {
    const uint8_t bytes[] = {
        0xB8,           0,    0,    0,    0,    0xFF, 0x32, 0x9D, 0xDD, 0x27, (uint8_t)opcode,
        (uint8_t)modrm, 0x66, 0x89, 0x42, 0x08, 0xDD, 0x37, 0x9C, 0x8F, 0x02, 0xC3};
    memcpy(code, bytes, sizeof bytes);
}

static inline void run_host(uint8_t *code, MachineState *state) {
    uint64_t flags_and_ax[2] = {state->flags, 0};
    Thunk *thunk;
    memcpy(&thunk, &code, sizeof thunk);
    /* The thunk writes below its caller's stack pointer's red zone, as any call does. */
    thunk(state->image, state->memory, flags_and_ax);
    state->flags = flags_and_ax[0];
    state->ax = flags_and_ax[1];
}

static inline uint16_t get_16(const uint8_t *bytes) {
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline void put_16(uint8_t *bytes, unsigned value) {
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

/* Both ways between an FSAVE image and our state, through our own FRSTOR and FNSAVE. */
static inline void run_ours(FpuFixture *fixture, unsigned opcode, unsigned modrm,
                            MachineState *state) {
    Cpu *cpu = fixture->cpu;
    uint8_t *operand = fixture_operand(fixture);
    cpu->state.fpu.status = 0;
    memcpy(operand, state->image, IMAGE_BYTES);
    ck_assert_int_eq(fixture_x87(fixture, 0xDD, 0x25), HELPER_NEXT);
    memcpy(operand, state->memory, MEMORY_BYTES);
    cpu_set_status_flags(cpu, (uint32_t)state->flags);
    cpu->state.gpr[REG_EAX] = 0;
    ck_assert_int_eq(fixture_x87(fixture, opcode, modrm), HELPER_NEXT);
    memcpy(state->memory, operand, MEMORY_BYTES);
    state->ax = (uint16_t)cpu->state.gpr[REG_EAX];
    state->flags = (state->flags & ~(uint64_t)FLAG_STATUS) | cpu_get_status_flags(cpu);
    ck_assert_int_eq(fixture_x87(fixture, 0xDD, 0x35), HELPER_NEXT);
    memcpy(state->image, operand, IMAGE_BYTES);
}

static inline void print_state(const char *name, const MachineState *state) {
    printf("%s: CW %04x SW %04x TW %04x flags %03x ax %04x", name, get_16(state->image),
           get_16(state->image + 4), get_16(state->image + 8), (unsigned)state->flags & FLAG_STATUS,
           (unsigned)state->ax);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t significand;
        memcpy(&significand, state->image + 28 + 10 * i, 8);
        printf(" ST%u %04x:%016llx", i, get_16(state->image + 36 + 10 * i),
               (unsigned long long)significand);
    }
    printf(" mem");
    for (unsigned i = 0; i < 10; i++)
        printf(" %02x", state->memory[i]);
    printf("\n");
}

/* What the manuals leave undefined was measured on an AMD host, and our FPU does the same:
 * elsewhere it is not compared. */
static inline bool host_is_amd(void) {
    __builtin_cpu_init();
    return __builtin_cpu_is("amd");
}

/* All that an encoding can be (SDM vol. 1 tables 4-3 and 8-3), with the edges of each. */
static const Float80 classes[] = {
    {0, 0},                                 /* zero */
    {1, 0},                                 /* denormals */
    {UINT64_C(0x7FFFFFFFFFFFFFFF), 0},      /* */
    {UINT64_C(0x8000000000000000), 0},      /* pseudo-denormals */
    {UINT64_C(0xFFFFFFFFFFFFFFFF), 0},      /* */
    {UINT64_C(0x8000000000000000), 1},      /* smallest normal number */
    {UINT64_C(0xFFFFFFFFFFFFFFFF), 0x7FFE}, /* largest */
    {UINT64_C(0x8000000000000000), 0x3FFF}, /* 1 */
    {UINT64_C(0xC000000000000000), 0x3FFF}, /* 1.5 */
    {UINT64_C(0xFFFFFFFFFFFFFFFF), 0x3FFE}, /* below 1 */
    {UINT64_C(0x8000000000000001), 0x3FFF}, /* above 1 */
    {UINT64_C(0xAAAAAAAAAAAAAAAB), 0x3FFD}, /* 1/3 */
    {UINT64_C(0xC90FDAA22168C235), 0x4000}, /* pi */
    {UINT64_C(0xFFFFFFFFFFFFFFFF), 0x403E}, /* 2^64 - 1 */
    {UINT64_C(0x8000000000000000), 0x403E}, /* 2^63 */
    {UINT64_C(0xDE0B6B3A76400000), 0x403A}, /* 10^18, beyond BCD */
    {UINT64_C(0xFFFFFF8000000000), 0x407E}, /* rounds out of single precision */
    {UINT64_C(0x8000000000000000), 0x3F69}, /* 2^-150, half its smallest */
    {UINT64_C(0xFFFFFFFFFFFFFC00), 0x43FE}, /* the same of double precision */
    {UINT64_C(0x8000000000000000), 0x3BCC}, /* */
    {UINT64_C(0x7FFFFFFFFFFFFFFF), 0x3FFF}, /* unnormal */
    {0, 0x4000},                            /* of zero */
    {0, 0x7FFF},                            /* pseudo-infinity */
    {UINT64_C(0x4000000000000000), 0x7FFF}, /* pseudo-NaNs: quiet */
    {1, 0x7FFF},                            /* signalling */
    {UINT64_C(0x8000000000000000), 0x7FFF}, /* infinity */
    {UINT64_C(0xC000000000000000), 0x7FFF}, /* quiet NaNs */
    {UINT64_C(0xE000000000000001), 0x7FFF}, /* */
    {UINT64_C(0x8000000000000001), 0x7FFF}, /* signalling NaNs */
    {UINT64_C(0xA000000000000000), 0x7FFF}, /* */
};

/* An index beyond the classes is an empty register; each class has two signs. */
enum { CLASS_COUNT = 2 * (sizeof classes / sizeof classes[0]) + 1, CONTROL_COUNT = 8 * 4 * 4 };

static inline void put_class(MachineState *state, unsigned physical, unsigned index,
                             unsigned class) {
    Float80 value = classes[class / 2 % (sizeof classes / sizeof classes[0])];
    value.sign_exponent |= class & 1 ? 0x8000 : 0;
    memcpy(state->image + 28 + 10 * index, &value.significand, 8);
    memcpy(state->image + 28 + 10 * index + 8, &value.sign_exponent, 2);
    if (class == CLASS_COUNT - 1)
        put_16(state->image + 8, get_16(state->image + 8) | 3u << 2 * physical);
}

/* All exceptions masked, none, and each alone unmasked. */
static inline unsigned find_control(unsigned number) {
    static const uint16_t precisions[4] = {0x300, 0x200, 0x000, 0x100}; /* the last is reserved */
    unsigned kind = number & 7, masks = kind == 0 ? 0x3F : kind == 1 ? 0 : 0x3F ^ 1 << (kind - 2);
    return precisions[number >> 3 & 3] | (number >> 5 & 3) << 10 | masks | 0x40;
}

#endif

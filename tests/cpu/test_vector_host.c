/* Every MMX and SSE instruction that the decoder knows, bit for bit against an x86-64 host:
 * registers, memory, EFLAGS and MXCSR, over random and edge operands, in all rounding modes, with
 * and without FTZ and DAZ. */
#include <check.h>

#if defined(__x86_64__)
#include "fpu_fixture.h"
#include "insn.h"
#include "vector_float.h"
#include "vector_internal.h"
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>

enum { CASES = 400, CASES_A_THUNK = 16 };

typedef struct VectorState {
    uint64_t xmm[8][2];
    uint64_t mm[8];
    uint32_t eax, ecx, edx, mxcsr;
    uint64_t flags;
    uint8_t memory[16] __attribute__((aligned(16)));
} VectorState;

_Static_assert(offsetof(VectorState, mm) == 128, "run_host() knows the layout");
_Static_assert(offsetof(VectorState, eax) == 192 && offsetof(VectorState, flags) == 208,
               "run_host() knows the layout");

/* An encoding without its prefix bytes. */
typedef struct Encoding {
    unsigned map, prefix, opcode;
} Encoding;

/* Loads everything, calls the instruction, stores everything. */
static void run_host(uint8_t *code, VectorState *state) {
    register uint8_t *target __asm__("r8") = code;
    __asm__ volatile("sub $128, %%rsp\n"
                     "ldmxcsr 204(%%rdi)\n"
                     "movdqu 0(%%rdi), %%xmm0\n movdqu 16(%%rdi), %%xmm1\n movdqu 32(%%rdi), "
                     "%%xmm2\n movdqu 48(%%rdi), %%xmm3\n"
                     "movdqu 64(%%rdi), %%xmm4\n movdqu 80(%%rdi), %%xmm5\n movdqu 96(%%rdi), "
                     "%%xmm6\n movdqu 112(%%rdi), %%xmm7\n"
                     "movq 128(%%rdi), %%mm0\n movq 136(%%rdi), %%mm1\n movq 144(%%rdi), %%mm2\n "
                     "movq 152(%%rdi), %%mm3\n"
                     "movq 160(%%rdi), %%mm4\n movq 168(%%rdi), %%mm5\n movq 176(%%rdi), %%mm6\n "
                     "movq 184(%%rdi), %%mm7\n"
                     "mov 192(%%rdi), %%eax\n mov 196(%%rdi), %%ecx\n mov 200(%%rdi), %%edx\n"
                     "push 208(%%rdi)\n popfq\n"
                     "call *%%r8\n"
                     "pushfq\n pop 208(%%rdi)\n"
                     "mov %%eax, 192(%%rdi)\n mov %%ecx, 196(%%rdi)\n mov %%edx, 200(%%rdi)\n"
                     "movdqu %%xmm0, 0(%%rdi)\n movdqu %%xmm1, 16(%%rdi)\n movdqu %%xmm2, "
                     "32(%%rdi)\n movdqu %%xmm3, 48(%%rdi)\n"
                     "movdqu %%xmm4, 64(%%rdi)\n movdqu %%xmm5, 80(%%rdi)\n movdqu %%xmm6, "
                     "96(%%rdi)\n movdqu %%xmm7, 112(%%rdi)\n"
                     "movq %%mm0, 128(%%rdi)\n movq %%mm1, 136(%%rdi)\n movq %%mm2, 144(%%rdi)\n "
                     "movq %%mm3, 152(%%rdi)\n"
                     "movq %%mm4, 160(%%rdi)\n movq %%mm5, 168(%%rdi)\n movq %%mm6, 176(%%rdi)\n "
                     "movq %%mm7, 184(%%rdi)\n"
                     "stmxcsr 204(%%rdi)\n"
                     "emms\n"
                     "movl $0x1F80, -4(%%rsp)\n ldmxcsr -4(%%rsp)\n"
                     "add $128, %%rsp\n"
                     :
                     : "D"(state), "S"(state->memory), "r"(target)
                     : "rax", "rcx", "rdx", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
                       "xmm5", "xmm6", "xmm7", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)",
                       "st(6)", "st(7)");
}

static HelperResult run_ours(FpuFixture *fixture, const Encoding *encoding, unsigned modrm,
                             unsigned immediate, VectorState *state) {
    CpuState *cpu = &fixture->cpu->state;
    uint8_t *operand = fixture_operand(fixture);
    memcpy(operand, state->memory, 16);
    for (unsigned i = 0; i < 8; i++) {
        memcpy(cpu->fpu.xmm[i], state->xmm[i], 16);
        fpu_set_mmx(&cpu->fpu, i, state->mm[i]);
    }
    cpu->gpr[REG_EAX] = state->eax;
    cpu->gpr[REG_ECX] = state->ecx;
    cpu->gpr[REG_EDX] = state->edx;
    cpu->fpu.mxcsr = state->mxcsr;
    cpu_set_status_flags(fixture->cpu, (uint32_t)state->flags);
    fixture->cpu->exception.vector = EXCEPTION_NONE;
    uint32_t a = encoding->map << 24 | encoding->prefix << 16 | encoding->opcode << 8 | modrm;
    HelperResult result =
        helper_vector(fixture->cpu, a, SEG_DS | immediate << 8, OPERAND_ADDRESS, 0);
    memcpy(state->memory, operand, 16);
    for (unsigned i = 0; i < 8; i++) {
        memcpy(state->xmm[i], cpu->fpu.xmm[i], 16);
        state->mm[i] = fpu_get_mmx(&cpu->fpu, i);
    }
    state->eax = (uint32_t)cpu->gpr[REG_EAX];
    state->ecx = (uint32_t)cpu->gpr[REG_ECX];
    state->edx = (uint32_t)cpu->gpr[REG_EDX];
    state->mxcsr = cpu->fpu.mxcsr;
    state->flags = (state->flags & ~(uint64_t)FLAG_STATUS) | cpu_get_status_flags(fixture->cpu);
    return result;
}

static uint64_t random_lanes(uint64_t *seed) {
    switch (random_below(seed, 4)) {
    case 0:
        return random_runs(seed);
    case 1:
        return random_float64(seed);
    case 2:
        return random_u64(seed) & random_u64(seed) & UINT64_C(0x8181818181818181);
    default:
        return random_float32(seed) | (uint64_t)random_float32(seed) << 32;
    }
}

static void make_state(uint64_t *seed, VectorState *state) {
    memset(state, 0, sizeof *state);
    for (unsigned i = 0; i < 8; i++) {
        state->xmm[i][0] = random_lanes(seed);
        state->xmm[i][1] = random_lanes(seed);
        state->mm[i] = random_lanes(seed);
    }
    for (unsigned i = 0; i < 2; i++) {
        uint64_t lanes = random_lanes(seed);
        memcpy(state->memory + 8 * i, &lanes, 8);
    }
    if (random_below(seed, 4) == 0) /* small shift counts, equal operands */
        state->xmm[1][0] = state->mm[1] = random_below(seed, 70);
    if (random_below(seed, 4) == 0)
        memcpy(state->xmm[2], state->xmm[0], 16);
    if (random_below(seed, 4) == 0) /* strings */
        memset(state->xmm[1], random_below(seed, 3), random_below(seed, 16));
    state->eax = random_below(seed, 2) ? (uint32_t)random_u64(seed) : random_below(seed, 40) - 20;
    state->ecx = (uint32_t)random_lanes(seed);
    state->edx = random_below(seed, 2) ? (uint32_t)random_u64(seed) : random_below(seed, 40) - 20;
    state->mxcsr = 0x1F80 | random_below(seed, 4) << 13 |
                   (random_below(seed, 3) == 0 ? 0x8000 : 0) |
                   (random_below(seed, 3) == 0 ? 0x40 : 0) |
                   (random_below(seed, 4) == 0 ? random_below(seed, 64) : 0);
    state->flags = 0x202 | (random_u64(seed) & FLAG_STATUS);
}

static void print_state(const char *name, const VectorState *state) {
    printf("%s: mxcsr %04x flags %03x eax %08x ecx %08x edx %08x\n", name, state->mxcsr,
           (unsigned)state->flags & FLAG_STATUS, state->eax, state->ecx, state->edx);
    for (unsigned i = 0; i < 3; i++)
        printf("  xmm%u %016llx%016llx mm%u %016llx\n", i, (unsigned long long)state->xmm[i][1],
               (unsigned long long)state->xmm[i][0], i, (unsigned long long)state->mm[i]);
    printf("  mem");
    for (unsigned i = 16; i-- > 0;)
        printf("%02x", state->memory[i]);
    printf("\n");
}

static unsigned write_bytes(const Encoding *encoding, unsigned modrm, unsigned immediate,
                            uint8_t *bytes) {
    unsigned count = 0;
    if (encoding->prefix != 0)
        bytes[count++] = (uint8_t)encoding->prefix;
    bytes[count++] = 0x0F;
    if (encoding->map != 1)
        bytes[count++] = encoding->map == 2 ? 0x38 : 0x3A;
    bytes[count++] = (uint8_t)encoding->opcode;
    bytes[count++] = (uint8_t)modrm;
    bytes[count++] = (uint8_t)immediate;
    return count;
}

/* Does the decoder take it for an MMX or SSE instruction? Length and feature are then its own. */
static bool is_vector(const Encoding *encoding, unsigned modrm, unsigned *length,
                      unsigned *feature) {
    uint8_t bytes[16] = {0};
    Insn insn;
    unsigned count = write_bytes(encoding, modrm, 0, bytes);
    if (insn_decode(bytes, count + 1, DECODE_32, &insn) != DECODE_OK)
        return false;
    *length = insn.length;
    *feature = insn.row->feature;
    return insn.map == encoding->map && insn.opcode == encoding->opcode &&
           insn.mandatory == encoding->prefix && (insn.row->attributes & (ROW_MMX | ROW_SSE)) != 0;
}

/* Not comparable: approximations are ours by rule; EMMS, MASKMOVQ and the FXSAVE group have tests
 * of their own. */
static bool is_excepted(const Encoding *encoding) {
    return encoding->map == 1 &&
           (encoding->opcode == 0x52 || encoding->opcode == 0x53 || encoding->opcode == 0x77 ||
            encoding->opcode == 0xAE || encoding->opcode == 0xF7);
}

/* Has the host this instruction? */
static bool has_feature(unsigned feature) {
    __builtin_cpu_init();
    switch (feature) {
    case FEATURE_SSE3:
        return __builtin_cpu_supports("sse3");
    case FEATURE_SSSE3:
        return __builtin_cpu_supports("ssse3");
    case FEATURE_SSE41:
        return __builtin_cpu_supports("sse4.1");
    case FEATURE_SSE42:
        return __builtin_cpu_supports("sse4.2");
    case FEATURE_AES:
        return __builtin_cpu_supports("aes");
    case FEATURE_PCLMUL:
        return __builtin_cpu_supports("pclmul");
    default:
        return true;
    }
}

static bool is_equal(const VectorState *a, const VectorState *b) {
    return memcmp(a->xmm, b->xmm, sizeof a->xmm) == 0 && memcmp(a->mm, b->mm, sizeof a->mm) == 0 &&
           a->eax == b->eax && a->ecx == b->ecx && a->edx == b->edx && a->mxcsr == b->mxcsr &&
           ((a->flags ^ b->flags) & FLAG_STATUS) == 0 && memcmp(a->memory, b->memory, 16) == 0;
}

static unsigned compare_encoding(FpuFixture *fixture, uint8_t *code, const Encoding *encoding,
                                 unsigned base) {
    uint64_t seed =
        (encoding->map << 24 | encoding->prefix << 16 | encoding->opcode << 8 | base) + 1;
    unsigned failures = 0, immediate = 0, modrm = base, length, feature;
    if (!is_vector(encoding, base, &length, &feature) || !has_feature(feature))
        return 0;
    bool group = encoding->map == 1 && encoding->opcode >= 0x71 && encoding->opcode <= 0x73;
    for (unsigned i = 0; i < CASES; i++) {
        if (i % CASES_A_THUNK == 0) {
            modrm = base | (group ? 0 : random_below(&seed, 3) << 3) |
                    (base >= 0xC0 ? random_below(&seed, 3) : 6);
            immediate = random_below(&seed, 2) ? (unsigned)random_u64(&seed) & 0xFF
                                               : random_below(&seed, 20);
            write_bytes(encoding, modrm, immediate, code);
            code[length] = 0xC3;
        }
        VectorState before, host, ours;
        make_state(&seed, &before);
        host = ours = before;
        run_host(code, &host);
        HelperResult result = run_ours(fixture, encoding, modrm, immediate, &ours);
        if (result == HELPER_NEXT && is_equal(&host, &ours))
            continue;
        if (failures++ < 2) {
            printf("map %u prefix %02X opcode %02X modrm %02X imm %02X: result %d\n", encoding->map,
                   encoding->prefix, encoding->opcode, modrm, immediate, result);
            print_state("before", &before);
            print_state("host  ", &host);
            print_state("ours  ", &ours);
        }
    }
    if (failures != 0)
        printf("FAIL map %u prefix %02X opcode %02X base %02X: %u of %u cases differ\n",
               encoding->map, encoding->prefix, encoding->opcode, base, failures, CASES);
    return failures;
}

START_TEST(test_against_host) {
    static const uint8_t prefixes[4] = {0, 0x66, 0xF3, 0xF2};
    unsigned failures = 0;
    FpuFixture fixture;
    fixture_open(&fixture);
    uint8_t *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(code, MAP_FAILED);
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        Encoding encoding = {1 + (unsigned)_i / 4, prefixes[_i % 4], opcode};
        if (is_excepted(&encoding))
            continue;
        bool group = encoding.map == 1 && opcode >= 0x71 && opcode <= 0x73;
        for (unsigned field = 0; field < (group ? 8 : 1); field++)
            failures += compare_encoding(&fixture, code, &encoding, 0xC0 | field << 3);
        if (!group)
            failures += compare_encoding(&fixture, code, &encoding, 0);
    }
    ck_assert_uint_eq(failures, 0);
    munmap(code, 4096);
    fixture_close(&fixture);
}
END_TEST

/* Decoder and helper agree on what exists. */
START_TEST(test_every_row_has_a_handler) {
    static const uint8_t prefixes[4] = {0, 0x66, 0xF3, 0xF2};
    FpuFixture fixture;
    fixture_open(&fixture);
    for (unsigned i = 0; i < 3 * 4 * 256 * 256; i++) {
        Encoding encoding = {1 + i / (4 * 256 * 256), prefixes[i >> 16 & 3], i >> 8 & 0xFF};
        unsigned modrm = i & 0xFF, length, feature;
        if ((modrm & 7) != 5 && (modrm & 7) != 1)
            continue;
        if (!is_vector(&encoding, modrm, &length, &feature))
            continue;
        VectorState state;
        uint64_t seed = i + 1;
        make_state(&seed, &state);
        memset(fixture_operand(&fixture), 0, 512);
        run_ours(&fixture, &encoding, modrm, 0, &state);
        ck_assert_msg(fixture.cpu->exception.vector != EXCEPTION_UD,
                      "map %u prefix %02X opcode %02X modrm %02X is #UD", encoding.map,
                      encoding.prefix, encoding.opcode, modrm);
    }
    fixture_close(&fixture);
}
END_TEST

/* vector_arithmetic() uses the host's SSE unit: the software that other hosts use agrees with it.
 */
START_TEST(test_software_arithmetic) {
    static const VectorArithmetic kinds[] = {VECTOR_ADD, VECTOR_MULTIPLY, VECTOR_MINUS,
                                             VECTOR_MIN, VECTOR_DIVIDE,   VECTOR_MAX,
                                             VECTOR_ROOT};
    FpuFixture fixture;
    uint64_t seed = 5;
    fixture_open(&fixture);
    uint32_t *mxcsr = &fixture.cpu->state.fpu.mxcsr;
    for (unsigned i = 0; i < 100000; i++) {
        unsigned form = (i & 1 ? VECTOR_DOUBLE : 0) | (i & 2 ? VECTOR_SCALAR : 0);
        VectorRow row = {.parameter = (uint8_t)(form | kinds[i / 4 % 7])};
        VectorState state;
        make_state(&seed, &state);
        VectorOperation host = {.row = &row, .wide = true};
        memcpy(&host.a, state.xmm[0], 16);
        memcpy(&host.b, state.xmm[1], 16);
        host.result = host.a;
        VectorOperation ours = host;
        *mxcsr = state.mxcsr;
        ck_assert(vector_run_on_host(fixture.cpu, &host));
        uint32_t host_mxcsr = *mxcsr;
        *mxcsr = state.mxcsr;
        ck_assert_int_eq(vector_arithmetic_exact(fixture.cpu, &ours), HELPER_NEXT);
        ck_assert_uint_eq(*mxcsr, host_mxcsr);
        ck_assert_msg(memcmp(&host.result, &ours.result, sizeof(Vector)) == 0,
                      "parameter %02x, case %u", row.parameter, i);
    }
    fixture_close(&fixture);
}
END_TEST

/* CRC32 is no vector instruction, but came with SSE4.2. */
START_TEST(test_crc32) {
    FpuFixture fixture;
    uint64_t seed = 1;
    fixture_open(&fixture);
    for (unsigned i = 0; i < 1000 && has_feature(FEATURE_SSE42); i++) {
        uint32_t crc = (uint32_t)random_u64(&seed), data = (uint32_t)random_runs(&seed);
        uint32_t expected[3] = {crc, crc, crc};
        __asm__("crc32b %b1, %0" : "+r"(expected[0]) : "r"(data));
        __asm__("crc32w %w1, %0" : "+r"(expected[1]) : "r"(data));
        __asm__("crc32l %1, %0" : "+r"(expected[2]) : "r"(data));
        for (unsigned j = 0; j < 3; j++) {
            uint32_t source = j == 2 ? data : data & ((1u << (8 << j)) - 1);
            fixture.cpu->state.gpr[REG_EDX] = crc;
            ck_assert_int_eq(helper_crc32(fixture.cpu, 1u << j, REG_EDX, source, 0), HELPER_NEXT);
            ck_assert_uint_eq(fixture.cpu->state.gpr[REG_EDX], expected[j]);
        }
    }
    fixture_close(&fixture);
}
END_TEST

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    Suite *suite = suite_create("vector_host");
    TCase *instructions = tcase_create("instructions");
    tcase_set_timeout(instructions, 120);
    tcase_add_loop_test(instructions, test_against_host, 0, 12);
    tcase_add_test(instructions, test_every_row_has_a_handler);
    tcase_add_test(instructions, test_software_arithmetic);
    tcase_add_test(instructions, test_crc32);
    suite_add_tcase(suite, instructions);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
#else
int main(void) {
    return 77;
}
#endif

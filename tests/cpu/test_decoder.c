/* The decoder by itself: chosen instructions, prefix rules, limits, and the tables' own
 * consistency. */
#include "cpu.h"
#include "cpu_feature.h"
#include "insn.h"
#include "opcode_table.h"
#include "suite_run.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ADDRESS = 0x1000 };

static size_t parse_hex(const char *hex, uint8_t *bytes) {
    size_t length = 0;
    for (; *hex != '\0'; hex += hex[2] == ' ' ? 3 : 2) {
        char digits[3] = {hex[0], hex[1], '\0'};
        bytes[length++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return length;
}

static DecodeStatus decode_hex(DecodeMode mode, const char *hex, Insn *insn) {
    uint8_t bytes[64];
    return insn_decode(bytes, parse_hex(hex, bytes), mode, insn);
}

/* ---- Chosen instructions ---- */

static const struct {
    DecodeMode mode;
    const char *hex, *text; /* NULL: invalid */
} texts[] = {
    /* addressing with 16 bits */
    {DECODE_16, "8B 00", "mov ax, word ptr [bx + si]"},
    {DECODE_16, "8B 42 FE", "mov ax, word ptr [bp + si - 0x2]"},
    {DECODE_16, "8B 83 34 12", "mov ax, word ptr [bp + di + 0x1234]"},
    {DECODE_16, "8B 06 FE FF", "mov ax, word ptr [0xfffe]"},
    {DECODE_16, "8B 46 00", "mov ax, word ptr [bp]"},
    {DECODE_32, "67 8B 47 01", "mov eax, dword ptr [bx + 0x1]"},
    /* addressing with 32 bits */
    {DECODE_32, "8B 04 24", "mov eax, dword ptr [esp]"},
    {DECODE_32, "8B 44 8D F0", "mov eax, dword ptr [ebp + ecx*4 - 0x10]"},
    {DECODE_32, "8B 04 25 78 56 34 92", "mov eax, dword ptr [0x92345678]"},
    {DECODE_32, "8B 04 65 01 00 00 00", "mov eax, dword ptr [0x1]"},
    {DECODE_32, "8B 04 CD 01 00 00 00", "mov eax, dword ptr [ecx*8 + 0x1]"},
    {DECODE_32, "8B 05 44 33 22 11", "mov eax, dword ptr [0x11223344]"},
    {DECODE_16, "66 67 8B 04 B5 00 00 00 80", "mov eax, dword ptr [esi*4 - 0x80000000]"},
    /* immediates, operand sizes */
    {DECODE_32, "83 C0 FF", "add eax, 0xffffffff"},
    {DECODE_16, "83 C0 FF", "add ax, 0xffff"},
    {DECODE_32, "66 05 34 12", "add ax, 0x1234"},
    {DECODE_32, "82 C4 7F", "add ah, 0x7f"},
    {DECODE_32, "6A 80", "push 0xffffff80"},
    {DECODE_32, "66 6A 80", "push 0xff80"},
    {DECODE_32, "6B C1 F6", "imul eax, ecx, 0xfffffff6"},
    {DECODE_32, "F7 E9", "imul ecx"},
    {DECODE_32, "C8 34 12 05", "enter 0x1234, 0x5"},
    {DECODE_32, "A1 44 33 22 91", "mov eax, dword ptr [0x91223344]"},
    {DECODE_16, "A2 44 93", "mov byte ptr [0x9344], al"},
    {DECODE_32, "0F B6 C4", "movzx eax, ah"},
    {DECODE_32, "0F BF 00", "movsx eax, word ptr [eax]"},
    {DECODE_32, "66 98", "cbw"},
    {DECODE_32, "98", "cwde"},
    {DECODE_16, "99", "cwd"},
    {DECODE_16, "66 99", "cdq"},
    /* branches */
    {DECODE_32, "EB FE", "jmp 0x1000"},
    {DECODE_16, "E8 FB EF", "call 0xfffe"},
    {DECODE_32, "66 E9 FC 7F", "jmp 0x9000"},
    {DECODE_32, "0F 84 00 00 00 00", "je 0x1006"},
    {DECODE_16, "9A 78 56 34 12", "lcall 0x1234:0x5678"},
    {DECODE_32, "EA 44 33 22 11 08 00", "ljmp 0x8:0x11223344"},
    {DECODE_32, "FF 28", "ljmp fword ptr [eax]"},
    {DECODE_16, "FF 18", "lcall dword ptr [bx + si]"},
    {DECODE_32, "67 E3 00", "jcxz 0x1003"},
    {DECODE_32, "C2 08 00", "ret 0x8"},
    {DECODE_32, "CB", "retf"},
    /* strings and prefixes */
    {DECODE_32, "F3 64 A5", "rep movsd dword ptr es:[edi], dword ptr fs:[esi]"},
    {DECODE_32, "F3 F2 66 67 AF", "repne scasw ax, word ptr es:[di]"},
    {DECODE_32, "6E", "outsb byte ptr ds:[esi], dx"},
    {DECODE_32, "26 64 8B 00", "mov eax, dword ptr fs:[eax]"},
    {DECODE_32, "F2 89 C0", "mov eax, eax"},
    {DECODE_32, "2E D7", "xlat byte ptr cs:[ebx]"},
    {DECODE_32, "0F F7 C1", "maskmovq mm0, mm1, qword ptr [edi]"},
    /* segment and control registers */
    {DECODE_32, "8C D8", "mov eax, ds"},
    {DECODE_32, "8E 18", "mov ds, word ptr [eax]"},
    {DECODE_32, "0F 22 18", "mov cr3, eax"},
    {DECODE_32, "0F 26 F1", "mov tr6, ecx"},
    {DECODE_32, "0F A1", "pop fs"},
    {DECODE_32, "0F 01 10", "lgdt fword ptr [eax]"},
    /* aliases and undocumented encodings */
    {DECODE_32, "C1 F0 03", "shl eax, 0x3"},
    {DECODE_32, "D0 F0", "shl al, 1"},
    {DECODE_32, "F6 C8 01", "test al, 0x1"},
    {DECODE_32, "D6", "salc"},
    {DECODE_32, "F1", "int1"},
    {DECODE_32, "DF C1", "ffreep st(1)"},
    {DECODE_32, "D9 D9", "fstp st(1)"},
    {DECODE_32, "DC D2", "fcom st(2)"},
    {DECODE_32, "DD CA", "fxch st(2)"},
    {DECODE_32, "DB E0", "fneni"},
    {DECODE_32, "D5 07", "aad 0x7"},
    /* x87: the reversed pairs */
    {DECODE_32, "D8 E1", "fsub st(0), st(1)"},
    {DECODE_32, "DC E1", "fsubr st(1), st(0)"},
    {DECODE_32, "DE E9", "fsubp st(1), st(0)"},
    {DECODE_32, "DE F1", "fdivrp st(1), st(0)"},
    {DECODE_32, "DD 01", "fld qword ptr [ecx]"},
    {DECODE_32, "DB 29", "fld tbyte ptr [ecx]"},
    {DECODE_32, "DF E0", "fnstsw ax"},
    {DECODE_32, "DA C1", "fcmovb st(0), st(1)"},
    {DECODE_32, "DB DA", "fcmovnu st(0), st(2)"},
    {DECODE_32, "DF E9", "fucomip st(0), st(1)"},
    /* 3DNow!: the opcode comes last */
    {DECODE_32, "0F 0F C1 9E", "pfadd mm0, mm1"},
    {DECODE_32, "0F 0F 40 10 B4", "pfmul mm0, qword ptr [eax + 0x10]"},
    {DECODE_16, "0F 0F 06 34 12 BB", "pswapd mm0, qword ptr [0x1234]"},
    {DECODE_32, "0F 0F C1 00", NULL},
    {DECODE_32, "0F 0E", "femms"},
    /* mandatory prefixes */
    {DECODE_32, "66 0F 38 F6 C1", "adcx eax, ecx"},
    {DECODE_32, "F3 0F 38 F6 01", "adox eax, dword ptr [ecx]"},
    {DECODE_32, "0F 38 F6 C1", NULL},
    {DECODE_32, "0F C7 F9", "rdseed ecx"},
    {DECODE_32, "66 0F AE 38", "clflushopt byte ptr [eax]"},
    {DECODE_32, "66 0F AE 30", "clwb byte ptr [eax]"},
    {DECODE_32, "66 0F AE F0", NULL},
    {DECODE_16, "0F 58 C1", "addps xmm0, xmm1"},
    {DECODE_16, "66 0F 58 C1", "addpd xmm0, xmm1"},
    {DECODE_16, "F3 0F 58 01", "addss xmm0, dword ptr [bx + di]"},
    {DECODE_16, "66 F2 0F 58 C1", "addsd xmm0, xmm1"},
    {DECODE_32, "F2 66 0F 58 C1", "addsd xmm0, xmm1"},
    {DECODE_32, "F2 F3 0F 58 C1", "addss xmm0, xmm1"},
    {DECODE_32, "F3 2E 0F 10 00", "movss xmm0, dword ptr cs:[eax]"},
    {DECODE_32, "0F 12 C1", "movhlps xmm0, xmm1"},
    {DECODE_32, "0F 12 01", "movlps xmm0, qword ptr [ecx]"},
    {DECODE_32, "66 0F 73 D8 04", "psrldq xmm0, 0x4"},
    {DECODE_32, "0F 73 D0 04", "psrlq mm0, 0x4"},
    {DECODE_32, "66 0F 3A 0F C1 04", "palignr xmm0, xmm1, 0x4"},
    {DECODE_32, "66 0F 38 10 C1", "pblendvb xmm0, xmm1, xmm0"},
    {DECODE_32, "66 F2 0F 38 F1 C1", "crc32 eax, cx"},
    {DECODE_32, "66 0F 38 F1 01", "movbe word ptr [ecx], ax"},
    {DECODE_32, "66 F3 0F B8 C1", "popcnt ax, cx"},
    {DECODE_32, "F3 0F BC C1", "tzcnt eax, ecx"},
    {DECODE_32, "F2 0F BC C1", "bsf eax, ecx"},
    {DECODE_32, "F3 90", "pause"},
    {DECODE_32, "F2 90", "nop"},
    {DECODE_32, "F3 0F 1E FB", "nop ebx"},
    {DECODE_32, "0F 18 08", "prefetcht0 [eax]"},
    {DECODE_32, "0F 18 C8", "nop eax"},
    {DECODE_32, "0F AE EF", "lfence"},
    {DECODE_32, "0F AE 38", "clflush byte ptr [eax]"},
    {DECODE_16, "0F C8", "bswap ax"},
    /* no such instruction */
    {DECODE_32, "0F 0A", NULL},
    {DECODE_32, "C4 C1 7A", NULL}, /* VEX */
    {DECODE_32, "62 C1", NULL},    /* EVEX */
    {DECODE_32, "8D C0", NULL},    /* LEA of a register */
    {DECODE_32, "8E C8", NULL},    /* MOV CS */
    {DECODE_32, "8E F0", NULL},    /* segment register 6 */
    {DECODE_32, "0F 22 C8", NULL}, /* CR1 */
    {DECODE_32, "0F 24 C0", NULL}, /* TR0 */
    {DECODE_32, "FF F8", NULL},
    {DECODE_32, "FE D0", NULL},
    {DECODE_32, "C7 C8 00 00 00 00", NULL},
    {DECODE_32, "8F C8", NULL},
    {DECODE_32, "0F C7 C8", NULL}, /* CMPXCHG8B of a register */
    {DECODE_32, "FF E8", NULL},    /* far jump through a register */
    {DECODE_32, "66 0F 12 C1", NULL},
    {DECODE_32, "F3 0F 54 C1", NULL},    /* ANDPS takes no F3 */
    {DECODE_32, "66 0F 77", NULL},       /* EMMS takes no 66 */
    {DECODE_32, "F3 0F 38 F0 00", NULL}, /* MOVBE takes no F3 */
    {DECODE_32, "0F B8 C1", NULL},
    {DECODE_32, "D9 D1", NULL},
    {DECODE_32, "DB E5", NULL},
    /* LOCK */
    {DECODE_32, "F0 01 08", "lock add dword ptr [eax], ecx"},
    {DECODE_32, "F0 0F B1 08", "lock cmpxchg dword ptr [eax], ecx"},
    {DECODE_32, "F0 0F C7 08", "lock cmpxchg8b qword ptr [eax]"},
    {DECODE_32, "F0 86 08", "lock xchg byte ptr [eax], cl"},
    {DECODE_32, "F0 0F BA 28 01", "lock bts dword ptr [eax], 0x1"},
    {DECODE_32, "F0 01 C8", NULL},
    {DECODE_32, "F0 03 08", NULL},
    {DECODE_32, "F0 39 08", NULL},
    {DECODE_32, "F0 0F A3 08", NULL},
    {DECODE_32, "F0 0F BA 20 01", NULL},
    {DECODE_32, "F0 89 08", NULL},
    {DECODE_32, "F0 90", NULL},
};

START_TEST(decodes_chosen_instructions) {
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        Insn insn;
        uint8_t bytes[64];
        size_t length = parse_hex(texts[i].hex, bytes);
        DecodeStatus status = insn_decode(bytes, length, texts[i].mode, &insn);
        if (texts[i].text == NULL) {
            ck_assert_msg(status == DECODE_INVALID, "%s: status %d", texts[i].hex, (int)status);
            continue;
        }
        ck_assert_msg(status == DECODE_OK, "%s: status %d", texts[i].hex, (int)status);
        char text[128];
        insn_format(&insn, ADDRESS, text, sizeof text);
        ck_assert_str_eq(text, texts[i].text);
        ck_assert_msg(insn.length == length, "%s: length %u", texts[i].hex, insn.length);
    }
}
END_TEST

/* ---- Fields that the text does not show ---- */

START_TEST(default_segment_is_ss_for_ebp_and_esp) {
    static const struct {
        DecodeMode mode;
        const char *hex;
        unsigned segment;
    } cases[] = {
        {DECODE_16, "8B 02", SEG_SS},       {DECODE_16, "8B 46 00", SEG_SS},
        {DECODE_16, "8B 06 00 00", SEG_DS}, {DECODE_16, "8B 04", SEG_DS},
        {DECODE_32, "8B 45 00", SEG_SS},    {DECODE_32, "8B 04 24", SEG_SS},
        {DECODE_32, "8B 44 2D 00", SEG_SS}, {DECODE_32, "8B 04 2D 00 00 00 00", SEG_DS},
        {DECODE_32, "8B 04 28", SEG_DS},    {DECODE_32, "3E 8B 04 24", SEG_DS},
        {DECODE_32, "36 8B 00", SEG_SS},    {DECODE_32, "36 A4", SEG_SS},
        {DECODE_32, "A4", SEG_DS},          {DECODE_32, "65 A1 00 00 00 00", SEG_GS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Insn insn;
        ck_assert_int_eq(decode_hex(cases[i].mode, cases[i].hex, &insn), DECODE_OK);
        ck_assert_msg(insn.memory.segment == cases[i].segment, "%s: %u", cases[i].hex,
                      insn.memory.segment);
    }
}
END_TEST

START_TEST(mandatory_prefix_is_neither_rep_nor_operand_size) {
    Insn insn;
    ck_assert_int_eq(decode_hex(DECODE_32, "F3 0F 58 C1", &insn), DECODE_OK);
    ck_assert_uint_eq(insn.mandatory, 0xF3);
    ck_assert_uint_eq(insn.prefixes, 0);
    ck_assert_int_eq(decode_hex(DECODE_32, "66 0F 58 C1", &insn), DECODE_OK);
    ck_assert_uint_eq(insn.mandatory, 0x66);
    ck_assert_uint_eq(insn.prefixes, 0);
    ck_assert_uint_eq(insn.operand_size, 4);
    ck_assert_int_eq(decode_hex(DECODE_32, "66 F2 0F 38 F1 C1", &insn), DECODE_OK);
    ck_assert_uint_eq(insn.mandatory, 0xF2);
    ck_assert_uint_eq(insn.prefixes, PREFIX_OPERAND_SIZE);
    ck_assert_uint_eq(insn.operand_size, 2);
    ck_assert_int_eq(decode_hex(DECODE_32, "F3 A4", &insn), DECODE_OK);
    ck_assert_uint_eq(insn.mandatory, 0);
    ck_assert_uint_eq(insn.prefixes, PREFIX_REP);
}
END_TEST

START_TEST(operand_sizes_without_a_keyword) {
    static const struct {
        const char *hex;
        unsigned size;
    } cases[] = {
        {"0F AE 00", 512}, {"DD 30", 108},  {"66 DD 30", 94}, {"D9 30", 28},
        {"66 D9 30", 14},  {"0F 01 38", 0}, {"0F 18 00", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Insn insn;
        ck_assert_int_eq(decode_hex(DECODE_32, cases[i].hex, &insn), DECODE_OK);
        ck_assert_uint_eq(insn.operand[0].size, cases[i].size);
    }
    Insn insn;
    ck_assert_int_eq(decode_hex(DECODE_32, "8D 00", &insn), DECODE_OK);
    ck_assert_uint_eq(insn.operand[1].size, 0);
}
END_TEST

START_TEST(flag_effects_are_the_manuals) {
    enum {
        C = FLAG_CF,
        Z = FLAG_ZF,
        O = FLAG_OF,
        S = FLAG_SF,
        P = FLAG_PF,
        A = FLAG_AF,
        ALL = FLAG_STATUS
    };
    static const struct {
        const char *hex;
        unsigned read, written;
    } cases[] = {
        {"01 C0", 0, ALL},   {"11 C0", C, ALL},      {"40", 0, ALL & ~C},
        {"F7 D0", 0, 0},     {"D1 D0", C, C | O},    {"D1 C0", 0, C | O},
        {"D3 E0", 0, ALL},   {"76 00", C | Z, 0},    {"7F 00", Z | S | O, 0},
        {"0F 9A C0", P, 0},  {"0F 4C C1", S | O, 0}, {"F7 F1", 0, 0},
        {"F7 E1", 0, ALL},   {"0F A3 C8", 0, C},     {"F5", C, C},
        {"9E", 0, ALL & ~O}, {"9F", ALL & ~O, 0},    {"27", A | C, ALL},
        {"E1 00", Z, 0},     {"D6", C, 0},           {"A6", FLAG_DF, ALL},
        {"A4", FLAG_DF, 0},  {"0F 2E C1", 0, ALL},   {"DB E9", 0, ALL},
        {"DA C1", C, 0},     {"0F C7 08", 0, Z},     {"89 C0", 0, 0},
        {"0F 00 E0", 0, Z},  {"FC", 0, FLAG_DF},     {"9D", 0, ALL | FLAG_DF | FLAG_IF},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Insn insn;
        ck_assert_int_eq(decode_hex(DECODE_32, cases[i].hex, &insn), DECODE_OK);
        ck_assert_msg(insn.row->flags_read == cases[i].read, "%s reads %x", cases[i].hex,
                      insn.row->flags_read);
        ck_assert_msg(insn.row->flags_written == cases[i].written, "%s writes %x", cases[i].hex,
                      insn.row->flags_written);
    }
}
END_TEST

/* ---- Limits ---- */

START_TEST(fifteen_bytes_are_the_limit) {
    Insn insn;
    uint8_t bytes[32];
    memset(bytes, 0x66, sizeof bytes);
    bytes[14] = 0x90;
    ck_assert_int_eq(insn_decode(bytes, sizeof bytes, DECODE_32, &insn), DECODE_OK);
    ck_assert_uint_eq(insn.length, 15);
    bytes[14] = 0x66;
    bytes[15] = 0x90;
    ck_assert_int_eq(insn_decode(bytes, sizeof bytes, DECODE_32, &insn), DECODE_TOO_LONG);
    ck_assert_int_eq(insn_decode(bytes, 15, DECODE_32, &insn), DECODE_TOO_LONG);
    ck_assert_int_eq(insn_decode(bytes, 14, DECODE_32, &insn), DECODE_TRUNCATED);
    /* the sixteenth byte is an immediate's, and a displacement's of something undefined */
    memset(bytes, 0x2E, 10);
    memcpy(bytes + 10, "\x81\x05\x00\x00\x00\x00\x00\x00\x00\x00", 10);
    ck_assert_int_eq(insn_decode(bytes, sizeof bytes, DECODE_32, &insn), DECODE_TOO_LONG);
    memcpy(bytes + 10, "\xFE\x3D\x00\x00\x00\x00\x00", 7);
    ck_assert_int_eq(insn_decode(bytes, sizeof bytes, DECODE_32, &insn), DECODE_TOO_LONG);
}
END_TEST

/* Every proper beginning of an instruction is truncated, and no byte behind what is available is
 * read: it would fault. */
START_TEST(never_reads_past_what_is_available) {
    long page = sysconf(_SC_PAGESIZE);
    uint8_t *memory =
        mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(mprotect(memory + page, (size_t)page, PROT_NONE), 0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint8_t bytes[64];
        size_t length = parse_hex(texts[i].hex, bytes);
        for (size_t available = 0; available < length && texts[i].text != NULL; available++) {
            uint8_t *start = memory + page - available;
            memcpy(start, bytes, available);
            Insn insn;
            DecodeStatus status = insn_decode(start, available, texts[i].mode, &insn);
            ck_assert_msg(status == DECODE_TRUNCATED, "%s, %zu bytes: status %d", texts[i].hex,
                          available, (int)status);
            ck_assert_uint_le(insn.length, available);
        }
    }
    ck_assert_int_eq(munmap(memory, 2 * (size_t)page), 0);
}
END_TEST

/* ---- The tables ---- */

/* 3DNow! has its opcodes behind the operands. */
static void visit_suffixes(void (*visit)(const Insn *insn, void *opaque), void *opaque) {
    for (unsigned i = 0; i < 512; i++) {
        uint8_t bytes[16] = {0x0F, 0x0F, i & 1 ? 0xC1 : 0x07, (uint8_t)(i >> 1)};
        Insn insn;
        if (insn_decode(bytes, sizeof bytes, DECODE_32, &insn) == DECODE_OK) {
            visit(&insn, opaque);
        }
    }
}

/* Calls 'visit' for what every opcode of every map decodes to, with every mandatory prefix, ModRM
 * byte and mode. */
static void visit_all(void (*visit)(const Insn *insn, void *opaque), void *opaque) {
    static const uint8_t escapes[4][2] = {{0, 0}, {0x0F, 0}, {0x0F, 0x38}, {0x0F, 0x3A}};
    static const uint8_t prefixes[4] = {0, 0x66, 0xF3, 0xF2};
    for (unsigned i = 0; i < 4 * 4 * 256 * 256 * 2; i++) {
        unsigned prefix = i & 3, map = i >> 2 & 3, opcode = i >> 4 & 255, modrm = i >> 12 & 255;
        uint8_t bytes[16] = {0};
        size_t at = 0;
        if (prefixes[prefix] != 0) {
            bytes[at++] = prefixes[prefix];
        }
        for (unsigned j = 0; j < 2 && escapes[map][j] != 0; j++) {
            bytes[at++] = escapes[map][j];
        }
        bytes[at++] = (uint8_t)opcode;
        bytes[at++] = (uint8_t)modrm;
        Insn insn;
        if (insn_decode(bytes, sizeof bytes, i >> 20 ? DECODE_32 : DECODE_16, &insn) == DECODE_OK) {
            visit(&insn, opaque);
        }
    }
    visit_suffixes(visit, opaque);
}

static void mark_code(const Insn *insn, void *opaque) {
    ((bool *)opaque)[insn->code] = true;
}

START_TEST(every_code_has_an_encoding) {
    bool seen[INSN_COUNT] = {false};
    visit_all(mark_code, seen);
    ck_assert(!seen[INSN_INVALID]);
    for (unsigned code = INSN_INVALID + 1; code < INSN_COUNT; code++) {
        ck_assert_msg(seen[code], "%s is never decoded", insn_code_name((InsnCode)code));
    }
}
END_TEST

static unsigned count_memory_operands(const Insn *insn) {
    unsigned count = 0;
    for (unsigned i = 0; i < insn->operand_count; i++) {
        count += insn->operand[i].kind == OPERAND_MEM || insn->operand[i].kind == OPERAND_MOFFS;
    }
    return count;
}

/* What is wrong with a decoded instruction and its row; NULL if nothing. */
static const char *find_fault(const Insn *insn) {
    const OpcodeRow *row = insn->row;
    unsigned memory_operands = count_memory_operands(insn);
    if (row->code != insn->code || insn->code >= INSN_COUNT) {
        return "code";
    }
    if (row->feature >= FEATURE_COUNT ||
        (row->attributes & (ROW_GROUP | ROW_PREFIX | ROW_ESCAPE))) {
        return "row";
    }
    for (unsigned i = 0; i < insn->operand_count; i++) {
        const Operand *operand = &insn->operand[i];
        bool gpr = operand->kind == OPERAND_GPR;
        if (operand->kind == OPERAND_NONE ||
            (gpr && (operand->reg > 7 ||
                     (operand->size != 1 && operand->size != 2 && operand->size != 4)))) {
            return "operand";
        }
    }
    bool modrm_memory = (row->attributes & ROW_MODRM) && insn->modrm < 0xC0 &&
                        !(row->attributes & ROW_REGISTER_FORM);
    if (memory_operands > 1 || (modrm_memory && memory_operands == 0)) {
        return "memory operands";
    }
    if ((row->attributes & ROW_LOCK) && insn->operand[0].kind != OPERAND_MEM &&
        insn->operand[0].kind != OPERAND_GPR) {
        return "LOCK";
    }
    char text[128];
    insn_format(insn, ADDRESS, text, sizeof text);
    return text[0] == '\0' || text[0] == '(' || strchr(text, '?') != NULL ? "text" : NULL;
}

static void check_insn(const Insn *insn, void *opaque) {
    (void)opaque;
    const char *fault = find_fault(insn);
    if (fault != NULL) {
        ck_abort_msg("%s, map %u opcode %02x ModRM %02x: %s", insn_code_name((InsnCode)insn->code),
                     insn->map, insn->opcode, insn->modrm, fault);
    }
}

START_TEST(every_row_is_consistent) {
    visit_all(check_insn, NULL);
}
END_TEST

START_TEST(format_stays_within_its_buffer) {
    Insn insn;
    ck_assert_int_eq(decode_hex(DECODE_32, "F3 64 A5", &insn), DECODE_OK);
    for (size_t size = 0; size < 60; size++) {
        char text[64];
        memset(text, '#', sizeof text);
        insn_format(&insn, ADDRESS, text, size);
        ck_assert_int_eq(text[size], '#');
        if (size > 0) {
            ck_assert_uint_lt(strlen(text), size);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("decoder");
    TCase *tests = tcase_create("decoder");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, decodes_chosen_instructions);
    tcase_add_test(tests, default_segment_is_ss_for_ebp_and_esp);
    tcase_add_test(tests, mandatory_prefix_is_neither_rep_nor_operand_size);
    tcase_add_test(tests, operand_sizes_without_a_keyword);
    tcase_add_test(tests, flag_effects_are_the_manuals);
    tcase_add_test(tests, fifteen_bytes_are_the_limit);
    tcase_add_test(tests, never_reads_past_what_is_available);
    tcase_add_test(tests, every_code_has_an_encoding);
    tcase_add_test(tests, every_row_is_consistent);
    tcase_add_test(tests, format_stays_within_its_buffer);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* Text of a decoded instruction: Intel syntax, lower case, as the usual disassemblers write it. */
#include "cpu.h"
#include "insn.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const code_names[INSN_COUNT] = {
#define INSN(code, mnemonic) [INSN_##code] = mnemonic,
#include "insn_codes.def"
#undef INSN
};

const char *insn_code_name(InsnCode code) {
    return (unsigned)code < INSN_COUNT ? code_names[code] : "(invalid)";
}

static const char *const gpr8_names[8] = {"al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"};
static const char *const gpr16_names[8] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
static const char *const gpr32_names[8] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
static const char *const segment_names[8] = {"es", "cs", "ss", "ds", "fs", "gs", "?", "?"};
static const char *const condition_names[16] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
                                                "s", "ns", "p", "np", "l", "ge", "le", "g"};
static const char *const fcmov_names[8] = {"b", "e", "be", "u", "nb", "ne", "nbe", "nu"};

typedef struct Text {
    char *text;
    size_t size, length;
} Text;

__attribute__((format(printf, 2, 3))) static void append(Text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int written =
        vsnprintf(text->text + text->length, text->size - text->length, format, arguments);
    va_end(arguments);
    if (written > 0) {
        size_t room = text->size - text->length - 1;
        text->length += (size_t)written < room ? (size_t)written : room;
    }
}

static void append_lower(Text *text, const char *upper) {
    for (; *upper != '\0'; upper++) {
        append(text, "%c", *upper >= 'A' && *upper <= 'Z' ? *upper + ('a' - 'A') : *upper);
    }
}

/* ---- Mnemonics ---- */

/* Instructions whose mnemonic depends on the operand size: with 16 and with 32 bits. */
static const struct {
    uint16_t code;
    const char *names[2];
} sized_names[] = {
    {INSN_CBW, {"cbw", "cwde"}},        {INSN_CWD, {"cwd", "cdq"}},
    {INSN_PUSHF, {"pushf", "pushfd"}},  {INSN_POPF, {"popf", "popfd"}},
    {INSN_PUSHA, {"pushaw", "pushad"}}, {INSN_POPA, {"popaw", "popad"}},
    {INSN_IRET, {"iret", "iretd"}},
};

static void append_mnemonic(Text *text, const Insn *insn) {
    switch (insn->code) {
    case INSN_JCC:
        append(text, "j%s", condition_names[insn->condition]);
        return;
    case INSN_SETCC:
        append(text, "set%s", condition_names[insn->condition]);
        return;
    case INSN_CMOVCC:
        append(text, "cmov%s", condition_names[insn->condition]);
        return;
    case INSN_FCMOVCC:
        append(text, "fcmov%s", fcmov_names[insn->condition & 7]);
        return;
    case INSN_JCXZ:
        append(text, insn->address_size == 2 ? "jcxz" : "jecxz");
        return;
    case INSN_JMP_FAR:
    case INSN_CALL_FAR:
        append(text, insn->code == INSN_JMP_FAR ? "ljmp" : "lcall");
        return;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof sized_names / sizeof sized_names[0]; i++) {
        if (sized_names[i].code == insn->code) {
            append(text, "%s", sized_names[i].names[insn->operand_size == 4]);
            return;
        }
    }
    append_lower(text, insn_code_name((InsnCode)insn->code));
    if (insn->row->attributes & ROW_STRING) {
        unsigned size = insn->operand[0].size;
        append(text, "%c", size == 1 ? 'b' : size == 2 ? 'w' : 'd');
    }
}

static void append_prefixes(Text *text, const Insn *insn) {
    if (insn->prefixes & PREFIX_LOCK) {
        append(text, "lock ");
    }
    if (insn->row->attributes & ROW_STRING) {
        bool compares = insn->code == INSN_CMPS || insn->code == INSN_SCAS;
        if (insn->prefixes & PREFIX_REP) {
            append(text, compares ? "repe " : "rep ");
        } else if (insn->prefixes & PREFIX_REPNE) {
            append(text, "repne ");
        }
    }
}

/* ---- Operands ---- */

static const char *size_keyword(unsigned size) {
    switch (size) {
    case 1:
        return "byte ptr ";
    case 2:
        return "word ptr ";
    case 4:
        return "dword ptr ";
    case 6:
        return "fword ptr ";
    case 8:
        return "qword ptr ";
    case 10:
        return "tbyte ptr ";
    case 16:
        return "xmmword ptr ";
    default:
        return "";
    }
}

static const char *gpr_name(unsigned reg, unsigned size) {
    return size == 1   ? gpr8_names[reg & 7]
           : size == 2 ? gpr16_names[reg & 7]
                       : gpr32_names[reg & 7];
}

static void append_displacement(Text *text, const Insn *insn) {
    const MemoryOperand *memory = &insn->memory;
    bool alone = memory->base == NO_REGISTER && memory->index == NO_REGISTER;
    uint32_t displacement = (uint32_t)memory->displacement;
    if (alone) {
        append(text, "0x%x", displacement);
    } else if (memory->displacement < 0) {
        append(text, " - 0x%x", -displacement);
    } else if (displacement != 0) {
        append(text, " + 0x%x", displacement);
    }
}

static void append_memory(Text *text, const Insn *insn, unsigned size) {
    const MemoryOperand *memory = &insn->memory;
    append(text, "%s", size_keyword(size));
    if (insn->prefixes & PREFIX_SEGMENT) {
        append(text, "%s:", segment_names[memory->segment & 7]);
    }
    append(text, "[");
    if (memory->base != NO_REGISTER) {
        append(text, "%s", gpr_name(memory->base, insn->address_size));
    }
    if (memory->index != NO_REGISTER) {
        append(text, "%s%s", memory->base != NO_REGISTER ? " + " : "",
               gpr_name(memory->index, insn->address_size));
        if (memory->scale > 1) {
            append(text, "*%u", memory->scale);
        }
    }
    append_displacement(text, insn);
    append(text, "]");
}

static void append_relative(Text *text, const Insn *insn, uint32_t eip) {
    uint32_t target = eip + insn->length + insn->immediate;
    append(text, "0x%x", insn->operand_size == 2 ? target & 0xFFFF : target);
}

static void append_string(Text *text, const Insn *insn, const Operand *operand) {
    bool source = operand->kind == OPERAND_STRING_SOURCE;
    append(text, "%s%s:[%s]", size_keyword(operand->size),
           segment_names[source ? insn->memory.segment & 7 : SEG_ES],
           gpr_name(operand->reg, insn->address_size));
}

static void append_operand(Text *text, const Insn *insn, const Operand *operand, uint32_t eip) {
    switch ((OperandKind)operand->kind) {
    case OPERAND_NONE:
        break;
    case OPERAND_GPR:
        append(text, "%s", gpr_name(operand->reg, operand->size));
        break;
    case OPERAND_MEM:
    case OPERAND_MOFFS:
        append_memory(text, insn, operand->size);
        break;
    case OPERAND_IMM:
        append(text, "0x%x", insn->immediate);
        break;
    case OPERAND_IMM2:
        append(text, "0x%x", insn->immediate2);
        break;
    case OPERAND_REL:
        append_relative(text, insn, eip);
        break;
    case OPERAND_FAR:
        append(text, "0x%x:0x%x", insn->immediate2, insn->immediate);
        break;
    case OPERAND_SREG:
        append(text, "%s", segment_names[operand->reg & 7]);
        break;
    case OPERAND_CR:
        append(text, "cr%u", operand->reg);
        break;
    case OPERAND_DR:
        append(text, "dr%u", operand->reg);
        break;
    case OPERAND_TR:
        append(text, "tr%u", operand->reg);
        break;
    case OPERAND_ST:
        append(text, "st(%u)", operand->reg);
        break;
    case OPERAND_MM:
        append(text, "mm%u", operand->reg);
        break;
    case OPERAND_XMM:
        append(text, "xmm%u", operand->reg);
        break;
    case OPERAND_ONE:
        append(text, "1");
        break;
    case OPERAND_DX:
        append(text, "dx");
        break;
    case OPERAND_STRING_SOURCE:
    case OPERAND_STRING_DESTINATION:
        append_string(text, insn, operand);
        break;
    }
}

void insn_format(const Insn *insn, uint32_t eip, char *string, size_t size) {
    if (size == 0) {
        return;
    }
    Text text = {.text = string, .size = size};
    string[0] = '\0';
    if (insn->code == INSN_INVALID) {
        append(&text, "(invalid)");
        return;
    }
    append_prefixes(&text, insn);
    append_mnemonic(&text, insn);
    for (unsigned i = 0; i < insn->operand_count; i++) {
        append(&text, i == 0 ? " " : ", ");
        append_operand(&text, insn, &insn->operand[i], eip);
    }
}

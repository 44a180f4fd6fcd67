#include "monitor_expression.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Parentheses nest this deep at most: the text comes from outside. */
#define DEEPEST 64

typedef struct Parser {
    const char *at;
    const Cpu *cpu;
    Error *error;
    int depth;
} Parser;

static bool parse_sum(Parser *parser, uint64_t *value);

static char peek(Parser *parser) {
    while (isspace((unsigned char)*parser->at))
        parser->at++;
    return *parser->at;
}

typedef struct RegisterName {
    char name[8];
    uint8_t kind, index;
} RegisterName;

enum { REGISTER_GENERAL, REGISTER_WORD, REGISTER_SEGMENT, REGISTER_BASE, REGISTER_CONTROL };

// clang-format off
static const RegisterName register_names[] = {
    {"eax", REGISTER_GENERAL, REG_EAX}, {"ecx", REGISTER_GENERAL, REG_ECX}, {"edx", REGISTER_GENERAL, REG_EDX},
    {"ebx", REGISTER_GENERAL, REG_EBX}, {"esp", REGISTER_GENERAL, REG_ESP}, {"sp", REGISTER_GENERAL, REG_ESP},
    {"ebp", REGISTER_GENERAL, REG_EBP}, {"fp", REGISTER_GENERAL, REG_EBP}, {"esi", REGISTER_GENERAL, REG_ESI},
    {"edi", REGISTER_GENERAL, REG_EDI},
    {"es", REGISTER_SEGMENT, SEG_ES}, {"cs", REGISTER_SEGMENT, SEG_CS}, {"ss", REGISTER_SEGMENT, SEG_SS},
    {"ds", REGISTER_SEGMENT, SEG_DS}, {"fs", REGISTER_SEGMENT, SEG_FS}, {"gs", REGISTER_SEGMENT, SEG_GS},
    {"es.base", REGISTER_BASE, SEG_ES}, {"cs.base", REGISTER_BASE, SEG_CS}, {"ss.base", REGISTER_BASE, SEG_SS},
    {"ds.base", REGISTER_BASE, SEG_DS}, {"fs.base", REGISTER_BASE, SEG_FS}, {"gs.base", REGISTER_BASE, SEG_GS},
    {"cr0", REGISTER_CONTROL, 0}, {"cr2", REGISTER_CONTROL, 2}, {"cr3", REGISTER_CONTROL, 3},
    {"cr4", REGISTER_CONTROL, 4},
};
// clang-format on

static uint64_t read_register(const CpuState *state, const RegisterName *row) {
    switch (row->kind) {
    case REGISTER_GENERAL:
        return state->gpr[row->index];
    case REGISTER_SEGMENT:
        return state->segment[row->index].selector;
    case REGISTER_BASE:
        return state->segment[row->index].base;
    default:
        return row->index == 0   ? state->cr0
               : row->index == 2 ? state->cr2
               : row->index == 3 ? state->cr3
                                 : state->cr4;
    }
}

/* After '$'. $eip and $pc are the linear address of the next instruction, which is what 'x' wants.
 */
static bool parse_register(Parser *parser, uint64_t *value) {
    char name[8];
    size_t length = 0;
    while (isalnum((unsigned char)parser->at[length]) || parser->at[length] == '.')
        length++;
    if (length < sizeof(name)) {
        const CpuState *state = &parser->cpu->state;
        memcpy(name, parser->at, length);
        name[length] = '\0';
        const char *start = parser->at;
        parser->at += length;
        if (strcmp(name, "eip") == 0 || strcmp(name, "pc") == 0) {
            *value = state->eip + state->segment[SEG_CS].base;
            return true;
        }
        if (strcmp(name, "eflags") == 0) {
            *value = cpu_get_eflags(parser->cpu);
            return true;
        }
        for (size_t i = 0; i < sizeof(register_names) / sizeof(register_names[0]); i++) {
            if (strcmp(register_names[i].name, name) == 0) {
                *value = read_register(state, &register_names[i]);
                return true;
            }
        }
        parser->at = start;
    }
    return error_set(parser->error, "unknown register");
}

static bool parse_parentheses(Parser *parser, uint64_t *value) {
    if (++parser->depth > DEEPEST)
        return error_set(parser->error, "the expression is nested too deep");
    if (!parse_sum(parser, value))
        return false;
    parser->depth--;
    if (peek(parser) != ')')
        return error_set(parser->error, "')' expected");
    parser->at++;
    return true;
}

static bool parse_number_text(Parser *parser, uint64_t *value) {
    char *end;
    *value = strtoull(parser->at, &end, 0);
    if (end == parser->at)
        return error_set(parser->error, *parser->at == '\0' ? "unexpected end of expression"
                                                            : "invalid char in expression");
    parser->at = end;
    return true;
}

static bool parse_unary(Parser *parser, uint64_t *value) {
    char first = peek(parser);
    if (first == '-' || first == '~' || first == '+') {
        if (++parser->depth > DEEPEST)
            return error_set(parser->error, "the expression is nested too deep");
        parser->at++;
        bool good = parse_unary(parser, value);
        parser->depth--;
        *value = first == '-' ? -*value : first == '~' ? ~*value : *value;
        return good;
    }
    if (first == '(' || first == '$') {
        parser->at++;
        return first == '(' ? parse_parentheses(parser, value) : parse_register(parser, value);
    }
    return parse_number_text(parser, value);
}

static bool parse_product(Parser *parser, uint64_t *value) {
    *value = 0;
    if (!parse_unary(parser, value))
        return false;
    for (;;) {
        char operator= peek(parser);
        uint64_t right = 0;
        if (operator== '\0' || strchr("*/%", operator) == NULL)
            return true;
        parser->at++;
        if (!parse_unary(parser, &right))
            return false;
        if (operator!= '*' && right == 0)
            return error_set(parser->error, "division by zero");
        *value = operator== '*' ? *value * right :
                 operator== '/' ? *value / right
                                : * value % right;
    }
}

static bool parse_logic(Parser *parser, uint64_t *value) {
    if (!parse_product(parser, value))
        return false;
    for (;;) {
        char operator= peek(parser);
        uint64_t right;
        if (operator== '\0' || strchr("&|^", operator) == NULL)
            return true;
        parser->at++;
        if (!parse_product(parser, &right))
            return false;
        *value = operator== '&' ? *value & right :
                 operator== '|' ? *value | right
                                : * value ^ right;
    }
}

static bool parse_sum(Parser *parser, uint64_t *value) {
    if (!parse_logic(parser, value))
        return false;
    for (;;) {
        char operator= peek(parser);
        uint64_t right;
        if (operator!= '+' && operator!= '-')
            return true;
        parser->at++;
        if (!parse_logic(parser, &right))
            return false;
        *value = operator== '+' ? *value + right : * value - right;
    }
}

bool monitor_evaluate_expression(const char **text, const Cpu *cpu, uint64_t *value, Error *error) {
    Parser parser = {.at = *text, .cpu = cpu, .error = error};
    bool good = parse_sum(&parser, value);
    peek(&parser);
    *text = parser.at;
    return good;
}

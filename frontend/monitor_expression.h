/* Values in monitor commands: numbers, $registers and the operators of C, as in QEMU's monitor. */
#ifndef REPRISE_MONITOR_EXPRESSION_H
#define REPRISE_MONITOR_EXPRESSION_H

#include "cpu.h"
#include "error.h"
#include <stdint.h>

/* Evaluates the expression at '*text' and moves '*text' behind it: + - * / % & | ^ ~ ( ) and unary
 * minus. Everything is 64 bits wide and unsigned. An error if nothing can be read. */
bool monitor_evaluate_expression(const char **text, const Cpu *cpu, uint64_t *value, Error *error);

#endif

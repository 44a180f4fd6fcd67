/* Listings of guest and host code, by Capstone: for -d in_asm and out_asm, and for the golden
 * tests. */
#ifndef REPRISE_DISASSEMBLE_H
#define REPRISE_DISASSEMBLE_H

#include "byte_buffer.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DISASSEMBLE_AARCH64 = 1 };

/* One line an instruction: address, mnemonic, operands. 'bits' is 16, 32 or 64 for x86 code, or
 * DISASSEMBLE_AARCH64. Gives the number of
 * instructions; bytes that are none are listed as such and end the listing. */
unsigned disassemble(const uint8_t *code, size_t size, uint64_t address, unsigned bits,
                     ByteBuffer *text);

#endif

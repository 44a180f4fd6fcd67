/* The registers as GDB numbers them, and the target description that says so. */
#ifndef REPRISE_GDB_REGISTERS_H
#define REPRISE_GDB_REGISTERS_H

#include "byte_buffer.h"
#include "cpu.h"

/* The target description, XML. */
void gdb_describe_target(ByteBuffer *text);

unsigned gdb_register_count(void);

/* One register as the protocol has it: hexadecimal, little-endian. 'number' is one that exists. */
void gdb_append_register(ByteBuffer *payload, Cpu *cpu, unsigned number);

/* How many bytes it has, at most GDB_REGISTER_BYTES. */
#define GDB_REGISTER_BYTES 16
unsigned gdb_register_size(unsigned number);

/* Gives it a value. False: this one cannot be changed from outside, and the value is another. */
bool gdb_set_register(Cpu *cpu, unsigned number, const uint8_t *bytes);

#endif

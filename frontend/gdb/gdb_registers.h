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

/* The number of a register by its name in the description ("eax"); false: there is none. */
bool gdb_find_register(const char *name, unsigned *number);

/* Its bytes, the lowest first. */
void gdb_get_register(Cpu *cpu, unsigned number, uint8_t *bytes);

/* How many bytes it has, at most GDB_REGISTER_BYTES. */
#define GDB_REGISTER_BYTES 16
unsigned gdb_register_size(unsigned number);

/* Gives it a value. False: this one cannot be changed from outside, and the value is another. */
bool gdb_set_register(Cpu *cpu, unsigned number, const uint8_t *bytes);

#endif

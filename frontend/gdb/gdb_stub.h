/* GDB's remote protocol ("Debugging with GDB", appendix E), all-stop: the machine is the process,
 * its processors are the threads 1 to N.
 *
 * Addresses are linear ones. So 'eip' is shown with the base of CS added, which is where the next
 * instruction is in real and v8086 mode too, and is taken back so; the register 'ip' is EIP itself.
 * All functions belong to the main thread. */
#ifndef REPRISE_GDB_STUB_H
#define REPRISE_GDB_STUB_H

#include "byte_buffer.h"
#include "machine.h"
#include <stdbool.h>
#include <stddef.h>

typedef struct GdbStub GdbStub;

/* What the program lends to it. */
typedef struct GdbHost {
    Machine *machine;
    void (*send)(void *opaque, const void *bytes, size_t size);
    /* Runs a line of the human monitor. */
    void (*run_command)(void *opaque, const char *line, ByteBuffer *output);
    void (*quit)(void *opaque); /* the debugger kills its process: the program ends */
    void *opaque;
} GdbHost;

/* A debugger has connected: the machine stops. */
GdbStub *gdb_stub_create(const GdbHost *host);
/* It is gone: break- and watchpoints go, and the machine goes on if it ran before. NULL is allowed.
 */
void gdb_stub_destroy(GdbStub *stub);

void gdb_stub_receive(GdbStub *stub, const void *bytes, size_t size);

/* After the machine's run state changed or it ended: tells the debugger what it waits for. */
void gdb_stub_update(GdbStub *stub);

#endif

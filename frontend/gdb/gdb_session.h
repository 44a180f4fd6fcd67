/* One debugger's session, for the files of this folder. */
#ifndef REPRISE_GDB_SESSION_H
#define REPRISE_GDB_SESSION_H

#include "gdb_packet.h"
#include "gdb_stub.h"
#include "machine_debug.h"
#include "machine_parts.h"

/* A break- or watchpoint as the debugger inserted it: its type in Z packets. */
typedef struct GdbPoint {
    unsigned type;
    CpuStopPoint point;
} GdbPoint;

/* QEMU's bits for what a single step does: only the middle one has a choice here. */
enum { GDB_STEP_ENABLE = 1, GDB_STEP_NO_IRQ = 2, GDB_STEP_NO_TIMER = 4 };

struct GdbStub {
    GdbHost host;
    Machine *machine;
    GdbPacketReader reader;
    ByteBuffer payload;     /* of the answer */
    ByteBuffer last_packet; /* should it not arrive well */
    bool no_acknowledgement;
    bool ran_before;  /* the debugger came */
    bool waits;       /* the debugger waits for a stop */
    bool interrupted; /* by Ctrl-C */
    bool detached;
    bool knows_swbreak, knows_hwbreak;
    unsigned selected;  /* processor for g, G, p, P, m and their like */
    unsigned continued; /* for s, of Hc; -1u: any */
    bool physical;      /* addresses of memory packets */
    unsigned step_bits;
    GdbPoint point[CPU_STOP_POINTS];
    unsigned point_count;
};

/* A packet's handler: reads what follows its name, appends its answer to stub->payload. False: the
 * answer is not due yet (the machine runs). */
typedef bool GdbHandler(GdbStub *stub, GdbText *text);

/* gdb_data.c: registers and memory */
GdbHandler gdb_read_registers, gdb_write_registers, gdb_read_register, gdb_write_register;
GdbHandler gdb_read_memory, gdb_write_memory, gdb_write_binary;
/* gdb_points.c */
GdbHandler gdb_insert_point, gdb_remove_point;
/* gdb_run.c */
GdbHandler gdb_continue, gdb_step, gdb_continue_back, gdb_step_back, gdb_list_actions,
    gdb_run_actions, gdb_tell_stop;
/* Why the machine stands; the answer to whatever made it run. */
void gdb_append_stop(GdbStub *stub);
/* gdb_query.c */
GdbHandler gdb_supported, gdb_no_acknowledgement, gdb_transfer_features, gdb_run_monitor,
    gdb_first_threads, gdb_next_threads, gdb_thread_info, gdb_current_thread, gdb_attached,
    gdb_thread_alive, gdb_select_thread, gdb_step_bits, gdb_query_step, gdb_set_step,
    gdb_query_physical, gdb_set_physical, gdb_symbol;

/* Threads are numbered from 1; "0" and "-1" mean any. False: no such thread. */
bool gdb_take_thread(const GdbStub *stub, GdbText *text, unsigned *processor, bool *any);

void gdb_answer(GdbStub *stub, const char *text);
void gdb_fail(GdbStub *stub, unsigned number); /* "E" and two digits */
void gdb_send_payload(GdbStub *stub);

enum { GDB_EINVAL = 0x16, GDB_EFAULT = 0x0E, GDB_ENOSPC = 0x1C };

#endif

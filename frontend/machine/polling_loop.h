/* Recognises a DOS program that only waits for a key: it asks for one again and again, by the BIOS
 * (INT 16h, functions 01h and 11h) or by telling DOS that it is idle (INT 28h; INT 2Fh, function
 * 1680h), where another system would execute HLT.
 *
 * The proof: at two such calls all registers and all of memory are the same, and nothing outside
 * them was asked in between (no port, no device, no clock). Then the program goes round for ever,
 * until an interrupt or a bus master changes something: doing nothing until the next event is the
 * same, but costs the host nothing. A program that computes between its polls is never held up. */
#ifndef REPRISE_POLLING_LOOP_H
#define REPRISE_POLLING_LOOP_H

#include "cpu.h"
#include "ram_hash.h"

typedef struct PollingLoop {
    Cpu *cpu;
    RamHash *ram_hash;
    bool polled;            /* the program called since polling_loop_look() */
    bool has_start;         /* the following three are those of an earlier call */
    CpuState start;         /* its instruction count is 0 */
    uint64_t start_memory;  /* hash */
    uint64_t start_outside; /* cpu->outside_accesses */
    uint32_t calls;         /* since then */
    uint32_t calls_to_skip; /* before the next attempt */
    uint32_t pause;         /* how many were skipped before this one; doubled by each failure */
    bool proven;            /* since polling_loop_take_proof() was asked last */
    uint64_t proofs;        /* so far */
} PollingLoop;

/* From now on such calls end the run loop (RUN_BREAK), but for those between a proof and the taking
 * of it. Both live longer than the loop. */
void polling_loop_watch(PollingLoop *loop, Cpu *cpu, RamHash *ram_hash);
void polling_loop_unwatch(PollingLoop *loop);

/* After the run loop came back: compares, if it came because of such a call. */
void polling_loop_look(PollingLoop *loop);

/* Has it been proven that the program only waits? Asking forgets it. */
bool polling_loop_take_proof(PollingLoop *loop);

#endif

/* A bare guest for tests of the translator: RAM, a CPU, no devices. */
#ifndef REPRISE_GUEST_FIXTURE_H
#define REPRISE_GUEST_FIXTURE_H

#include "cpu.h"
#include "translator.h"

typedef struct Guest {
    PhysicalMap *map;
    PortMap *ports;
    VirtualClock clock;
    Trace trace;
    Cpu *cpu;
    Translator *translator;
    uint8_t *ram;
} Guest;

enum { GUEST_RAM_BYTES = 4 << 20 };

/* Aborts the test where something cannot be made. The processor is a Pentium 4, or the one that
 * 'model' names as -cpu does. */
void guest_create(Guest *guest, const TranslatorOptions *options);
void guest_create_model(Guest *guest, const TranslatorOptions *options, const char *model);
void guest_destroy(Guest *guest);

/* Real mode with all segment bases at 'base', execution at offset 'ip'. */
void guest_enter_real_mode(Guest *guest, uint16_t segment, uint16_t ip);
/* Protected mode at CPL 0 with flat 32-bit segments and no paging, execution at 'eip'. GDT at
 * 'tables', IDT behind it: every exception goes to a HLT at tables + 0x900. With 'paging', an
 * identity map of RAM is made at tables + 0x1000. */
void guest_enter_flat_mode(Guest *guest, uint32_t tables, uint32_t eip, bool paging);

/* After guest_enter_flat_mode(): every exception goes on at a place in the code that is another one
 * each time, with the stack at 'stack'; interrupts from 20h on return at once. So a random program
 * goes on after a fault. */
void guest_resume_after_events(Guest *guest, uint32_t tables, uint32_t code, uint32_t code_mask,
                               uint32_t stack);
/* After guest_enter_real_mode(): interrupts from 20h on return at once, by an IRET at 0:510h. */
void guest_return_from_interrupts(Guest *guest);
/* Raises INTR; the acknowledge cycle gives vector 20h and lowers it. */
void guest_interrupt(Guest *guest);

/* Runs until 'instructions' have completed in all, or the CPU halts or shuts down. */
RunExit guest_run(Guest *guest, uint64_t instructions);

/* Compares architectural state and RAM; false with a description of the first difference. */
bool guest_compare(const Guest *a, const Guest *b, char *text, size_t text_size);

/* A random number generator of the tests' own: the same everywhere. */
uint64_t guest_random(uint64_t *state);

#endif

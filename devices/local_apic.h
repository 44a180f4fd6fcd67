/* The local APIC of a processor, as on a Pentium 4 (SDM vol. 3A chapter 10): memory-mapped
 * registers, normally at FEE00000h, and IA32_APIC_BASE. It stands between the processor's pins INTR
 * and NMI and the rest of the board. */
#ifndef REPRISE_LOCAL_APIC_H
#define REPRISE_LOCAL_APIC_H

#include "apic_message.h"
#include "device_context.h"
#include "local_apic_group.h"
#include "msr_map.h"

typedef struct LocalApic LocalApic;

#define LOCAL_APIC_HZ 1000000000u /* of the bus clock that the timer counts */

/* What the local APIC is connected to. */
typedef struct LocalApicPins {
    Wire intr, nmi, smi, init; /* to the processor's core */
    /* A STARTUP message came: a processor that waits for one begins at this page. */
    void (*startup)(void *processor, uint8_t page);
    /* An interrupt whose vector comes from outside (ExtINT): runs the acknowledge cycle of the 8259
     * pair. */
    uint8_t (*acknowledge_external)(void *opaque);
    void *external;
    /* A level-triggered interrupt with this vector ended: to the I/O APIC. */
    void (*end_of_interrupt)(void *opaque, uint8_t vector);
    void *io_apic;
    /* What the processor has besides (CPUID leaf 1), and its time-stamp counter for the second. */
    bool has_x2apic, has_tsc_deadline;
    uint64_t (*read_tsc)(void *opaque);
    void *processor;
    uint32_t tsc_hz;
} LocalApicPins;

/* Becomes the next member of 'group'. 'msrs' are those of its processor: claims IA32_APIC_BASE and,
 * as far as it has them, IA32_TSC_DEADLINE and those of x2APIC mode. 'id' is the initial APIC ID;
 * that of ID 0 is the bootstrap processor's. */
LocalApic *local_apic_create(const DeviceContext *context, LocalApicGroup *group, MsrMap *msrs,
                             uint8_t id, const LocalApicPins *pins, Error *error);
void local_apic_destroy(LocalApic *apic);

/* The pins LINT0 (line 0: INTR of the 8259 pair) and LINT1 (line 1: NMI). */
void local_apic_set_lint(void *apic, int line, int level);

/* A performance counter overflowed; the TSC was written. Both fit a Wire. */
void local_apic_performance_interrupt(void *apic, int line, int level);
void local_apic_tsc_changed(void *apic, int line, int level);

/* The INTA cycle: the vector of the interrupt that INTR asks for, which is now in service. */
int local_apic_acknowledge(void *apic);

/* A message on its way to several; tells whether this one took it. */
bool local_apic_receive(LocalApic *apic, const ApicMessage *message);

/* Registers by offset divided by 16, without the side effects of a read: for the monitor and tests.
 */
uint32_t local_apic_register(const LocalApic *apic, unsigned index);
bool local_apic_is_enabled(const LocalApic *apic); /* by IA32_APIC_BASE */

/* Register numbers. */
enum {
    LOCAL_APIC_ID = 0x02,
    LOCAL_APIC_VERSION = 0x03,
    LOCAL_APIC_TASK_PRIORITY = 0x08,
    LOCAL_APIC_ARBITRATION_PRIORITY = 0x09,
    LOCAL_APIC_PROCESSOR_PRIORITY = 0x0A,
    LOCAL_APIC_EOI = 0x0B,
    LOCAL_APIC_LOGICAL_DESTINATION = 0x0D,
    LOCAL_APIC_DESTINATION_FORMAT = 0x0E,
    LOCAL_APIC_SPURIOUS_VECTOR = 0x0F,
    LOCAL_APIC_IN_SERVICE = 0x10,   /* 8 of them */
    LOCAL_APIC_TRIGGER_MODE = 0x18, /* 8 of them */
    LOCAL_APIC_REQUEST = 0x20,      /* 8 of them */
    LOCAL_APIC_ERROR_STATUS = 0x28,
    LOCAL_APIC_COMMAND_LOW = 0x30,
    LOCAL_APIC_COMMAND_HIGH = 0x31,
    LOCAL_APIC_LVT = 0x32, /* 6 of them: timer, thermal, performance, LINT0, LINT1, error */
    LOCAL_APIC_INITIAL_COUNT = 0x38,
    LOCAL_APIC_CURRENT_COUNT = 0x39,
    LOCAL_APIC_DIVIDE = 0x3E,
    LOCAL_APIC_SELF_IPI = 0x3F, /* in x2APIC mode */
};

#endif

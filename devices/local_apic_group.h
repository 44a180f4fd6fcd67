/* All local APICs of a board: who takes a message, and whose registers the processor that runs now
 * sees in memory, since each sees its own at the same address (SDM vol. 3A 10.4.1, 10.6). */
#ifndef REPRISE_LOCAL_APIC_GROUP_H
#define REPRISE_LOCAL_APIC_GROUP_H

#include "apic_message.h"
#include "physical_map.h"
#include "wire.h"

struct LocalApic;

enum { LOCAL_APIC_GROUP_MEMBERS = 8 };

typedef struct LocalApicGroup LocalApicGroup;

LocalApicGroup *local_apic_group_create(PhysicalMap *memory);
/* After its members. NULL is allowed. */
void local_apic_group_destroy(LocalApicGroup *group);

/* Pulsed when one processor sends something to another, that it be given a turn soon. */
void local_apic_group_set_notice(LocalApicGroup *group, const Wire *notice);

/* The processor whose local APIC is member number 'index', in the order of their making, runs from
 * now on. The first one does at the beginning. */
void local_apic_group_select(LocalApicGroup *group, unsigned index);

/* A message to whom it may concern; the one of lowest priority where that is its delivery mode.
 * Tells whether somebody took it. Fits ApicBus.send. */
bool local_apic_group_send(void *group, const ApicMessage *message);

/* For members. To all of them but 'sender'; and 'sender' too. */
void local_apic_group_add(LocalApicGroup *group, struct LocalApic *member);
void local_apic_group_send_to_all(LocalApicGroup *group, const struct LocalApic *sender,
                                  bool with_sender, const ApicMessage *message);
/* 'sender' gave a message to the others: the notice. */
void local_apic_group_tell(LocalApicGroup *group, const struct LocalApic *sender);
/* A member's registers lie at this page's address, or no longer. */
void local_apic_group_map(LocalApicGroup *group, uint32_t base);
void local_apic_group_unmap(LocalApicGroup *group, uint32_t base);

#endif

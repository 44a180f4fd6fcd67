/* Memory operands of a block with one check for all of them, for any host. */
#ifndef REPRISE_SHARED_CHECKS_H
#define REPRISE_SHARED_CHECKS_H

#include "context.h"
#include "cpu.h"
#include "uop.h"

typedef struct SharedAccess {
    uint8_t group;        /* 0: checked for itself */
    uint8_t index, scale; /* a register that holds less than 256, which the check does not look at:
                             the span has room for all of it; scale 0: none */
    int16_t offset;       /* from the start of the group's span */
} SharedAccess;

enum { SHARED_GROUP_MAX = CPU_SHARED_HOSTS, SHARED_IN_MEMORY = 0xFF };

typedef struct SharedGroup {
    uint16_t first; /* micro-op */
    uint16_t last;
    bool writes;       /* some of them do */
    uint8_t host;      /* register with the host's address of the span's start; SHARED_IN_MEMORY:
                          that is in cpu->shared_host */
    uint8_t uncounted; /* instructions not yet done at the check */
    int32_t low, high; /* the span, from the sum of the registers at the first member */
    uint32_t link;     /* number of the link to the rest of the block, unshared */
    uint8_t *crossing_site, *miss_site; /* jumps there; NULL: the check is not emitted yet */
} SharedGroup;

/* What a host has for them. */
typedef struct SharedHost {
    uint8_t registers[4]; /* that may hold the address of a span, best first */
    uint8_t register_count;
    bool (*needs_register)(const Uop *uop, unsigned reg); /* for something else */
    bool (*calls_helper)(
        const Uop *uop); /* other than UOP_HELPER: such a call may change the TLB */
} SharedHost;

typedef struct SharedChecks {
    const SharedHost *host;
    const UopBlock *lifted;
    const Context *context;
    SharedAccess access[UOP_BLOCK_UOPS];
    UopAddress address[UOP_BLOCK_UOPS]; /* without what indexes a table */
    uint8_t traits[UOP_BLOCK_UOPS], writes[UOP_BLOCK_UOPS];
    SharedGroup group[SHARED_GROUP_MAX];
    unsigned group_count;
} SharedChecks;

/* Finds the groups of a block; not enabled: there are none. */
void shared_checks_find(SharedChecks *checks, const SharedHost *host, const UopBlock *lifted,
                        const Context *context, bool enabled);
/* The group of this micro-op's memory operand, whose check is to be emitted now if this is its
 * first, or was; NULL: the operand is checked for itself. */
SharedGroup *shared_checks_group(SharedChecks *checks, unsigned position);
bool shared_checks_names_register(const Uop *uop, unsigned ureg);

#endif

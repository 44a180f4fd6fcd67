/* Are two states, or two pieces of memory, the same? */
#ifndef REPRISE_ORACLE_COMPARE_H
#define REPRISE_ORACLE_COMPARE_H

#include "oracle_host.h"
#include <stddef.h>

/* What may differ between a guest and the host. */
typedef struct OracleOpen {
    uint32_t eflags;
    uint16_t fpu_status;
    bool cr2;
    bool is_transcendental, is_estimate; /* within bounds, see oracle_tolerance.h */
} OracleOpen;

/* False with a description of the first difference, as for the next one. */
bool oracle_compare_states(const OracleHost *host, const OracleOpen *open, const OracleState *ours,
                           const OracleState *hosts, char *text, size_t size);
bool oracle_compare_bytes(const char *what, const uint8_t *ours, const uint8_t *others, size_t size,
                          uint32_t address, char *text, size_t text_size);

/* Takes over into our image of the x87, or selector on the stack, what the host may have otherwise
 * in its own: reserved words, selectors, which newer processors store as zeroes, and pointers that
 * it does not keep. 'code' is the instruction (InsnCode) that stored it. */
void oracle_take_open_image(const OracleHost *host, const OracleOpen *open, unsigned code,
                            const uint8_t *image, uint8_t *ours, unsigned size);

#endif

/* When do two runs of a case agree? */
#ifndef REPRISE_ORACLE_COMPARE_H
#define REPRISE_ORACLE_COMPARE_H

#include "oracle_case.h"
#include "oracle_host.h"
#include <stddef.h>

/* May the host be asked to run it? Not where the case would be a system call, or another
 * instruction on a newer processor, or one whose result the manuals leave open. */
bool oracle_may_run(const OracleHost *host, const OracleCase *made);

/* Did the host's run show anything that a guest can be compared with? Not where it depends on what
 * is not the case's: pages that may not be executed, addresses that only one side has. */
bool oracle_is_comparable(const OracleHost *host, const OracleCase *made, const OracleState *ours,
                          const OracleState *hosts);

/* False with a description of the first difference. */
bool oracle_agrees_with_host(const OracleHost *host, const OracleCase *made,
                             const OracleState *ours, const OracleState *hosts, char *text,
                             size_t size);

/* Does the host leave memory in a state of its own where this faults? AMD's processors store an
 * ENTER's outer frame pointers before the last push is checked. */
bool oracle_is_memory_open(const OracleHost *host, const OracleCase *made,
                           const OracleState *hosts);

/* Takes over into our x87 image, of that many bytes, what the host may have otherwise in its own:
 * reserved words, selectors, which newer processors store as zeroes, and pointers that it does not
 * keep. */
void oracle_take_open_memory(const OracleHost *host, const OracleCase *made, const uint8_t *image,
                             uint8_t *ours, unsigned size);

/* False with a description of the first difference. */
bool oracle_compare_bytes(const char *what, const uint8_t *ours, const uint8_t *others, size_t size,
                          uint32_t address, char *text, size_t text_size);

/* Status flags that the host may leave otherwise in this case. */
uint32_t oracle_open_flags(const OracleHost *host, const OracleCase *made,
                           const OracleState *hosts);

#endif

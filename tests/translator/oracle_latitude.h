/* What the manuals leave to the processor, instruction by instruction: there a host may do
 * something else than a guest. */
#ifndef REPRISE_ORACLE_LATITUDE_H
#define REPRISE_ORACLE_LATITUDE_H

#include "oracle_case.h"
#include "oracle_compare.h"

/* May the host be asked to run it? Not where the case would be a system call, or another
 * instruction on a newer processor, or one whose result the manuals leave open. */
bool oracle_may_run(const OracleCase *made);

/* Did the host's run show anything that a guest can be compared with? Not where it depends on what
 * is not the case's (pages that may not be executed, addresses that only one side has), or on the
 * order in which a processor looks for faults. */
bool oracle_is_comparable(const OracleCase *made, const OracleState *ours,
                          const OracleState *hosts);

OracleOpen oracle_find_open(const OracleHost *host, const OracleCase *made,
                            const OracleState *hosts);

/* Does the host leave memory in a state of its own where this faults? Some store an ENTER's outer
 * frame pointers before the last push is checked. */
bool oracle_is_memory_open(const OracleCase *made, const OracleState *hosts);

/* Status flags that the manual leaves undefined and that are not compared with this host. */
uint32_t oracle_open_flags(const OracleHost *host, const OracleCase *made,
                           const OracleState *hosts);

#endif

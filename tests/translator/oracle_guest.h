/* The other side of the oracle: a guest at CPL 3. */
#ifndef REPRISE_ORACLE_GUEST_H
#define REPRISE_ORACLE_GUEST_H

#include "guest_fixture.h"
#include "oracle_state.h"

/* 'features' are added to those of the model 'max'. */
void oracle_guest_open(Guest *guest, const TranslatorOptions *options, uint64_t features);
/* False where the guest did not end in an exception. */
bool oracle_guest_run(Guest *guest, const OracleInput *input, OracleState *state);
/* Is this linear address one that only the guest has something at? */
bool oracle_guest_owns(uint32_t address);

#endif

/* All helpers by number, for backends and traces. */
#include "helpers.h"

#define HELPER(name, attributes, meaning) {#name, helper_##name, attributes},
const HelperInfo helper_table[HELPER_ID_COUNT] = {
#include "helpers.def"
};
#undef HELPER

/* See capstone_library.h. */
#include "capstone_library.h"
#include "host_library.h"

bool capstone_library_load(CapstoneLibrary *capstone, Error *error) {
    static const char *const names[] = {
#define X(name) "cs_" #name,
        CAPSTONE_FUNCTIONS(X)
#undef X
    };
    return host_library_load(REPRISE_CAPSTONE_LIBRARY, names, sizeof(names) / sizeof(names[0]),
                             capstone, error);
}

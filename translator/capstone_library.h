/* The functions of Capstone that listings use, found at the first listing. */
#ifndef REPRISE_CAPSTONE_LIBRARY_H
#define REPRISE_CAPSTONE_LIBRARY_H

#include "error.h"
#include <capstone/capstone.h>
#include <stdbool.h>

#define CAPSTONE_FUNCTIONS(X) X(open) X(close) X(option) X(malloc) X(free) X(disasm) X(disasm_iter)

typedef struct CapstoneLibrary {
#define X(name) __typeof__(cs_##name) *name;
    CAPSTONE_FUNCTIONS(X)
#undef X
} CapstoneLibrary;

bool capstone_library_load(CapstoneLibrary *capstone, Error *error);

#endif

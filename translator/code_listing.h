/* Tells the host's profilers what lies in the translation buffer, for Linux's perf: each
 * translation gets the name of the guest's code that it stands for.
 *
 * A perf map (/tmp/perf-PID.map) is text that `perf report` reads by itself; where the buffer was
 * filled anew it names what lay there first. A jitdump (jit-PID.dump in the working folder) has
 * times and host code as well: record with `perf record -k mono`, then `perf inject -j`. */
#ifndef REPRISE_CODE_LISTING_H
#define REPRISE_CODE_LISTING_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct CodeListing CodeListing;

/* Makes the files that are wanted. NULL with a message if one cannot be made. */
CodeListing *code_listing_create(bool perf_map, bool jit_dump, Error *error);
void code_listing_destroy(CodeListing *listing);

/* Host code at 'code' (where it is executed) from now on is 'name'. */
void code_listing_add(CodeListing *listing, const void *code, size_t size, const char *name);

#endif

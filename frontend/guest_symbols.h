/* Names of functions in a guest's code, and where that code is, from an ELF file (System V ABI,
 * chapter 4; 32 or 64 bits, little-endian) or from a map: lines that begin with an address in
 * hexadecimal and end with a name, as 'nm', System.map and linkers write them. */
#ifndef REPRISE_GUEST_SYMBOLS_H
#define REPRISE_GUEST_SYMBOLS_H

#include "error.h"
#include <stddef.h>
#include <stdint.h>

typedef struct GuestSymbol {
    uint64_t address, size; /* 0: it goes on to the next one */
    const char *name;       /* in 'content' */
} GuestSymbol;

/* Bytes that are executed. */
typedef struct GuestCode {
    uint64_t address, size;
    const uint8_t *bytes; /* in 'content'; NULL: a map does not tell */
} GuestCode;

typedef struct GuestSymbols {
    GuestSymbol *symbols; /* by address */
    size_t count, capacity;
    GuestCode *code;
    size_t code_count, code_capacity;
    char *content; /* the file */
    size_t content_size;
} GuestSymbols;

/* An ELF file with no symbols is no error; one that is neither ELF nor a map is. The file is not
 * trusted. */
bool guest_symbols_read(GuestSymbols *symbols, const char *path, Error *error);
void guest_symbols_free(GuestSymbols *symbols);
/* The function that 'address' lies in; NULL if none is known. */
const GuestSymbol *guest_symbols_find(const GuestSymbols *symbols, uint64_t address);
/* Is it the address of code? The last label of a file is often that of its end. */
bool guest_symbols_has_code(const GuestSymbols *symbols, uint64_t address);

#endif

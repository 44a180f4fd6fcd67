/* Names of functions in an ELF file (System V ABI, chapter 4), 32 or 64 bits, little-endian: a
 * kernel's, for back traces. */
#ifndef REPRISE_ELF_SYMBOLS_H
#define REPRISE_ELF_SYMBOLS_H

#include "error.h"
#include <stddef.h>
#include <stdint.h>

typedef struct ElfSymbol {
    uint64_t address, size;
    const char *name; /* in 'content' */
} ElfSymbol;

typedef struct ElfSymbols {
    ElfSymbol *symbols; /* by address */
    size_t count, capacity;
    char *content; /* the file */
    size_t content_size;
} ElfSymbols;

/* A file with no symbols is no error; one that is no ELF file is. The file is not trusted. */
bool elf_symbols_read(ElfSymbols *symbols, const char *path, Error *error);
void elf_symbols_free(ElfSymbols *symbols);
/* The function that 'address' lies in; NULL if none is known. */
const ElfSymbol *elf_symbols_find(const ElfSymbols *symbols, uint64_t address);

#endif

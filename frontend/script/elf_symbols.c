/* See elf_symbols.h. */
#include "elf_symbols.h"
#include "allocate.h"
#include "little_endian.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Above this a file is no kernel that somebody tests here. */
#define FILE_BYTES_MAX (512ull << 20)

enum {
    ELF_CLASS = 4, /* in e_ident */
    ELF_DATA = 5,
    CLASS_32 = 1,
    CLASS_64 = 2,
    LITTLE_ENDIAN_DATA = 1,
    SECTION_SYMBOLS = 2, /* SHT_SYMTAB */
    TYPE_NONE = 0,       /* labels of assembly sources */
    TYPE_FUNCTION = 2,
};

/* Where fields lie in the two classes. */
typedef struct ElfLayout {
    uint32_t header_bytes, section_offset, section_count, section_entry; /* in the file header */
    uint32_t section_bytes, offset, size, link;                          /* in a section header */
    uint32_t symbol_bytes, value, symbol_size, info, section_index;      /* in a symbol */
    uint32_t word;                                                       /* bytes of an address */
} ElfLayout;

static const ElfLayout layouts[] = {
    [CLASS_32] = {52, 32, 48, 46, 40, 16, 20, 24, 16, 4, 8, 12, 14, 4},
    [CLASS_64] = {64, 40, 60, 58, 64, 24, 32, 40, 24, 8, 16, 4, 6, 8},
};

typedef struct Section {
    uint64_t offset, size;
    uint32_t type, link;
} Section;

static uint64_t load_word(const char *at, uint32_t bytes) {
    return bytes == 8 ? load_le64((const uint8_t *)at) : load_le32((const uint8_t *)at);
}

static bool read_section(const ElfSymbols *file, const ElfLayout *layout, uint64_t index,
                         Section *section) {
    uint64_t table = load_word(file->content + layout->section_offset, layout->word);
    uint32_t entry = load_le16((const uint8_t *)file->content + layout->section_entry);
    uint32_t count = load_le16((const uint8_t *)file->content + layout->section_count);
    if (index >= count || entry < layout->section_bytes || table > file->content_size ||
        (index + 1) * entry > file->content_size - table)
        return false;
    const char *header = file->content + table + index * entry;
    section->type = load_le32((const uint8_t *)header + 4);
    section->offset = load_word(header + layout->offset, layout->word);
    section->size = load_word(header + layout->size, layout->word);
    section->link = load_le32((const uint8_t *)header + layout->link);
    return section->offset <= file->content_size &&
           section->size <= file->content_size - section->offset;
}

static void add_symbol(ElfSymbols *symbols, const ElfLayout *layout, const char *entry,
                       const Section *names) {
    uint32_t name = load_le32((const uint8_t *)entry);
    unsigned type = (unsigned char)entry[layout->info] & 0xF;
    bool defined = load_le16((const uint8_t *)entry + layout->section_index) != 0;
    const char *text = symbols->content + names->offset;
    if (!defined || (type != TYPE_FUNCTION && type != TYPE_NONE) || name >= names->size ||
        text[name] == '\0' || memchr(text + name, '\0', names->size - name) == NULL)
        return;
    symbols->symbols = allocate_grow(symbols->symbols, &symbols->capacity, symbols->count + 1,
                                     sizeof(*symbols->symbols));
    symbols->symbols[symbols->count++] =
        (ElfSymbol){.address = load_word(entry + layout->value, layout->word),
                    .size = load_word(entry + layout->symbol_size, layout->word),
                    .name = text + name};
}

static void read_symbols(ElfSymbols *symbols, const ElfLayout *layout) {
    Section table, names;
    for (uint64_t i = 0; i < 0x10000 && read_section(symbols, layout, i, &table); i++) {
        if (table.type != SECTION_SYMBOLS || !read_section(symbols, layout, table.link, &names))
            continue;
        const char *entry = symbols->content + table.offset;
        for (uint64_t n = table.size / layout->symbol_bytes; n > 0; n--) {
            add_symbol(symbols, layout, entry, &names);
            entry += layout->symbol_bytes;
        }
    }
}

static int compare_symbols(const void *a, const void *b) {
    const ElfSymbol *first = a, *second = b;
    if (first->address != second->address)
        return first->address < second->address ? -1 : 1;
    return strcmp(first->name, second->name);
}

static bool read_content(ElfSymbols *symbols, const char *path, Error *error) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return error_set(error, "%s: %s", path, strerror(errno));
    bool good = fseek(file, 0, SEEK_END) == 0;
    long size = good ? ftell(file) : -1;
    good = size >= 0 && (unsigned long)size <= FILE_BYTES_MAX && fseek(file, 0, SEEK_SET) == 0;
    if (good) {
        symbols->content = allocate_zeroed((size_t)size + 1);
        symbols->content_size = (size_t)size;
        good = fread(symbols->content, 1, symbols->content_size, file) == symbols->content_size;
    }
    fclose(file);
    return good || error_set(error, "%s: cannot be read", path);
}

bool elf_symbols_read(ElfSymbols *symbols, const char *path, Error *error) {
    *symbols = (ElfSymbols){.symbols = NULL};
    if (!read_content(symbols, path, error)) {
        elf_symbols_free(symbols);
        return false;
    }
    const char *content = symbols->content;
    unsigned class = symbols->content_size > ELF_CLASS ? (unsigned char)content[ELF_CLASS] : 0;
    bool good = symbols->content_size > ELF_DATA && memcmp(content, "\177ELF", 4) == 0 &&
                (class == CLASS_32 || class == CLASS_64) &&
                content[ELF_DATA] == LITTLE_ENDIAN_DATA &&
                symbols->content_size >= layouts[class].header_bytes;
    if (!good) {
        elf_symbols_free(symbols);
        return error_set(error, "%s: not an ELF file of an x86 processor", path);
    }
    read_symbols(symbols, &layouts[class]);
    if (symbols->count > 0)
        qsort(symbols->symbols, symbols->count, sizeof(*symbols->symbols), compare_symbols);
    return true;
}

void elf_symbols_free(ElfSymbols *symbols) {
    free(symbols->symbols);
    free(symbols->content);
    *symbols = (ElfSymbols){.symbols = NULL};
}

const ElfSymbol *elf_symbols_find(const ElfSymbols *symbols, uint64_t address) {
    size_t first = 0, after = symbols->count;
    while (first < after) {
        size_t middle = first + (after - first) / 2;
        if (symbols->symbols[middle].address <= address)
            first = middle + 1;
        else
            after = middle;
    }
    if (first == 0)
        return NULL;
    const ElfSymbol *symbol = &symbols->symbols[first - 1];
    /* Labels of assembly sources have no size. */
    bool inside = symbol->size == 0 || address - symbol->address < symbol->size;
    return inside ? symbol : NULL;
}

/* See guest_symbols.h. */
#include "guest_symbols.h"
#include "allocate.h"
#include "little_endian.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Above this a file is no kernel that somebody tests here. */
#define FILE_BYTES_MAX (512ull << 20)

enum {
    CODE_AREAS_MAX = 1024,
    ELF_CLASS = 4, /* in e_ident */
    ELF_DATA = 5,
    CLASS_32 = 1,
    CLASS_64 = 2,
    LITTLE_ENDIAN_DATA = 1,
    SECTION_CONTENT = 1, /* SHT_PROGBITS */
    SECTION_SYMBOLS = 2, /* SHT_SYMTAB */
    FLAGS_CODE = 2 | 4,  /* SHF_ALLOC, SHF_EXECINSTR */
    TYPE_NONE = 0,       /* labels of assembly sources */
    TYPE_FUNCTION = 2,
};

/* Where fields lie in the two classes. */
typedef struct ElfLayout {
    uint32_t header_bytes, section_offset, section_count, section_entry; /* in the file header */
    uint32_t section_bytes, address, offset, size, link;                 /* in a section header */
    uint32_t symbol_bytes, value, symbol_size, info, section_index;      /* in a symbol */
    uint32_t word;                                                       /* bytes of an address */
} ElfLayout;

static const ElfLayout layouts[] = {
    [CLASS_32] = {52, 32, 48, 46, 40, 12, 16, 20, 24, 16, 4, 8, 12, 14, 4},
    [CLASS_64] = {64, 40, 60, 58, 64, 16, 24, 32, 40, 24, 8, 16, 4, 6, 8},
};

typedef struct Section {
    uint64_t address, offset, size;
    uint32_t type, flags, link;
} Section;

static uint64_t load_word(const char *at, uint32_t bytes) {
    return bytes == 8 ? load_le64((const uint8_t *)at) : load_le32((const uint8_t *)at);
}

static bool read_section(const GuestSymbols *file, const ElfLayout *layout, uint64_t index,
                         Section *section) {
    uint64_t table = load_word(file->content + layout->section_offset, layout->word);
    uint32_t entry = load_le16((const uint8_t *)file->content + layout->section_entry);
    uint32_t count = load_le16((const uint8_t *)file->content + layout->section_count);
    if (index >= count || entry < layout->section_bytes || table > file->content_size ||
        (index + 1) * entry > file->content_size - table)
        return false;
    const char *header = file->content + table + index * entry;
    section->type = load_le32((const uint8_t *)header + 4);
    section->flags = load_le32((const uint8_t *)header + 8);
    section->address = load_word(header + layout->address, layout->word);
    section->offset = load_word(header + layout->offset, layout->word);
    section->size = load_word(header + layout->size, layout->word);
    section->link = load_le32((const uint8_t *)header + layout->link);
    return section->offset <= file->content_size &&
           section->size <= file->content_size - section->offset;
}

static void add_symbol(GuestSymbols *symbols, const ElfLayout *layout, const char *entry,
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
        (GuestSymbol){.address = load_word(entry + layout->value, layout->word),
                      .size = load_word(entry + layout->symbol_size, layout->word),
                      .name = text + name};
}

/* A good file's sections do not overlap. */
static void add_code(GuestSymbols *symbols, uint64_t address, uint64_t size, const char *bytes) {
    uint64_t sum = size;
    for (size_t i = 0; i < symbols->code_count; i++)
        sum += symbols->code[i].size;
    if (sum > FILE_BYTES_MAX || symbols->code_count == CODE_AREAS_MAX)
        return;
    symbols->code = allocate_grow(symbols->code, &symbols->code_capacity, symbols->code_count + 1,
                                  sizeof(*symbols->code));
    symbols->code[symbols->code_count++] = (GuestCode){address, size, (const uint8_t *)bytes};
}

static void read_sections(GuestSymbols *symbols, const ElfLayout *layout) {
    Section table, names;
    for (uint64_t i = 0; i < 0x10000 && read_section(symbols, layout, i, &table); i++) {
        if (table.type == SECTION_CONTENT && (table.flags & FLAGS_CODE) == FLAGS_CODE)
            add_code(symbols, table.address, table.size, symbols->content + table.offset);
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
    const GuestSymbol *first = a, *second = b;
    if (first->address != second->address)
        return first->address < second->address ? -1 : 1;
    return strcmp(first->name, second->name);
}

static bool read_content(GuestSymbols *symbols, const char *path, Error *error) {
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

static bool read_elf(GuestSymbols *symbols) {
    const char *content = symbols->content;
    if (symbols->content_size <= ELF_DATA || memcmp(content, "\177ELF", 4) != 0)
        return false;
    unsigned class = (unsigned char)content[ELF_CLASS];
    if ((class != CLASS_32 && class != CLASS_64) || content[ELF_DATA] != LITTLE_ENDIAN_DATA ||
        symbols->content_size < layouts[class].header_bytes)
        return false;
    read_sections(symbols, &layouts[class]);
    return true;
}

/* --- maps --- */

static char *next_word(char **rest) {
    char *word = *rest + strspn(*rest, " \t\r");
    size_t length = strcspn(word, " \t\r");
    *rest = word + length + (word[length] != '\0');
    word[length] = '\0';
    return length > 0 ? word : NULL;
}

/* "c0100000 T startup", "c0100000 00000020 t helper", "0x00100000   start": what names no code is
 * passed over. */
static bool read_map_line(GuestSymbols *symbols, char *line) {
    char *word, *name = NULL, *end, kind = 'T';
    char *first = next_word(&line);
    if (first == NULL || strlen(first) < 4)
        return false;
    uint64_t address = strtoull(first, &end, 16);
    if (*end != '\0')
        return false;
    while ((word = next_word(&line)) != NULL) {
        if (name != NULL && name[0] != '\0' && name[1] == '\0')
            kind = name[0];
        name = word;
    }
    bool names_code = name != NULL && strchr("TtWw", kind) != NULL &&
                      (isalpha((unsigned char)name[0]) || strchr("_.$@?", name[0]) != NULL);
    if (!names_code)
        return false;
    symbols->symbols = allocate_grow(symbols->symbols, &symbols->capacity, symbols->count + 1,
                                     sizeof(*symbols->symbols));
    symbols->symbols[symbols->count++] = (GuestSymbol){.address = address, .name = name};
    return true;
}

/* Pieces of another kind of file could look like a line or two. */
static bool read_map(GuestSymbols *symbols) {
    if (memchr(symbols->content, '\0', symbols->content_size) != NULL)
        return false;
    for (char *line = symbols->content, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        read_map_line(symbols, line);
    }
    return symbols->count > 0;
}

/* From the first function on to the end of the last one's page. */
static void add_code_of_map(GuestSymbols *symbols) {
    uint64_t first = symbols->symbols[0].address;
    uint64_t last = symbols->symbols[symbols->count - 1].address | 0xFFF;
    add_code(symbols, first, last + 1 - first, NULL);
}

bool guest_symbols_read(GuestSymbols *symbols, const char *path, Error *error) {
    *symbols = (GuestSymbols){.symbols = NULL};
    if (!read_content(symbols, path, error)) {
        guest_symbols_free(symbols);
        return false;
    }
    if (!read_elf(symbols) && !read_map(symbols)) {
        guest_symbols_free(symbols);
        return error_set(error,
                         "%s: neither an ELF file of an x86 processor nor a map with addresses "
                         "and names",
                         path);
    }
    if (symbols->count > 0)
        qsort(symbols->symbols, symbols->count, sizeof(*symbols->symbols), compare_symbols);
    if (symbols->code_count == 0 && symbols->count > 0)
        add_code_of_map(symbols);
    return true;
}

void guest_symbols_free(GuestSymbols *symbols) {
    free(symbols->symbols);
    free(symbols->code);
    free(symbols->content);
    *symbols = (GuestSymbols){.symbols = NULL};
}

const GuestSymbol *guest_symbols_find(const GuestSymbols *symbols, uint64_t address) {
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
    const GuestSymbol *symbol = &symbols->symbols[first - 1];
    /* Labels of assembly sources have no size. */
    bool inside = symbol->size == 0 || address - symbol->address < symbol->size;
    return inside ? symbol : NULL;
}

bool guest_symbols_has_code(const GuestSymbols *symbols, uint64_t address) {
    for (size_t i = 0; i < symbols->code_count; i++)
        if (address >= symbols->code[i].address &&
            address - symbols->code[i].address < symbols->code[i].size)
            return true;
    return false;
}

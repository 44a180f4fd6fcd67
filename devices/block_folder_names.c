/* Names of the host as names of FAT and back: long ones as they are, short ones as DOS makes them
 * ("FAT: General Overview of On-Disk Format", "Name Limits and Character Sets"). */
#include "allocate.h"
#include "block_folder.h"
#include "character_codes.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE_BYTES 8
#define EXTENSION_BYTES 3
#define CODE_PAGE_HIGH 0x80
#define DELETED_MARK 0xE5
#define DELETED_STAND_IN 0x05 /* of a name that begins with the mark */
enum { CASE_BASE = 0x08, CASE_EXTENSION = 0x10 };

size_t folder_name_units(const char *name, uint16_t units[FOLDER_NAME_UNITS]) {
    size_t length = strlen(name), count = 0;
    if (length == 0 || name[length - 1] == '.' || name[length - 1] == ' ')
        return 0;
    for (size_t at = 0, used; at < length; at += used) {
        uint32_t character = utf8_decode((const uint8_t *)name + at, length - at, &used);
        if (character < ' ' || character == 0x7F || character == REPLACEMENT_CHARACTER ||
            (character < 0x80 && strchr("\"*/:<>?\\|", (int)character) != NULL) ||
            count + 2 > FOLDER_NAME_UNITS)
            return 0;
        if (character > 0xFFFF) {
            units[count++] = (uint16_t)(0xD800 | (character - 0x10000) >> 10);
            character = 0xDC00 | (character & 0x3FF);
        }
        units[count++] = (uint16_t)character;
    }
    return count;
}

bool folder_name_is_safe(const char *name) {
    uint16_t units[FOLDER_NAME_UNITS];
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strncmp(name, ".reprise-", 9) != 0 && strlen(name) <= 255 &&
           folder_name_units(name, units) > 0;
}

bool folder_name_from_units(const uint16_t *units, size_t count, char name[FOLDER_NAME_BYTES]) {
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t character = units[i];
        if ((character & 0xFC00) == 0xD800 && i + 1 < count && (units[i + 1] & 0xFC00) == 0xDC00)
            character = 0x10000 + ((character & 0x3FF) << 10 | (units[++i] & 0x3FF));
        else if ((character & 0xF800) == 0xD800)
            return false;
        if (character == 0)
            return false;
        at += utf8_encode(character, (uint8_t *)name + at);
    }
    name[at] = '\0';
    return folder_name_is_safe(name);
}

static size_t add_short_part(const uint8_t *part, size_t size, bool lower, char *name) {
    size_t at = 0;
    while (size > 0 && part[size - 1] == ' ')
        size--;
    for (size_t i = 0; i < size; i++) {
        uint32_t character = part[i] < CODE_PAGE_HIGH ? part[i] : code_page_437[part[i]];
        if (lower && character >= 'A' && character <= 'Z')
            character += 'a' - 'A';
        at += utf8_encode(character, (uint8_t *)name + at);
    }
    return at;
}

bool folder_name_from_short(const uint8_t *slot, char name[FOLDER_NAME_BYTES]) {
    uint8_t bytes[FOLDER_SHORT_BYTES];
    memcpy(bytes, slot, sizeof(bytes));
    if (bytes[0] == DELETED_STAND_IN)
        bytes[0] = DELETED_MARK;
    size_t at = add_short_part(bytes, BASE_BYTES, (slot[SLOT_CASE] & CASE_BASE) != 0, name);
    if (bytes[BASE_BYTES] != ' ') {
        name[at++] = '.';
        at += add_short_part(bytes + BASE_BYTES, EXTENSION_BYTES,
                             (slot[SLOT_CASE] & CASE_EXTENSION) != 0, name + at);
    }
    name[at] = '\0';
    return folder_name_is_safe(name);
}

uint8_t folder_short_checksum(const uint8_t *short_name) {
    uint8_t sum = 0;
    for (int i = 0; i < FOLDER_SHORT_BYTES; i++)
        sum = (uint8_t)((sum >> 1 | sum << 7) + short_name[i]);
    return sum;
}

unsigned folder_slot_count(const FolderEntry *entry) {
    uint16_t units[FOLDER_NAME_UNITS];
    if (!entry->has_long_name)
        return 1;
    return 1 + ((unsigned)folder_name_units(entry->name, units) + 12) / 13;
}

/* Names that DOS takes for devices, whatever the extension. */
static bool is_device(const uint8_t *short_name) {
    static const char *const devices[] = {
        "CON     ", "PRN     ", "AUX     ", "NUL     ", "CLOCK$  ", "COM1    ", "COM2    ",
        "COM3    ", "COM4    ", "LPT1    ", "LPT2    ", "LPT3    ", "LPT4    "};
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        if (memcmp(short_name, devices[i], BASE_BYTES) == 0)
            return true;
    return false;
}

/* Copies what may stand in a short name; false: something had to be changed or left out. */
static bool copy_part(const char *from, const char *end, uint8_t *to, size_t room, bool *changed) {
    size_t count = 0;
    bool exact = true;
    for (; from < end; from++) {
        unsigned char byte = (unsigned char)*from;
        if (byte == ' ' || byte == '.') {
            exact = false;
            continue;
        }
        if (byte >= CODE_PAGE_HIGH && (byte & 0xC0) == 0x80)
            continue; /* the rest of a character of UTF-8 */
        if (byte >= CODE_PAGE_HIGH || strchr("+,;=[]", byte) != NULL) {
            byte = '_';
            exact = false;
        }
        if (islower(byte))
            *changed = true;
        if (count == room) {
            exact = false;
            break;
        }
        to[count++] = (uint8_t)toupper(byte);
    }
    return exact;
}

/* The short name without a number; false: it needs one. */
static bool make_basis(FolderEntry *entry) {
    const char *start = entry->name + strspn(entry->name, ". ");
    const char *end = entry->name + strlen(entry->name), *dot = strrchr(start, '.');
    bool changed = false;
    memset(entry->short_name, ' ', FOLDER_SHORT_BYTES);
    bool exact = copy_part(start, dot != NULL ? dot : end, entry->short_name, BASE_BYTES, &changed);
    if (dot != NULL)
        exact =
            copy_part(dot + 1, end, entry->short_name + BASE_BYTES, EXTENSION_BYTES, &changed) &&
            exact;
    if (entry->short_name[0] == ' ') {
        entry->short_name[0] = '_';
        exact = false;
    }
    exact = exact && start == entry->name && !is_device(entry->short_name);
    entry->has_long_name = changed || !exact;
    return exact;
}

/* Short names of one folder that are taken: an open hash table. */
typedef struct NameSet {
    uint32_t *places; /* 1 + number of the entry */
    size_t mask;
} NameSet;

/* Enters the name; false: it is taken. */
static bool take_name(const Folder *folder, NameSet *set, uint32_t index) {
    const uint8_t *name = folder->entries[index].short_name;
    uint32_t hash = 2166136261u;
    for (int i = 0; i < FOLDER_SHORT_BYTES; i++)
        hash = (hash ^ name[i]) * 16777619u;
    size_t place = hash & set->mask;
    for (; set->places[place] != 0; place = (place + 1) & set->mask)
        if (memcmp(folder->entries[set->places[place] - 1].short_name, name, FOLDER_SHORT_BYTES) ==
            0)
            return false;
    set->places[place] = index + 1;
    return true;
}

static void set_tail(FolderEntry *entry, const uint8_t *basis, unsigned basis_bytes,
                     unsigned number) {
    char tail[12];
    size_t length = (size_t)snprintf(tail, sizeof(tail), "~%u", number);
    size_t at = 0;
    memcpy(entry->short_name, basis, FOLDER_SHORT_BYTES);
    memset(entry->short_name, ' ', BASE_BYTES);
    while (at < basis_bytes && at < BASE_BYTES - length && basis[at] != ' ') {
        entry->short_name[at] = basis[at];
        at++;
    }
    memcpy(entry->short_name + at, tail, length);
}

/* The first names of a kind get numbers, those after them a hash of the long name as well: else a
 * folder of thousands of like names would take long. */
static void number_name(Folder *folder, NameSet *set, uint32_t index) {
    FolderEntry *entry = &folder->entries[index];
    uint8_t basis[FOLDER_SHORT_BYTES];
    uint32_t hash = 2166136261u;
    char digits[5];
    memcpy(basis, entry->short_name, sizeof(basis));
    for (unsigned number = 1; number <= 4; number++) {
        set_tail(entry, basis, BASE_BYTES, number);
        if (take_name(folder, set, index))
            return;
    }
    for (const char *at = entry->name; *at != '\0'; at++)
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    snprintf(digits, sizeof(digits), "%04X", (unsigned)(hash & 0xFFFF));
    unsigned kept = basis[1] == ' ' ? 1 : 2;
    memset(basis + kept, ' ', BASE_BYTES - kept);
    memcpy(basis + kept, digits, 4);
    for (unsigned number = 1;; number++) {
        set_tail(entry, basis, kept + 4, number);
        if (take_name(folder, set, index))
            return;
    }
}

void folder_name_children(Folder *folder, uint32_t parent) {
    uint32_t first = folder->entries[parent].first_child;
    uint32_t count = folder->entries[parent].child_count;
    NameSet set = {.mask = 15};
    while (set.mask < 2 * (size_t)count)
        set.mask = set.mask * 2 + 1;
    set.places = allocate_zeroed((set.mask + 1) * sizeof(*set.places));
    uint8_t *numbered = allocate_zeroed(count + 1);
    for (uint32_t i = 0; i < count; i++)
        numbered[i] =
            !make_basis(&folder->entries[first + i]) || !take_name(folder, &set, first + i);
    for (uint32_t i = 0; i < count; i++) {
        if (numbered[i] == 0)
            continue;
        folder->entries[first + i].has_long_name = true;
        number_name(folder, &set, first + i);
    }
    free(numbered);
    free(set.places);
}

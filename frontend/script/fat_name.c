#include "fat_name.h"
#include "character_codes.h"
#include <stdio.h>
#include <string.h>

#define BASE_BYTES 8
#define EXTENSION_BYTES 3

/* E5h at the start marks a free entry; a name that begins with it is stored with 05h. */
#define STORED_E5 0x05

static bool is_lower(char character) {
    return character >= 'a' && character <= 'z';
}

static bool is_upper(char character) {
    return character >= 'A' && character <= 'Z';
}

static char to_upper(char character) {
    return is_lower(character) ? (char)(character - 'a' + 'A') : character;
}

static char to_lower(char character) {
    return is_upper(character) ? (char)(character - 'A' + 'a') : character;
}

/* Microsoft, 'Directory Structure' and 'Long File Name Implementation': what names may hold. */
static bool fits_long(uint32_t character) {
    return character >= ' ' && character != 0x7F &&
           (character > 0x7F || strchr("\"*/:<>?\\|", (int)character) == NULL);
}

static bool fits_short(uint32_t character) {
    return character > ' ' && character < 0x7F && fits_long(character) &&
           strchr("+,.;=[]", (int)character) == NULL;
}

/* --- short names -------------------------------------------------------------------------------
 */

/* Copies a part that may stand in a short name as it is, in one case; false if it may not. */
static bool copy_part(uint8_t *part, size_t room, const char *text, size_t size, bool *lower) {
    bool has_lower = false, has_upper = false;
    for (size_t i = 0; i < size; i++) {
        if (i == room || !fits_short((uint8_t)text[i]))
            return false;
        has_lower |= is_lower(text[i]);
        has_upper |= is_upper(text[i]);
        part[i] = (uint8_t)to_upper(text[i]);
    }
    *lower = has_lower;
    return !(has_lower && has_upper);
}

static bool make_exact_short_name(const char *text, size_t size, FatName *name) {
    const char *dot = memchr(text, '.', size);
    size_t base = dot != NULL ? (size_t)(dot - text) : size;
    size_t extension = dot != NULL ? size - base - 1 : 0;
    bool lower_base, lower_extension;
    memset(name->short_name, ' ', sizeof(name->short_name));
    if (base == 0 || (dot != NULL && extension == 0) ||
        !copy_part(name->short_name, BASE_BYTES, text, base, &lower_base) ||
        !copy_part(name->short_name + BASE_BYTES, EXTENSION_BYTES, text + base + 1, extension,
                   &lower_extension))
        return false;
    name->case_flags =
        (uint8_t)((lower_base ? FAT_LOWER_BASE : 0) | (lower_extension ? FAT_LOWER_EXTENSION : 0));
    return true;
}

static size_t shorten_part(uint8_t *part, size_t room, const uint16_t *units, size_t count) {
    size_t used = 0;
    for (size_t i = 0; i < count && used < room; i++)
        if (units[i] != ' ' && units[i] != '.')
            part[used++] = fits_short(units[i]) ? (uint8_t)to_upper((char)units[i]) : '_';
    return used;
}

void fat_name_shorten(FatName *name, unsigned number) {
    char tail[BASE_BYTES];
    size_t dot = name->unit_count;
    for (size_t i = 1; i < name->unit_count; i++)
        if (name->units[i] == '.')
            dot = i;
    memset(name->short_name, ' ', sizeof(name->short_name));
    name->case_flags = 0;
    size_t used = shorten_part(name->short_name, BASE_BYTES, name->units, dot);
    shorten_part(name->short_name + BASE_BYTES, EXTENSION_BYTES, name->units + dot,
                 name->unit_count - dot);
    size_t tail_size = (size_t)snprintf(tail, sizeof(tail), "~%u", number % 1000000);
    if (used > BASE_BYTES - tail_size)
        used = BASE_BYTES - tail_size;
    memcpy(name->short_name + used, tail, tail_size);
    memset(name->short_name + used + tail_size, ' ', BASE_BYTES - used - tail_size);
}

uint8_t fat_name_checksum(const uint8_t short_name[FAT_SHORT_NAME_BYTES]) {
    uint8_t sum = 0;
    for (int i = 0; i < FAT_SHORT_NAME_BYTES; i++)
        sum = (uint8_t)((sum >> 1 | sum << 7) + short_name[i]);
    return sum;
}

static char *print_part(char *text, const uint8_t *part, size_t size, bool lower) {
    while (size > 0 && part[size - 1] == ' ')
        size--;
    for (size_t i = 0; i < size; i++) {
        uint16_t character = code_page_437[part[i]];
        if (lower && character < 0x80)
            character = (uint8_t)to_lower((char)character);
        text += utf8_encode(character, (uint8_t *)text);
    }
    return text;
}

void fat_name_print_short(const uint8_t short_name[FAT_SHORT_NAME_BYTES], uint8_t case_flags,
                          char *text) {
    uint8_t stored[FAT_SHORT_NAME_BYTES];
    memcpy(stored, short_name, sizeof(stored));
    if (stored[0] == STORED_E5)
        stored[0] = 0xE5;
    text = print_part(text, stored, BASE_BYTES, case_flags & FAT_LOWER_BASE);
    char *dot = text;
    *text++ = '.';
    text = print_part(text, stored + BASE_BYTES, EXTENSION_BYTES, case_flags & FAT_LOWER_EXTENSION);
    *(text == dot + 1 ? dot : text) = '\0';
}

/* --- long names --------------------------------------------------------------------------------
 */

static bool add_unit(FatName *name, uint32_t unit) {
    if (name->unit_count == FAT_LONG_NAME_UNITS)
        return false;
    name->units[name->unit_count++] = (uint16_t)unit;
    return true;
}

static bool add_character(FatName *name, uint32_t character) {
    if (character < 0x10000)
        return add_unit(name, character);
    character -= 0x10000;
    return add_unit(name, 0xD800 | character >> 10) && add_unit(name, 0xDC00 | (character & 0x3FF));
}

static bool check(const char *text, size_t size, Error *error) {
    if (size == 0 || text[size - 1] == '.' || text[size - 1] == ' ')
        return error_set(error,
                         "no file can be called '%.*s': a name ends neither in a dot nor in a "
                         "space",
                         (int)size, text);
    for (size_t i = 0; i < size; i++)
        if (!fits_long((uint8_t)text[i]))
            return error_set(error, "no file can be called '%.*s': byte %02Xh is not allowed",
                             (int)size, text, (unsigned)(uint8_t)text[i]);
    return true;
}

bool fat_name_parse(const char *text, size_t size, FatName *name, Error *error) {
    *name = (FatName){.unit_count = 0};
    if (!check(text, size, error))
        return false;
    if (make_exact_short_name(text, size, name))
        return true;
    name->case_flags = 0;
    for (size_t position = 0, used; position < size; position += used) {
        uint32_t character = utf8_decode((const uint8_t *)text + position, size - position, &used);
        if (!add_character(name, character))
            return error_set(error, "the name '%.32s...' is longer than %d characters", text,
                             FAT_LONG_NAME_UNITS);
    }
    return true;
}

void fat_name_print_long(const uint16_t *units, size_t count, char *text) {
    for (size_t i = 0; i < count; i++) {
        uint32_t character = units[i];
        bool high = (character & 0xFC00) == 0xD800;
        if (high && i + 1 < count && (units[i + 1] & 0xFC00) == 0xDC00)
            character = 0x10000 + ((character & 0x3FF) << 10 | (units[++i] & 0x3FF));
        else if ((character & 0xF800) == 0xD800)
            character = REPLACEMENT_CHARACTER;
        text += utf8_encode(character, (uint8_t *)text);
    }
    *text = '\0';
}

bool fat_name_is_equal(const char *a, const char *b, size_t b_size) {
    if (strlen(a) != b_size)
        return false;
    for (size_t i = 0; i < b_size; i++)
        if (to_upper(a[i]) != to_upper(b[i]))
            return false;
    return true;
}

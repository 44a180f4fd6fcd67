/* Names of files: eight and three characters, and the long ones beside them. */
#ifndef REPRISE_FAT_NAME_H
#define REPRISE_FAT_NAME_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAT_SHORT_NAME_BYTES 11
#define FAT_LONG_NAME_UNITS 255 /* of UTF-16 */
#define FAT_NAME_TEXT_BYTES (FAT_LONG_NAME_UNITS * 3 + 1)

/* Windows NT's flags for names of one case that then need no long name. */
enum { FAT_LOWER_BASE = 0x08, FAT_LOWER_EXTENSION = 0x10 };

typedef struct FatName {
    uint8_t short_name[FAT_SHORT_NAME_BYTES];
    uint8_t case_flags;
    uint16_t unit_count; /* of the long name; 0: the short one says it all */
    uint16_t units[FAT_LONG_NAME_UNITS];
} FatName;

/* Makes both names of one component of a path in UTF-8. Where a long name is needed, the short one
 * is yet to be made by fat_name_shorten(). False: no file may be called so. */
bool fat_name_parse(const char *text, size_t size, FatName *name, Error *error);

/* Makes the short name that goes with the long one and ends in "~number". */
void fat_name_shorten(FatName *name, unsigned number);

/* A short name as text, and a long one. 'text' has room for FAT_NAME_TEXT_BYTES. */
void fat_name_print_short(const uint8_t short_name[FAT_SHORT_NAME_BYTES], uint8_t case_flags,
                          char *text);
void fat_name_print_long(const uint16_t *units, size_t count, char *text);

/* What ties a long name to its short one. */
uint8_t fat_name_checksum(const uint8_t short_name[FAT_SHORT_NAME_BYTES]);

/* Whether they are the same but for the case of letters. */
bool fat_name_is_equal(const char *a, const char *b, size_t b_size);

#endif

/* What character codes mean: code page 437, that of IBM's adapters, and UTF-8. */
#ifndef REPRISE_CHARACTER_CODES_H
#define REPRISE_CHARACTER_CODES_H

#include <stddef.h>
#include <stdint.h>

/* What a reader gives for bytes or pixels that are no character. */
#define REPLACEMENT_CHARACTER 0xFFFDu

enum { UTF8_BYTES_MAXIMUM = 4 };

/* The characters of the font in IBM's adapters; 00h and FFh look like spaces. */
extern const uint16_t code_page_437[256];

/* UTF-8 of a character, at most UTF8_BYTES_MAXIMUM bytes. Returns how many. */
size_t utf8_encode(uint32_t character, uint8_t *bytes);
/* The character at the start of 'size' > 0 bytes; '*used' bytes of them. REPLACEMENT_CHARACTER, and
 * one byte used, where they are no UTF-8. */
uint32_t utf8_decode(const uint8_t *bytes, size_t size, size_t *used);

#endif

/* Which bytes of a page were translated: so that a store beside them costs little.
 *
 * The record of a page is made when it is translated from for the first time, and stays as long as
 * the map: marked entries of TLBs point to it (tlb.h). */
#ifndef REPRISE_CODE_BYTES_H
#define REPRISE_CODE_BYTES_H

#include <stdbool.h>
#include <stdint.h>

enum { CODE_BYTES_WORDS = 64 };

/* Translated code reads 'host' and 'held'. */
typedef struct CodeBytes {
    uint8_t *host;                   /* where stores to the page go, if an entry points here */
    uint64_t held[CODE_BYTES_WORDS]; /* a bit for each byte: does a translation hold it? */
    uint64_t beyond;                 /* read together with the last ones; always 0 */
    /* A bit for each byte: was it stored into while a translation held it, once, and again? */
    uint64_t stored[2][CODE_BYTES_WORDS];
    uint32_t emptied; /* how often the page lost the last of its translations by a store */
    uint32_t deaths;  /* how many translations of the page died by stores */
    uint32_t retired, revived, dropped; /* of those: kept for later, taken back then, not kept */
} CodeBytes;

/* The bits of [offset, offset + size) in the word of 64 that holds the first, or all from there on.
 */
static inline uint64_t code_bytes_first_bits(uint32_t offset, uint32_t size) {
    uint64_t bits = size < 64 ? (UINT64_C(1) << size) - 1 : UINT64_MAX;
    return bits << (offset & 63);
}

/* Is any byte of [offset, offset + size) held? */
static inline bool code_bytes_hold(const CodeBytes *code, uint32_t offset, uint32_t size) {
    uint64_t any = 0;
    for (uint32_t end = offset + size; offset < end; offset = (offset | 63) + 1)
        any |= code->held[offset / 64] & code_bytes_first_bits(offset, end - offset);
    return any != 0;
}

static inline void code_bytes_mark(CodeBytes *code, uint32_t offset, uint32_t size) {
    for (uint32_t end = offset + size; offset < end; offset = (offset | 63) + 1)
        code->held[offset / 64] |= code_bytes_first_bits(offset, end - offset);
}

static inline void code_bytes_clear(CodeBytes *code, uint32_t offset, uint32_t size) {
    for (uint32_t end = offset + size; offset < end; offset = (offset | 63) + 1)
        code->held[offset / 64] &= ~code_bytes_first_bits(offset, end - offset);
}

/* A store there made a translation die. */
static inline void code_bytes_note_store(CodeBytes *code, uint32_t offset, uint32_t size) {
    for (uint32_t end = offset + size; offset < end; offset = (offset | 63) + 1) {
        uint64_t bits = code_bytes_first_bits(offset, end - offset);
        code->stored[1][offset / 64] |= code->stored[0][offset / 64] & bits;
        code->stored[0][offset / 64] |= bits;
    }
}

/* The page has another use from now on. */
static inline void code_bytes_forget_history(CodeBytes *code) {
    for (unsigned i = 0; i < CODE_BYTES_WORDS; i++)
        code->stored[0][i] = code->stored[1][i] = 0;
    code->emptied = code->deaths = code->retired = code->revived = code->dropped = 0;
}

/* Has that happened to one of these bytes more than once? */
static inline bool code_bytes_are_stored(const CodeBytes *code, uint32_t offset, uint32_t size) {
    uint64_t any = 0;
    for (uint32_t end = offset + size; offset < end; offset = (offset | 63) + 1)
        any |= code->stored[1][offset / 64] & code_bytes_first_bits(offset, end - offset);
    return any != 0;
}

/* From where on that has happened to no byte of the page. */
static inline uint32_t code_bytes_stored_end(const CodeBytes *code) {
    for (unsigned i = CODE_BYTES_WORDS; i-- > 0;)
        if (code->stored[1][i] != 0)
            return i * 64 + 64 - (uint32_t)__builtin_clzll(code->stored[1][i]);
    return 0;
}

#endif

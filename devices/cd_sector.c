/* The error detection and correction of a CD's data sector. */
#include "cd_sector.h"
#include "little_endian.h"
#include <stddef.h>
#include <string.h>

#define DETECTION_POLYNOMIAL 0xD8018001u /* (x16+x15+x2+1)(x16+x2+x+1), bits reversed */
#define FIELD_POLYNOMIAL 0x11D           /* x8+x4+x3+x2+1 */
#define ONE_BY_THREE 0xF4                /* in that field */

/* The words that are protected stand in 24 rows of 43. P protects columns and adds two rows; Q
 * protects the diagonals of all 26 rows. */
enum { P_COLUMNS = 43, P_ROWS = 24, Q_DIAGONALS = 26, Q_LENGTH = 43, P_WORDS = 1118 };
enum { P_FIRST = P_COLUMNS * P_ROWS, Q_FIRST = P_WORDS };

void cd_store_msf(uint8_t *data, uint32_t lba) {
    uint32_t frames = lba + CD_FRAMES_BEFORE_FIRST;
    data[0] = (uint8_t)(frames / 75 / 60);
    data[1] = (uint8_t)(frames / 75 % 60);
    data[2] = (uint8_t)(frames % 75);
}

static uint32_t detection_code(const uint8_t *data, size_t size) {
    uint32_t code = 0;
    for (size_t i = 0; i < size; i++) {
        code ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            code = code >> 1 ^ (code & 1 ? DETECTION_POLYNOMIAL : 0);
    }
    return code;
}

static uint8_t times_two(uint8_t value) {
    return (uint8_t)(value << 1 ^ (value & 0x80 ? FIELD_POLYNOMIAL : 0));
}

static uint8_t multiply(uint8_t a, uint8_t b) {
    uint8_t product = 0;
    for (; b != 0; b >>= 1) {
        if (b & 1)
            product ^= a;
        a = times_two(a);
    }
    return product;
}

/* A code word of the Reed-Solomon code: data and two parity symbols, whose sum is zero, and whose
 * sum with falling powers of two is as well. */
typedef struct CodeWord {
    uint8_t sum, weighted;
} CodeWord;

static void add_symbol(CodeWord *word, uint8_t symbol) {
    word->sum ^= symbol;
    word->weighted = times_two(word->weighted) ^ symbol;
}

static void store_parity(const CodeWord *word, uint8_t *first, uint8_t *second) {
    uint8_t weighted = times_two(times_two(word->weighted));
    *first = multiply(word->sum ^ weighted, ONE_BY_THREE);
    *second = word->sum ^ *first;
}

/* Low and high bytes of the words are protected apart from each other: 'bytes' are every other. */
static void store_correction(uint8_t *bytes) {
    for (unsigned column = 0; column < P_COLUMNS; column++) {
        CodeWord word = {0};
        for (unsigned row = 0; row < P_ROWS; row++)
            add_symbol(&word, bytes[2 * (column + P_COLUMNS * row)]);
        store_parity(&word, &bytes[2 * (P_FIRST + column)],
                     &bytes[2 * (P_FIRST + P_COLUMNS + column)]);
    }
    for (unsigned diagonal = 0; diagonal < Q_DIAGONALS; diagonal++) {
        CodeWord word = {0};
        for (unsigned i = 0; i < Q_LENGTH; i++)
            add_symbol(&word, bytes[2 * ((44 * i + 43 * diagonal) % P_WORDS)]);
        store_parity(&word, &bytes[2 * (Q_FIRST + diagonal)],
                     &bytes[2 * (Q_FIRST + Q_DIAGONALS + diagonal)]);
    }
}

void cd_sector_complete(uint8_t sector[CD_RAW_SECTOR_BYTES], uint32_t lba) {
    memset(sector, 0, CD_DATA_AT);
    memset(sector + 1, 0xFF, 10);
    cd_store_msf(sector + CD_HEADER_AT, lba);
    for (unsigned i = CD_HEADER_AT; i < CD_HEADER_AT + 3; i++) /* in BCD here */
        sector[i] = (uint8_t)(sector[i] / 10 << 4 | sector[i] % 10);
    sector[15] = 1;
    memset(sector + CD_CORRECTION_AT, 0, CD_RAW_SECTOR_BYTES - CD_CORRECTION_AT);
    store_le32(sector + CD_CORRECTION_AT, detection_code(sector, CD_CORRECTION_AT));
    store_correction(sector + CD_HEADER_AT);
    store_correction(sector + CD_HEADER_AT + 1);
}

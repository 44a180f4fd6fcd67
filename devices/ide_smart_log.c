/* The logs of a disk: which there are, its errors and its self-tests, each in the short form that
 * SMART reads and in the long one of READ LOG EXT (ATA/ATAPI-7 volume 1, 6.51.6 and annex A). */
#include "ide_internal.h"
#include "little_endian.h"
#include <string.h>

enum {
    LOG_DIRECTORY = 0x00,
    LOG_ERRORS = 0x01,
    LOG_ERRORS_LONG = 0x03,
    LOG_TESTS = 0x06,
    LOG_TESTS_LONG = 0x07,
};

#define COMMANDS_PER_ERROR 5 /* the last of them is the one that failed */
#define ERRORS_LONG 4        /* that fit into a sector */
#define TESTS_LONG 19
#define STATE_ACTIVE 0x03 /* of the drive, when an error came: it did a command */

/* Where what is in a row of the log of errors. */
typedef struct ErrorLayout {
    uint32_t first, row_bytes, rows, count_at;
    uint32_t command_bytes;
    bool is_long;
} ErrorLayout;

static const ErrorLayout errors_short = {2, 90, SMART_ERRORS, 452, 12, false};
static const ErrorLayout errors_long = {4, 124, ERRORS_LONG, 500, 18, true};

void ide_smart_log_error(IdeDrive *drive, uint64_t lba, uint8_t error, uint8_t status) {
    IdeDriveState *state = drive->state;
    SmartState *smart = &state->smart_state;
    smart->error_log[smart->errors % SMART_ERRORS] = (SmartErrorState){
        .time_ns = clock_now_ns(drive->channel->clock),
        .lba = lba,
        .given_lba = state->given_lba,
        .given_count = (uint16_t)state->given_count,
        .count = (uint16_t)state->sectors_left,
        .features = state->features[0],
        .device = state->device,
        .command = state->command,
        .error = error,
        .status = status,
    };
    smart->errors++;
}

/* The three bytes of an address; in the long form each is followed by its high-order byte. */
static uint8_t *put_address(uint8_t *at, uint64_t lba, bool is_long) {
    for (unsigned i = 0; i < 3; i++) {
        *at++ = (uint8_t)(lba >> 8 * i);
        if (is_long)
            *at++ = (uint8_t)(lba >> (24 + 8 * i));
    }
    return at;
}

static uint8_t *put_count(uint8_t *at, uint16_t count, bool is_long) {
    *at++ = (uint8_t)count;
    if (is_long)
        *at++ = (uint8_t)(count >> 8);
    return at;
}

static void put_command(uint8_t *at, const SmartErrorState *error, bool is_long) {
    *at++ = 0; /* device control */
    *at++ = error->features;
    if (is_long)
        *at++ = 0;
    at = put_count(at, error->given_count, is_long);
    at = put_address(at, error->given_lba, is_long);
    *at++ = error->device;
    *at++ = error->command;
    if (is_long)
        *at++ = 0;
    store_le32(at, (uint32_t)(error->time_ns / 1000000));
}

static void put_error(uint8_t *at, const SmartErrorState *error, bool is_long) {
    *at++ = 0;
    *at++ = error->error;
    at = put_count(at, error->count, is_long);
    at = put_address(at, error->lba, is_long);
    *at++ = error->device;
    *at++ = error->status;
    at += 19; /* the maker's */
    *at++ = STATE_ACTIVE;
    store_le16(at, (uint16_t)(error->time_ns / 3600000000000));
}

/* The newest row stands at the index that the head names; 0: there is none. */
static uint32_t newest_index(uint32_t count, uint32_t rows) {
    return count == 0 ? 0 : (count - 1) % rows + 1;
}

static void fill_errors(const SmartState *smart, const ErrorLayout *layout, uint8_t *data) {
    data[0] = 1; /* version */
    uint32_t index = newest_index(smart->errors, layout->rows);
    if (layout->is_long)
        store_le16(data + 2, (uint16_t)index);
    else
        data[1] = (uint8_t)index;
    for (uint32_t age = 0; age < layout->rows && age < smart->errors; age++) {
        uint32_t number = smart->errors - 1 - age;
        const SmartErrorState *error = &smart->error_log[number % SMART_ERRORS];
        uint8_t *row = data + layout->first + number % layout->rows * layout->row_bytes;
        uint32_t commands_bytes = COMMANDS_PER_ERROR * layout->command_bytes;
        put_command(row + commands_bytes - layout->command_bytes, error, layout->is_long);
        put_error(row + commands_bytes, error, layout->is_long);
    }
    store_le16(data + layout->count_at,
               (uint16_t)(smart->errors < UINT16_MAX ? smart->errors : UINT16_MAX));
}

static void put_test(uint8_t *at, const SmartTestState *test, bool is_long) {
    at[0] = test->kind;
    at[1] = test->status;
    store_le16(at + 2, test->hours);
    if (!is_long)
        store_le32(at + 5, (uint32_t)test->lba);
    for (unsigned i = 0; is_long && i < 6; i++)
        at[5 + i] = (uint8_t)(test->lba >> 8 * i);
}

static void fill_tests(const SmartState *smart, bool is_long, uint8_t *data) {
    uint32_t rows = is_long ? TESTS_LONG : SMART_TESTS, row_bytes = is_long ? 26 : 24;
    uint32_t index = newest_index(smart->tests, rows);
    data[0] = 1;
    if (is_long)
        store_le16(data + 2, (uint16_t)index);
    else
        data[508] = (uint8_t)index;
    for (uint32_t age = 0; age < rows && age < smart->tests; age++) {
        uint32_t number = smart->tests - 1 - age;
        put_test(data + (is_long ? 4 : 2) + number % rows * row_bytes,
                 &smart->test_log[number % SMART_TESTS], is_long);
    }
}

/* Which logs there are, one sector each. */
static void fill_directory(uint8_t *data) {
    static const uint8_t logs[] = {LOG_ERRORS, LOG_ERRORS_LONG, LOG_TESTS, LOG_TESTS_LONG};
    store_le16(data, 1);
    for (size_t i = 0; i < sizeof(logs); i++)
        store_le16(data + logs[i] * 2, 1);
}

static bool fill_log(const IdeDrive *drive, uint8_t log, uint8_t *data) {
    const SmartState *smart = &drive->state->smart_state;
    bool is_long = drive->state->extended;
    memset(data, 0, IDE_SECTOR_BYTES);
    if (log == LOG_DIRECTORY) {
        fill_directory(data);
        return true; /* the only one without a checksum */
    }
    if (log == (is_long ? LOG_ERRORS_LONG : LOG_ERRORS))
        fill_errors(smart, is_long ? &errors_long : &errors_short, data);
    else if (log == (is_long ? LOG_TESTS_LONG : LOG_TESTS))
        fill_tests(smart, is_long, data);
    else
        return false;
    ide_store_checksum(data);
    return true;
}

void ide_smart_read_log(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    bool is_one = state->count[0] == 1 && (!state->extended || state->count[1] == 0);
    bool is_first = !state->extended || (state->lba_mid[0] == 0 && state->lba_mid[1] == 0);
    if (!is_one || !is_first || !fill_log(drive, state->lba_low[0], state->buffer))
        ide_finish_later(drive, ERROR_ABORTED);
    else
        ide_disk_send_sector(drive);
}

void ide_smart_read_log_extended(IdeDrive *drive, unsigned flags) {
    (void)flags;
    ide_smart_catch_up(drive);
    ide_smart_read_log(drive);
}

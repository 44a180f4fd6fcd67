/* SMART of a disk: its attributes, which are those of a healthy drive, off-line work and self-tests
 * (ATA/ATAPI-7 volume 1, 6.51 to 6.54). What the logs hold is in ide_smart_log.c.
 *
 * A self-test takes guest time, but no event of its own: whoever asks is told how far it is. */
#include "ide_internal.h"
#include "little_endian.h"
#include <string.h>

enum { KEY_MID = 0x4F, KEY_HIGH = 0xC2, FAILED_MID = 0xF4, FAILED_HIGH = 0x2C };

/* SMART subcommands, in the features register. */
enum {
    SMART_READ_DATA = 0xD0,
    SMART_READ_THRESHOLDS = 0xD1,
    SMART_AUTOSAVE = 0xD2,
    SMART_SAVE_ATTRIBUTES = 0xD3,
    SMART_EXECUTE_OFFLINE = 0xD4,
    SMART_READ_LOG = 0xD5,
    SMART_ENABLE = 0xD8,
    SMART_DISABLE = 0xD9,
    SMART_RETURN_STATUS = 0xDA,
};
#define AUTOSAVE_ENABLED 0xF1

/* What is to be executed off-line, in the low byte of the address. */
enum {
    OFFLINE_COLLECT = 0x00,
    OFFLINE_SHORT_TEST = 0x01,
    OFFLINE_EXTENDED_TEST = 0x02,
    OFFLINE_ABORT = 0x7F,
    OFFLINE_CAPTIVE = 0x80,
};
#define OFFLINE_COMPLETED 0x02

/* How a self-test ended, or that it runs. */
enum { TEST_PASSED = 0, TEST_ABORTED = 1, TEST_RESET = 2, TEST_READ_FAILED = 7, TEST_RUNS = 15 };

#define SHORT_TEST_NS 30000000000
#define EXTENDED_TEST_NS 90000000000
#define SHORT_TEST_MINUTES 1 /* after which the host shall look */
#define EXTENDED_TEST_MINUTES 2
#define TEST_SAMPLES 64 /* sectors that a short test reads; an extended one some more */
#define HOUR_NS 3600000000000

#define ATTRIBUTES_AT 2
#define ATTRIBUTE_BYTES 12

typedef struct Attribute {
    uint8_t id, flags, threshold;
    uint32_t raw;
} Attribute;

enum { ATTRIBUTE_HOURS = 9, ATTRIBUTE_UNCORRECTABLE = 187 };

/* Flags: 1 foretells failures, 2 is collected on-line too, 4 performance, 8 error rate, 10h counts
 * events, 20h is saved by the drive. */
static const Attribute attributes[] = {
    {1, 0x0F, 6, 0},    /* read error rate */
    {3, 0x03, 0, 0},    /* spin-up time */
    {4, 0x32, 20, 1},   /* starts and stops */
    {5, 0x33, 36, 0},   /* reallocated sectors */
    {7, 0x0F, 30, 0},   /* seek error rate */
    {9, 0x32, 0, 0},    /* hours with power */
    {12, 0x32, 20, 1},  /* power cycles */
    {187, 0x32, 0, 0},  /* uncorrectable errors told */
    {194, 0x22, 0, 31}, /* degrees Celsius */
    {197, 0x12, 0, 0},  /* sectors that wait for reallocation */
    {198, 0x10, 0, 0},  /* of them found off-line */
    {199, 0x3E, 0, 0},  /* errors on the cable */
};
#define ATTRIBUTE_COUNT (sizeof(attributes) / sizeof(attributes[0]))

uint16_t ide_smart_hours(const IdeDrive *drive) {
    return (uint16_t)(clock_now_ns(drive->channel->clock) / HOUR_NS);
}

static void log_test(IdeDrive *drive, uint8_t result, uint64_t lba) {
    SmartState *smart = &drive->state->smart_state;
    smart->test_log[smart->tests % SMART_TESTS] = (SmartTestState){
        .lba = lba,
        .hours = ide_smart_hours(drive),
        .kind = smart->test_kind,
        .status = (uint8_t)(result << 4),
    };
    smart->tests++;
    smart->test_status = (uint8_t)(result << 4);
    smart->test_runs = 0;
}

void ide_smart_catch_up(IdeDrive *drive) {
    const SmartState *smart = &drive->state->smart_state;
    if (smart->test_runs && clock_now_ns(drive->channel->clock) >= smart->test_end_ns)
        log_test(drive, smart->test_result, smart->test_lba);
}

/* What runs is broken off, and that is logged. */
static void end_test(IdeDrive *drive, uint8_t result) {
    ide_smart_catch_up(drive);
    if (drive->state->smart_state.test_runs)
        log_test(drive, result, UINT64_MAX);
}

void ide_smart_reset(IdeDrive *drive) {
    end_test(drive, TEST_RESET);
}

static int64_t test_ns(uint8_t kind) {
    return (kind & 0x7F) == OFFLINE_SHORT_TEST ? SHORT_TEST_NS : EXTENDED_TEST_NS;
}

/* Reads sectors all over the disk: false at the first that cannot be read. Not all of them, since
 * an image may be of any size and most of it a hole. */
static bool read_samples(const IdeDrive *drive, uint32_t count, uint64_t *lba) {
    uint8_t sector[IDE_SECTOR_BYTES];
    for (uint32_t i = 0; i < count; i++) {
        *lba = i == count - 1 ? drive->sectors - 1 : drive->sectors / count * i;
        if (!block_read(drive->medium, *lba * IDE_SECTOR_BYTES, sector, sizeof(sector), NULL))
            return false;
    }
    return true;
}

static void start_test(IdeDrive *drive, uint8_t kind) {
    SmartState *smart = &drive->state->smart_state;
    bool is_short = (kind & 0x7F) == OFFLINE_SHORT_TEST;
    uint64_t lba;
    end_test(drive, TEST_ABORTED);
    bool good = read_samples(drive, is_short ? TEST_SAMPLES : TEST_SAMPLES * 8, &lba);
    smart->test_runs = 1;
    smart->test_kind = kind;
    smart->test_result = good ? TEST_PASSED : TEST_READ_FAILED;
    smart->test_lba = good ? UINT64_MAX : lba;
    smart->test_end_ns = clock_now_ns(drive->channel->clock) + test_ns(kind);
    if (!(kind & OFFLINE_CAPTIVE)) {
        ide_finish_later(drive, 0);
        return;
    }
    drive->state->lba_mid[0] = good ? KEY_MID : FAILED_MID;
    drive->state->lba_high[0] = good ? KEY_HIGH : FAILED_HIGH;
    drive->state->error = good ? 0 : ERROR_ABORTED;
    ide_busy(drive, STEP_FINISH, test_ns(kind));
}

static void execute_offline(IdeDrive *drive) {
    uint8_t kind = drive->state->lba_low[0];
    switch (kind) {
    case OFFLINE_COLLECT:
        drive->state->smart_state.offline_status = OFFLINE_COMPLETED;
        ide_finish_later(drive, 0);
        return;
    case OFFLINE_SHORT_TEST:
    case OFFLINE_EXTENDED_TEST:
    case OFFLINE_CAPTIVE | OFFLINE_SHORT_TEST:
    case OFFLINE_CAPTIVE | OFFLINE_EXTENDED_TEST:
        start_test(drive, kind);
        return;
    case OFFLINE_ABORT:
        end_test(drive, TEST_ABORTED);
        ide_finish_later(drive, 0);
        return;
    default:
        ide_finish_later(drive, ERROR_ABORTED);
    }
}

/* The state of the self-test: how it ended, or how many tenths are left. */
static uint8_t test_status(const IdeDrive *drive) {
    const SmartState *smart = &drive->state->smart_state;
    if (!smart->test_runs)
        return smart->test_status;
    int64_t left = smart->test_end_ns - clock_now_ns(drive->channel->clock);
    int64_t tenths = left * 10 / test_ns(smart->test_kind);
    return (uint8_t)(TEST_RUNS << 4 | (tenths < 0 ? 0 : tenths > 9 ? 9 : tenths));
}

static uint32_t raw_value(const IdeDrive *drive, const Attribute *attribute) {
    if (attribute->id == ATTRIBUTE_HOURS)
        return ide_smart_hours(drive);
    if (attribute->id == ATTRIBUTE_UNCORRECTABLE)
        return drive->state->smart_state.errors;
    return attribute->raw;
}

static void store_attributes(const IdeDrive *drive, uint8_t *data) {
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
        uint8_t *row = data + ATTRIBUTES_AT + i * ATTRIBUTE_BYTES;
        row[0] = attributes[i].id;
        row[1] = attributes[i].flags;
        row[3] = row[4] = 100; /* present and worst value: as good as new */
        store_le32(row + 5, raw_value(drive, &attributes[i]));
    }
    data[362] = drive->state->smart_state.offline_status;
    data[363] = test_status(drive);
    store_le16(data + 364, SHORT_TEST_NS / 1000000000); /* for all off-line collection */
    data[367] = 0x19; /* collects off-line, reads the surface, tests itself */
    data[368] = 0x03; /* saves attributes */
    data[370] = 0x01; /* logs errors */
    data[372] = SHORT_TEST_MINUTES;
    data[373] = EXTENDED_TEST_MINUTES;
}

static void store_thresholds(uint8_t *data) {
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
        data[ATTRIBUTES_AT + i * ATTRIBUTE_BYTES] = attributes[i].id;
        data[ATTRIBUTES_AT + i * ATTRIBUTE_BYTES + 1] = attributes[i].threshold;
    }
}

static void send_data(IdeDrive *drive, bool is_data) {
    uint8_t *data = drive->state->buffer;
    memset(data, 0, IDE_SECTOR_BYTES);
    store_le16(data, 0x0010); /* revision */
    if (is_data)
        store_attributes(drive, data);
    else
        store_thresholds(data);
    ide_store_checksum(data);
    ide_disk_send_sector(drive);
}

static void set_autosave(IdeDrive *drive) {
    uint8_t count = drive->state->count[0];
    bool known = count == 0 || count == AUTOSAVE_ENABLED;
    if (known)
        drive->state->smart_state.autosave = count != 0;
    ide_finish_later(drive, known ? 0 : ERROR_ABORTED);
}

/* No attribute ever falls below its threshold. */
static void return_status(IdeDrive *drive) {
    drive->state->lba_mid[0] = KEY_MID;
    drive->state->lba_high[0] = KEY_HIGH;
    ide_finish_later(drive, 0);
}

void ide_smart_execute(IdeDrive *drive, unsigned flags) {
    (void)flags;
    IdeDriveState *state = drive->state;
    uint8_t feature = state->features[0];
    bool has_key = state->lba_mid[0] == KEY_MID && state->lba_high[0] == KEY_HIGH;
    if (!has_key || !(state->smart || feature == SMART_ENABLE)) {
        ide_finish_later(drive, ERROR_ABORTED);
        return;
    }
    ide_smart_catch_up(drive);
    switch (feature) {
    case SMART_READ_DATA:
    case SMART_READ_THRESHOLDS:
        send_data(drive, feature == SMART_READ_DATA);
        break;
    case SMART_AUTOSAVE:
        set_autosave(drive);
        break;
    case SMART_SAVE_ATTRIBUTES:
        ide_finish_later(drive, 0);
        break;
    case SMART_EXECUTE_OFFLINE:
        execute_offline(drive);
        break;
    case SMART_READ_LOG:
        ide_smart_read_log(drive);
        break;
    case SMART_ENABLE:
    case SMART_DISABLE:
        state->smart = feature == SMART_ENABLE;
        ide_finish_later(drive, 0);
        break;
    case SMART_RETURN_STATUS:
        return_status(drive);
        break;
    default:
        ide_finish_later(drive, ERROR_ABORTED);
    }
}

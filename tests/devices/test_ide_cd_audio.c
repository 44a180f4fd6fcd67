/* CDs of several tracks, by CUE sheets: what the drive tells of them, and audio that it plays. */
#include "cd_sector.h"
#include "ide_packet_fixture.h"

/* Data 0 to 299, a pregap, audio 450 to 749 and 750 to 1049, and in a second session data from
 * 12450 to 12549. */
#define SHEET                                                                                      \
    "REM a test\r\n"                                                                               \
    "FILE \"a.img\" BINARY\r\n"                                                                    \
    "  TRACK 01 MODE1/2352\r\n    INDEX 01 00:00:00\r\n"                                           \
    "  TRACK 02 AUDIO\r\n    INDEX 00 00:04:00\r\n    INDEX 01 00:06:00\r\n"                       \
    "  TRACK 03 AUDIO\r\n    TITLE \"third\"\r\n    INDEX 01 00:10:00\r\n"                         \
    "REM SESSION 02\r\n"                                                                           \
    "FILE \"b.img\" BINARY\r\n"                                                                    \
    "  TRACK 04 MODE1/2048\r\n    INDEX 01 00:00:00\r\n"

static BlockNode *open_sheet(const char *text, Error *error) {
    FILE *file = fopen(path_of("disc.cue"), "wb");
    fputs(text, file);
    fclose(file);
    BlockOptions options = {.path = path_of("disc.cue"), .read_only = true};
    BlockNode *node = block_open(&options, error);
    unlink(path_of("disc.cue"));
    return node;
}

static void plug_disc(void) {
    Error error = {0};
    block_close(make_image("a.img", 1050 * 2352, 3, true));
    block_close(make_image("b.img", 100 * 2048, 9, true));
    BlockNode *node = open_sheet(SHEET, &error);
    ck_assert_msg(node != NULL, "%s", error.message);
    ck_assert_str_eq(block_format(node), "cue");
    plug(IDE_DRIVE_CDROM, node, IDE_DRIVE_NONE, NULL);
}

static void pass_seconds(unsigned seconds) {
    machine.clock.stopped_ns += seconds * 1000000000LL;
    clock_run_due(&machine.clock);
}

START_TEST(tables_of_contents) {
    uint8_t data[256];
    plug_disc();
    ck_assert_int_eq(ASK(data, 0x43, 0, 0, 0, 0, 0, 0, 0, 200), 4 + 5 * 8);
    static const struct {
        uint8_t control, number;
        uint32_t start;
    } rows[] = {
        {0x14, 1, 0}, {0x10, 2, 450}, {0x10, 3, 750}, {0x14, 4, 12450}, {0x14, 0xAA, 12550}};
    ck_assert_uint_eq(data[2], 1);
    ck_assert_uint_eq(data[3], 4);
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_uint_eq(data[4 + i * 8 + 1], rows[i].control);
        ck_assert_uint_eq(data[4 + i * 8 + 2], rows[i].number);
        ck_assert_uint_eq((unsigned)data[4 + i * 8 + 6] << 8 | data[4 + i * 8 + 7], rows[i].start);
    }
    ck_assert_int_eq(ASK(data, 0x43, 0, 0, 0, 0, 0, 3, 0, 200), 4 + 3 * 8);
    ck_assert_int_eq(ASK(data, 0x43, 0, 1, 0, 0, 0, 0, 0, 200), 12);
    ck_assert_uint_eq(data[3], 2);
    ck_assert_uint_eq(data[6], 4);
    ck_assert_int_eq(ASK(data, 0x43, 2, 2, 0, 0, 0, 0, 0, 200), 4 + 10 * 11);
    ck_assert_uint_eq(data[4 + 2 * 11 + 3],
                      0xA2); /* of the first session: 1050, which is 00:16:00 */
    ck_assert_uint_eq(data[4 + 2 * 11 + 9], 16);
    ck_assert_uint_eq(data[4 + 6 * 11], 2);
    ck_assert_int_eq(ASK(data, 0x51, 0, 0, 0, 0, 0, 0, 0, 200), 34);
    ck_assert_uint_eq(data[4], 2);
    ck_assert_uint_eq(data[5], 4);
    ck_assert_int_eq(ASK(data, 0x52, 1, 0, 0, 0, 2, 0, 0, 200), 36);
    ck_assert_uint_eq((unsigned)data[10] << 8 | data[11], 450);
    ck_assert_uint_eq((unsigned)data[26] << 8 | data[27], 300);
    ck_assert_int_eq(ASK(data, 0x52, 0, 0, 0, 3, 0, 0, 0, 200), 36);
    ck_assert_uint_eq(data[2], 3);
    unplug();
}
END_TEST

START_TEST(reads_of_tracks) {
    static uint8_t data[4 * 2352];
    plug_disc();
    ck_assert_int_eq(ASK(data, 0x28, 0, 0, 0, 0, 20, 0, 0, 2), 4096);
    for (unsigned i = 0; i < 4096; i++)
        ck_assert_uint_eq(data[i], image_byte(3, (20 + i / 2048) * 2352 + 16 + i % 2048));
    ck_assert_int_eq(ASK(data, 0x28, 0, 0, 0, 12450 >> 8, 12450 & 0xFF, 0, 0, 1), 2048);
    for (unsigned i = 0; i < 2048; i++)
        ck_assert_uint_eq(data[i], image_byte(9, i));
    FAIL(5, 0x64, 0, 0x28, 0, 0, 0, 500 >> 8, 500 & 0xFF, 0, 0, 1); /* audio */
    ck_assert_int_eq(ASK(data, 0xBE, 4, 0, 0, 500 >> 8, 500 & 0xFF, 0, 0, 2, 0x10), 2 * 2352);
    for (unsigned i = 0; i < 2 * 2352; i++)
        ck_assert_uint_eq(data[i], image_byte(3, 500 * 2352 + i));
    FAIL(5, 0x64, 0, 0xBE, 8, 0, 0, 500 >> 8, 500 & 0xFF, 0, 0, 2, 0x10); /* mode 1 */
    FAIL(5, 0x64, 0, 0xBE, 4, 0, 0, 0, 20, 0, 0, 1, 0x10);
    unplug();
}
END_TEST

static void expect_position(uint8_t status, uint8_t track, uint32_t lba) {
    uint8_t data[16];
    ck_assert_int_eq(ASK(data, 0x42, 0, 0x40, 1, 0, 0, 0, 0, 16), 16);
    ck_assert_uint_eq(data[1], status);
    ck_assert_uint_eq(data[6], track);
    ck_assert_uint_eq((unsigned)data[10] << 8 | data[11], lba);
}

START_TEST(plays_audio) {
    uint8_t data[64];
    plug_disc();
    FAIL(5, 0x2C, 0, 0x4B, 0, 0, 0, 0, 0, 0, 0, 1); /* nothing to resume */
    FAIL(5, 0x64, 0, 0x45, 0, 0, 0, 0, 10, 0, 0, 5);
    FAIL(5, 0x21, 0, 0x45, 0, 0, 0, 0x40, 0, 0, 0, 5);
    ck_assert_int_eq(ASK(data, 0x45, 0, 0, 0, 450 >> 8, 450 & 0xFF, 0, 600 >> 8, 600 & 0xFF), 0);
    pass_seconds(2);
    expect_position(0x11, 2, 600);
    save_and_restore();
    pass_seconds(3);
    expect_position(0x11, 3, 825);
    ck_assert_int_eq(ASK(data, 0x4B), 0);
    pass_seconds(3);
    expect_position(0x12, 3, 825);
    ck_assert_int_eq(ASK(data, 0x4B, 0, 0, 0, 0, 0, 0, 0, 1), 0);
    pass_seconds(1);
    expect_position(0x11, 3, 900);
    pass_seconds(9);
    expect_position(0x13, 3, 1050); /* it is over */
    /* From 00:08:00 to 00:12:00, which are 450 and 750. */
    ck_assert_int_eq(ASK(data, 0x47, 0, 0, 0, 8, 0, 0, 12, 0), 0);
    pass_seconds(1);
    expect_position(0x11, 2, 525);
    ck_assert_int_eq(ASK(data, 0x4E), 0);
    pass_seconds(1);
    expect_position(0x15, 2, 525);
    ck_assert_int_eq(ASK(data, 0xA5, 0, 0, 0, 450 >> 8, 450 & 0xFF, 0, 0, 1, 0), 0);
    ck_assert_int_eq(ASK(data, 0x1B, 0, 0, 0, 2), 0); /* eject */
    ck_assert_int_eq(ASK(data, 0x1B, 0, 0, 0, 3), 0);
    expect_position(0x15, 2, 450);
    unplug();
}
END_TEST

START_TEST(wrong_sheets) {
    static const char *const texts[] = {
        "FILE \"../a.img\" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n",
        "FILE \"none.img\" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n",
        "FILE \"a.img\" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n",
        "FILE \"a.img\" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:90:00\n",
        "FILE \"a.img\" BINARY\nTRACK 01 AUDIO\nINDEX 01 10:00:00\n",
        "FILE \"a.img\" BINARY\nTRACK 01 CDG\nINDEX 01 00:00:00\n",
        "FILE \"a.img\" BINARY\nTRACK 01 AUDIO\n",
        "FILE \"a.img\" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:02:00\nTRACK 02 AUDIO\nINDEX 01 "
        "00:01:00",
        "FILE \"a.img\" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 03 AUDIO\n",
        "FILE \"a.img\" BINARY\nINDEX 01 00:00:00\n",
        "FILE \"a.img\" BINARY\n",
        "FILE \"disc.cue\" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n",
    };
    block_close(make_image("a.img", 1050 * 2352, 3, true));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        Error error = {0};
        ck_assert_msg(open_sheet(texts[i], &error) == NULL, "%s", texts[i]);
        ck_assert_ptr_nonnull(strstr(error.message, "disc.cue"));
    }
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, tables_of_contents);
    tcase_add_test(tests, reads_of_tracks);
    tcase_add_test(tests, plays_audio);
    tcase_add_test(tests, wrong_sheets);
}

int main(void) {
    return run_suite("ide cd audio", add_tests);
}

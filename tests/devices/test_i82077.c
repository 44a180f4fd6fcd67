/* The floppy controller, driven through its ports as a driver drives it. */
#include "i82077.h"
#include "i8237.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DOR = 0x3F2, MSR = 0x3F4, DATA = 0x3F5, INPUT = 0x3F7 };
enum { RATE_500K = 0, RATE_300K = 1, RATE_250K = 2, RATE_1M = 3 };

typedef struct Machine {
    VirtualClock clock;
    PortMap *ports;
    DeviceList devices;
    Trace trace;
    I82077 *fdc;
    BlockNode *media[2];
    int irq, irq_count;
    /* One DMA channel: its count of bytes, and where they go. */
    uint8_t memory[65536];
    size_t dma_position, dma_left;
    bool dma_masked;
    size_t dma_burst; /* bytes that the channel takes at a time; 0: any */
} Machine;

static char folder[] = "/tmp/reprise-fdc-XXXXXX";
static Machine machine;

static const char *path_of(const char *name) {
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

/* Each sector begins with its number. */
static void make_image(const char *name, size_t size) {
    FILE *file = fopen(path_of(name), "wb");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < size; i++) {
        size_t lba = i / 512, at = i % 512;
        fputc(at == 0   ? (int)(lba & 0xFF)
              : at == 1 ? (int)(lba >> 8)
                        : (int)((lba + at) & 0x7F),
              file);
    }
    fclose(file);
}

static BlockNode *open_image(const char *name, bool read_only) {
    BlockOptions options = {.path = path_of(name), .read_only = read_only};
    Error error = {0};
    BlockNode *node = block_open(&options, &error);
    ck_assert_msg(node != NULL, "%s", error.message);
    return node;
}

static void set_irq(void *listener, int line, int level) {
    (void)listener;
    (void)line;
    if (level && !machine.irq)
        machine.irq_count++;
    machine.irq = level;
}

static size_t dma_transfer(void *opaque, uint8_t *buffer, size_t size, bool to_memory,
                           bool *terminal_count) {
    (void)opaque;
    *terminal_count = false;
    if (machine.dma_masked || machine.dma_left == 0)
        return 0;
    size_t part = size < machine.dma_left ? size : machine.dma_left;
    if (machine.dma_burst != 0 && part > machine.dma_burst)
        part = machine.dma_burst;
    if (to_memory)
        memcpy(machine.memory + machine.dma_position, buffer, part);
    else
        memcpy(buffer, machine.memory + machine.dma_position, part);
    machine.dma_position += part;
    machine.dma_left -= part;
    *terminal_count = machine.dma_left == 0;
    return part;
}

static DeviceContext plug_context(void) {
    memset(&machine, 0, sizeof(machine));
    clock_init(&machine.clock);
    machine.ports = port_map_create();
    return (DeviceContext){.clock = &machine.clock,
                           .ports = machine.ports,
                           .devices = &machine.devices,
                           .trace = &machine.trace};
}

/* A machine with these nodes in its drives; NULL: drive B is not there, drive A is empty. */
static void plug(BlockNode *a, BlockNode *b, bool accurate) {
    DeviceContext context = plug_context();
    machine.media[0] = a;
    machine.media[1] = b;
    I82077Options options = {
        .media = {a, b},
        .drive_types = {FLOPPY_DRIVE_AUTO, b != NULL ? FLOPPY_DRIVE_AUTO : FLOPPY_DRIVE_NONE},
        .dma = {dma_transfer, NULL},
        .irq = {set_irq, NULL, 6},
        .accurate_timing = accurate,
    };
    Error error = {0};
    machine.fdc = i82077_create(&context, &options, &error);
    ck_assert_msg(machine.fdc != NULL, "%s", error.message);
}

static void unplug(void) {
    i82077_destroy(machine.fdc);
    block_close(machine.media[0]);
    block_close(machine.media[1]);
    port_map_destroy(machine.ports);
    clock_destroy(&machine.clock);
}

static uint8_t in(uint16_t port) {
    return (uint8_t)port_map_read(machine.ports, port, 1);
}

static void out(uint16_t port, uint8_t value) {
    port_map_write(machine.ports, port, 1, value);
}

/* Lets time pass to the next event. */
static bool next_event(void) {
    int64_t due = clock_next_due_ns(&machine.clock);
    if (due == TIMER_NEVER)
        return false;
    machine.clock.stopped_ns = due;
    clock_run_due(&machine.clock);
    return true;
}

static void wait_irq(void) {
    for (int i = 0; i < 100000 && !machine.irq; i++)
        ck_assert_msg(next_event(), "no interrupt, and nothing that could make one");
    ck_assert(machine.irq);
}

static void send(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        ck_assert_uint_eq(in(MSR)&0xC0, 0x80);
        out(DATA, bytes[i]);
    }
}

#define SEND(...) send((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* Reads the whole result phase. */
static size_t receive(uint8_t *result) {
    size_t size = 0;
    while ((in(MSR)&0xD0) == 0xD0 && size < 16)
        result[size++] = in(DATA);
    ck_assert_uint_eq(in(MSR)&0xD0, 0x80);
    return size;
}

static void expect_result(uint8_t st0, uint8_t st1, uint8_t st2, uint8_t c, uint8_t h, uint8_t r) {
    uint8_t result[16];
    wait_irq();
    ck_assert_uint_eq(receive(result), 7);
    ck_assert_int_eq(machine.irq, 0);
    ck_assert_uint_eq(result[0], st0);
    ck_assert_uint_eq(result[1], st1);
    ck_assert_uint_eq(result[2], st2);
    ck_assert_uint_eq(result[3], c);
    ck_assert_uint_eq(result[4], h);
    ck_assert_uint_eq(result[5], r);
    ck_assert_uint_eq(result[6], 2);
}

/* SENSE INTERRUPT STATUS after the interrupt of a seek. */
static void expect_seek_end(uint8_t st0, uint8_t cylinder) {
    uint8_t result[16];
    wait_irq();
    SEND(0x08);
    ck_assert_uint_eq(receive(result), 2);
    ck_assert_uint_eq(result[0], st0);
    ck_assert_uint_eq(result[1], cylinder);
}

/* Reset, motor of the drive on, drive selected, SPECIFY with DMA, data rate. */
static void start(unsigned drive, uint8_t rate) {
    uint8_t result[16];
    out(DOR, 0x00);
    ck_assert_uint_eq(in(MSR), 0);
    out(DOR, 0x0C);
    wait_irq();
    for (unsigned i = 0; i < 4; i++) {
        SEND(0x08);
        ck_assert_uint_eq(receive(result), 2);
        ck_assert_uint_eq(result[0], 0xC0 | i);
        ck_assert_int_eq(machine.irq, 0);
    }
    out(DOR, (uint8_t)(0x0C | 0x10 << drive | drive));
    out(INPUT, rate);
    SEND(0x03, 0xAF, 0x02);
}

static void set_dma(size_t bytes) {
    machine.dma_position = 0;
    machine.dma_left = bytes;
}

static void start_1440(void) {
    make_image("a.img", 1474560);
    plug(open_image("a.img", false), NULL, false);
    start(0, RATE_500K);
}

START_TEST(formats_by_size) {
    static const struct {
        size_t size;
        unsigned type, cylinders, heads, sectors;
    } cases[] = {
        {163840, 2, 40, 1, 8},   {184320, 2, 40, 1, 9},   {327680, 2, 40, 2, 8},
        {368640, 2, 40, 2, 9},   {737280, 4, 80, 2, 9},   {1228800, 2, 80, 2, 15},
        {1474560, 4, 80, 2, 18}, {2949120, 5, 80, 2, 36}, {1720320, 4, 80, 2, 21},
        {8704, 4, 80, 2, 18},    {512, 4, 80, 2, 18},     {1474561, 4, 82, 2, 18},
        {2000000, 5, 80, 2, 36},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make_image("a.img", cases[i].size);
        BlockNode *node = open_image("a.img", true);
        FloppyFormat format;
        ck_assert(floppy_format_guess(node, &format, NULL));
        ck_assert_uint_eq(format.drive_type, cases[i].type);
        ck_assert_uint_eq(format.cylinders, cases[i].cylinders);
        ck_assert_uint_eq(format.heads, cases[i].heads);
        ck_assert_uint_eq(format.sectors, cases[i].sectors);
        block_close(node);
    }
    make_image("a.img", 4000000);
    BlockNode *node = open_image("a.img", true);
    FloppyFormat format;
    Error error = {0};
    ck_assert(!floppy_format_guess(node, &format, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "too large"));
    block_close(node);
}
END_TEST

START_TEST(format_by_boot_sector) {
    make_image("a.img", 400000); /* fewer bytes than its parameter block says */
    FILE *file = fopen(path_of("a.img"), "r+b");
    static const uint8_t block[] = {0x00, 0x02, 2, 1, 0, 2, 112, 0, 0xA0,
                                    0x05, 0xF9, 3, 0, 9, 0, 2,   0};
    fseek(file, 0x0B, SEEK_SET);
    fwrite(block, 1, sizeof(block), file);
    fclose(file);
    BlockNode *node = open_image("a.img", true);
    FloppyFormat format;
    ck_assert(floppy_format_guess(node, &format, NULL));
    ck_assert_uint_eq(format.cylinders, 80);
    ck_assert_uint_eq(format.sectors, 9);
    ck_assert_uint_eq(format.drive_type, FLOPPY_DRIVE_1440K);
    block_close(node);
}
END_TEST

START_TEST(reads_by_dma) {
    start_1440();
    ck_assert_uint_eq(i82077_drive_type(machine.fdc, 0), FLOPPY_DRIVE_1440K);
    SEND(0x07, 0x00);
    expect_seek_end(0x20, 0);
    SEND(0x0F, 0x00, 5);
    ck_assert_uint_eq(in(MSR)&0x81, 0x81); /* seeking, but ready for another command */
    expect_seek_end(0x20, 5);
    /* Sectors 17 and 18 of head 0 and 1 and 2 of head 1, with one count. */
    set_dma(4 * 512);
    int64_t before = machine.clock.stopped_ns;
    SEND(0xE6, 0x00, 5, 0, 17, 2, 18, 0x1B, 0xFF);
    ck_assert_uint_eq(in(MSR), 0x10); /* busy */
    ck_assert_int_eq(machine.irq, 0);
    expect_result(0x04, 0, 0, 5, 1, 3);
    ck_assert_int_ge(machine.clock.stopped_ns - before, 4 * 100000);
    for (unsigned i = 0; i < 4; i++) {
        unsigned lba = 5 * 36 + 16 + i;
        ck_assert_uint_eq(machine.memory[i * 512], lba & 0xFF);
        ck_assert_uint_eq(machine.memory[i * 512 + 1], lba >> 8);
        ck_assert_uint_eq(machine.memory[i * 512 + 511], (lba + 511) & 0x7F);
    }
    unplug();
}
END_TEST

static size_t run_channel_2(void *opaque, uint8_t *buffer, size_t size, bool to_memory,
                            bool *terminal_count) {
    return i8237_transfer(opaque, 2, buffer, size, to_memory ? DMA_TO_MEMORY : DMA_FROM_MEMORY,
                          terminal_count);
}

/* As the firmware programs channel 2 for memory at 12345h. */
static void program_channel_2(uint8_t mode, uint16_t count) {
    out(0xD6, 0xC0); /* channel 4 leads from one controller to the other */
    out(0xD4, 0x00);
    out(0x0A, 0x06);
    out(0x0C, 0x00);
    out(0x04, 0x45);
    out(0x04, 0x23);
    out(0x0C, 0x00);
    out(0x05, (uint8_t)count);
    out(0x05, (uint8_t)(count >> 8));
    out(0x0B, mode);
    out(0x81, 0x01);
    out(0x0A, 0x02);
}

START_TEST(moves_data_by_the_dma_controller) {
    make_image("a.img", 1474560);
    DeviceContext context = plug_context();
    Error error = {0};
    context.memory = physical_map_create(2u << 20, &error);
    ck_assert_msg(context.memory != NULL, "%s", error.message);
    I8237 *dma = i8237_create(&context, &error);
    ck_assert_msg(dma != NULL, "%s", error.message);
    machine.media[0] = open_image("a.img", false);
    I82077Options options = {.media = {machine.media[0]},
                             .drive_types = {FLOPPY_DRIVE_AUTO},
                             .dma = {run_channel_2, dma},
                             .irq = {set_irq, NULL, 6}};
    machine.fdc = i82077_create(&context, &options, &error);
    ck_assert_msg(machine.fdc != NULL, "%s", error.message);
    start(0, RATE_500K);
    uint8_t data[1024], back[1024];
    program_channel_2(0x46, 1023);
    SEND(0xE6, 0x00, 3, 0, 4, 2, 18, 0x1B, 0xFF);
    expect_result(0, 0, 0, 3, 0, 6);
    physical_read_bytes(context.memory, 0x12345, data, 1024);
    ck_assert(block_read(machine.media[0], (3 * 36 + 3) * 512, back, 1024, NULL));
    ck_assert_mem_eq(data, back, 1024);
    program_channel_2(0x4A, 1023);
    SEND(0xC5, 0x00, 60, 0, 1, 2, 18, 0x1B, 0xFF);
    expect_result(0, 0, 0, 60, 0, 3);
    ck_assert(block_read(machine.media[0], 60 * 36 * 512, back, 1024, NULL));
    ck_assert_mem_eq(data, back, 1024);
    i8237_destroy(dma);
    physical_map_destroy(context.memory);
    unplug();
}
END_TEST

START_TEST(result_id_follows_the_table) {
    static const struct {
        uint8_t command, head, sector, c, h, r, st0;
    } cases[] = {
        {0x46, 0, 5, 0, 0, 6, 0},  {0x46, 0, 18, 1, 0, 1, 0}, {0x46, 1, 18, 1, 1, 1, 4},
        {0xC6, 0, 18, 0, 1, 1, 4}, {0xC6, 1, 18, 1, 0, 1, 4},
    };
    start_1440();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_dma(512);
        SEND(cases[i].command, (uint8_t)(cases[i].head << 2), 0, cases[i].head, cases[i].sector, 2,
             18, 0x1B, 0xFF);
        expect_result(cases[i].st0, 0, 0, cases[i].c, cases[i].h, cases[i].r);
    }
    unplug();
}
END_TEST

START_TEST(reads_and_writes_without_dma) {
    start_1440();
    SEND(0x03, 0xAF, 0x03);
    SEND(0x46, 0x00, 0, 0, 2, 2, 3, 0x1B, 0xFF);
    for (unsigned sector = 1; sector <= 2; sector++) {
        ck_assert_uint_eq(in(MSR), 0x30); /* busy, non-DMA execution */
        wait_irq();
        for (unsigned i = 0; i < 512; i++) {
            ck_assert_uint_eq(in(MSR), 0xF0);
            uint8_t byte = in(DATA);
            if (i == 0) {
                ck_assert_int_eq(machine.irq, 0); /* until the next sector or the result */
                ck_assert_uint_eq(byte, sector);
            }
        }
    }
    /* Nobody gives a terminal count, so the end of the track is reported as in the data sheet. */
    expect_result(0x40, 0x80, 0, 0, 0, 3);

    SEND(0x45, 0x00, 0, 0, 7, 2, 7, 0x1B, 0xFF);
    wait_irq();
    for (unsigned i = 0; i < 512; i++) {
        ck_assert_uint_eq(in(MSR), 0xB0);
        out(DATA, (uint8_t)(i ^ 0x55));
    }
    expect_result(0x40, 0x80, 0, 0, 0, 7);
    uint8_t sector[512];
    ck_assert(block_read(machine.media[0], 6 * 512, sector, 512, NULL));
    for (unsigned i = 0; i < 512; i++)
        ck_assert_uint_eq(sector[i], (uint8_t)(i ^ 0x55));
    unplug();
}
END_TEST

START_TEST(writes_by_dma) {
    start_1440();
    for (unsigned i = 0; i < 1024; i++)
        machine.memory[i] = (uint8_t)(i * 3 + 1);
    set_dma(1024 - 100); /* the rest of the second sector becomes zeros */
    SEND(0xC5, 0x04, 79, 1, 17, 2, 18, 0x1B, 0xFF);
    expect_result(0x04, 0, 0, 80, 0, 1);
    uint8_t data[1024];
    ck_assert(block_read(machine.media[0], 1474560 - 1024, data, 1024, NULL));
    for (unsigned i = 0; i < 1024; i++)
        ck_assert_uint_eq(data[i], i < 924 ? (uint8_t)(i * 3 + 1) : 0);
    set_dma(512);
    SEND(0x49, 0x00, 0, 0, 1, 2, 18, 0x1B, 0xFF); /* WRITE DELETED DATA */
    expect_result(0, 0, 0, 0, 0, 2);
    ck_assert(block_read(machine.media[0], 0, data, 512, NULL));
    ck_assert_mem_eq(data, machine.memory, 512);
    unplug();
}
END_TEST

START_TEST(short_image_reads_zeros_and_grows) {
    make_image("a.img", 8704);
    plug(open_image("a.img", false), NULL, false);
    start(0, RATE_500K);
    set_dma(512);
    memset(machine.memory, 0xEE, 512);
    SEND(0x46, 0x00, 10, 0, 1, 2, 18, 0x1B, 0xFF);
    expect_result(0, 0, 0, 10, 0, 2);
    for (unsigned i = 0; i < 512; i++)
        ck_assert_uint_eq(machine.memory[i], 0);
    memset(machine.memory, 0xEE, 512);
    set_dma(512);
    SEND(0x45, 0x00, 1, 0, 1, 2, 18, 0x1B, 0xFF);
    expect_result(0, 0, 0, 1, 0, 2);
    ck_assert_uint_eq(block_length(machine.media[0]), 37 * 512);
    unplug();
}
END_TEST

START_TEST(sectors_that_are_not_there) {
    start_1440();
    set_dma(512);
    SEND(0x46, 0x00, 0, 0, 19, 2, 20, 0x1B, 0xFF);
    expect_result(0x40, 0x04, 0, 0, 0, 19);
    SEND(0x46, 0x00, 0, 0, 0, 2, 18, 0x1B, 0xFF);
    expect_result(0x40, 0x04, 0, 0, 0, 0);
    SEND(0x46, 0x00, 0, 1, 1, 2, 18, 0x1B, 0xFF); /* side 0, but an ID of side 1 */
    expect_result(0x40, 0x04, 0, 0, 1, 1);
    SEND(0x46, 0x00, 200, 0, 1, 2, 18, 0x1B, 0xFF);
    expect_result(0x40, 0x04, 0x10, 200, 0, 1);
    SEND(0x46, 0x00, 0, 0, 1, 3, 18, 0x1B, 0xFF); /* 1024-byte sectors */
    expect_result(0x40, 0x04, 0, 0, 0, 1);
    /* Without implied seek the head stays where it is. */
    SEND(0x13, 0x00, 0x00, 0x00);
    SEND(0x0F, 0x00, 3);
    expect_seek_end(0x20, 3);
    SEND(0x46, 0x00, 4, 0, 1, 2, 18, 0x1B, 0xFF);
    expect_result(0x40, 0x04, 0x10, 4, 0, 1);
    SEND(0x46, 0x00, 3, 0, 1, 2, 18, 0x1B, 0xFF);
    expect_result(0, 0, 0, 3, 0, 2);
    ck_assert_uint_eq(machine.memory[0], 3 * 36);
    unplug();
}
END_TEST

START_TEST(rate_motor_and_medium_are_needed) {
    start_1440();
    set_dma(512);
    for (uint8_t rate = 1; rate <= 3; rate++) {
        out(INPUT, rate);
        SEND(0x4A, 0x00);
        wait_irq();
        uint8_t result[16];
        ck_assert_uint_eq(receive(result), 7);
        ck_assert_uint_eq(result[0], 0x40);
        ck_assert_uint_eq(result[1], 0x01);
    }
    out(INPUT, RATE_500K);
    out(DOR, 0x0C); /* motor off */
    SEND(0x46, 0x00, 0, 0, 1, 2, 18, 0x1B, 0xFF);
    expect_result(0x40, 0x01, 0, 0, 0, 1);
    out(DOR, 0x1C);
    SEND(0x46, 0x00, 0, 0, 1, 2, 18, 0x1B, 0xFF);
    expect_result(0, 0, 0, 0, 0, 2);
    ck_assert(i82077_change_media(machine.fdc, 0, NULL, NULL));
    SEND(0x46, 0x00, 0, 0, 1, 2, 18, 0x1B, 0xFF);
    expect_result(0x40, 0x01, 0, 0, 0, 1);
    unplug();
}
END_TEST

START_TEST(single_sided_medium_has_no_second_side) {
    make_image("a.img", 163840);
    plug(open_image("a.img", false), NULL, false);
    start(0, RATE_250K);
    set_dma(512);
    SEND(0x46, 0x04, 0, 1, 1, 2, 8, 0x1B, 0xFF);
    expect_result(0x44, 0x01, 0, 0, 1, 1);
    SEND(0x46, 0x00, 39, 0, 8, 2, 8, 0x1B, 0xFF);
    expect_result(0, 0, 0, 40, 0, 1);
    ck_assert_uint_eq(machine.memory[0] | machine.memory[1] << 8, 319);
    unplug();
}
END_TEST

START_TEST(forty_track_medium_by_double_steps) {
    make_image("a.img", 368640);
    plug(open_image("a.img", false), NULL, false);
    start(0, RATE_300K);
    SEND(0x13, 0x00, 0x00, 0x00);
    SEND(0x0F, 0x00, 20);
    expect_seek_end(0x20, 20);
    set_dma(512);
    SEND(0x46, 0x00, 10, 0, 1, 2, 9, 0x1B, 0xFF);
    expect_result(0, 0, 0, 10, 0, 2);
    ck_assert_uint_eq(machine.memory[0], 10 * 18);
    unplug();
}
END_TEST

START_TEST(write_protect) {
    make_image("a.img", 1474560);
    plug(open_image("a.img", true), NULL, false);
    start(0, RATE_500K);
    set_dma(512);
    SEND(0x45, 0x00, 0, 0, 1, 2, 18, 0x1B, 0xFF);
    expect_result(0x40, 0x02, 0, 0, 0, 1);
    SEND(0x4D, 0x00, 2, 18, 0x54, 0xF6);
    expect_result(0x40, 0x02, 0, 0, 0, 1);
    uint8_t result[16];
    SEND(0x04, 0x00);
    ck_assert_uint_eq(receive(result), 1);
    ck_assert_uint_eq(result[0], 0x78);
    unplug();
}
END_TEST

START_TEST(sense_drive_and_recalibrate) {
    start_1440();
    uint8_t result[16];
    SEND(0x0F, 0x04, 12);
    expect_seek_end(0x24, 12);
    SEND(0x04, 0x05);
    ck_assert_uint_eq(receive(result), 1);
    ck_assert_uint_eq(result[0], 0x2D);
    SEND(0x04, 0x00);
    receive(result);
    ck_assert_uint_eq(result[0], 0x28); /* not on track 0 */
    SEND(0x07, 0x00);
    expect_seek_end(0x20, 0);
    SEND(0x07, 0x01); /* no such drive: track 0 never comes */
    expect_seek_end(0x71, 0);
    SEND(0x07, 0x03);
    expect_seek_end(0x73, 0);
    SEND(0x08); /* nothing to sense */
    ck_assert_uint_eq(receive(result), 1);
    ck_assert_uint_eq(result[0], 0x80);
    /* More than 79 cylinders in: one RECALIBRATE is not enough. */
    SEND(0x0F, 0x00, 90);
    expect_seek_end(0x20, 90);
    SEND(0x07, 0x00);
    expect_seek_end(0x70, 11);
    SEND(0x07, 0x00);
    expect_seek_end(0x20, 0);
    unplug();
}
END_TEST

START_TEST(relative_seek) {
    start_1440();
    SEND(0xCF, 0x00, 30);
    expect_seek_end(0x20, 30);
    SEND(0x8F, 0x00, 10);
    expect_seek_end(0x20, 20);
    SEND(0x8F, 0x00, 200);
    expect_seek_end(0x20, 0);
    SEND(0xCF, 0x00, 255);
    expect_seek_end(0x20, 255);
    SEND(0xCF, 0x00, 255);
    expect_seek_end(0x20, 255);
    unplug();
}
END_TEST

START_TEST(settings_read_back) {
    start_1440();
    uint8_t result[16];
    SEND(0x10);
    ck_assert_uint_eq(receive(result), 1);
    ck_assert_uint_eq(result[0], 0x90);
    SEND(0x13, 0x00, 0x57, 0x20);
    SEND(0x12, 0x87);
    SEND(0x0F, 0x00, 7);
    expect_seek_end(0x20, 7);
    SEND(0x94);
    ck_assert_uint_eq(receive(result), 1);
    ck_assert_uint_eq(result[0], 0x10);
    SEND(0x0E);
    ck_assert_uint_eq(receive(result), 10);
    static const uint8_t expected[10] = {7, 0, 0, 0, 0xAF, 0x02, 0, 0x87, 0x57, 0x20};
    ck_assert_mem_eq(result, expected, 10);
    /* Locked: a reset leaves FIFO settings alone, but not GAP and WGATE. */
    start(0, RATE_500K);
    SEND(0x0E);
    receive(result);
    ck_assert_uint_eq(result[7], 0x84);
    ck_assert_uint_eq(result[8], 0x57);
    ck_assert_uint_eq(result[9], 0x20);
    SEND(0x14);
    receive(result);
    ck_assert_uint_eq(result[0], 0);
    start(0, RATE_500K);
    SEND(0x0E);
    receive(result);
    ck_assert_uint_eq(result[8], 0x70);
    ck_assert_uint_eq(result[9], 0);
    unplug();
}
END_TEST

START_TEST(every_first_byte_is_survived) {
    start_1440();
    for (unsigned code = 0; code < 256; code++) {
        set_dma(512);
        uint8_t result[16];
        bool resulted = false;
        out(DATA, (uint8_t)code);
        for (unsigned i = 0; i < 100 && !resulted; i++) {
            if ((in(MSR)&0xD0) == 0x90)
                out(DATA, (uint8_t)(i == 0 ? 0 : 2)); /* a parameter */
            else if ((in(MSR)&0xC0) == 0xC0)
                resulted = receive(result) > 0;
            else
                next_event();
        }
        start(0, RATE_500K);
    }
    unplug();
}
END_TEST

START_TEST(read_id) {
    start_1440();
    SEND(0x0F, 0x04, 33);
    expect_seek_end(0x24, 33);
    uint8_t result[16];
    bool seen[19] = {false};
    for (unsigned i = 0; i < 100; i++) {
        SEND(0x4A, 0x04);
        wait_irq();
        ck_assert_uint_eq(receive(result), 7);
        ck_assert_uint_eq(result[0], 0x04);
        ck_assert_uint_eq(result[3], 33);
        ck_assert_uint_eq(result[4], 1);
        ck_assert(result[5] >= 1 && result[5] <= 18);
        ck_assert_uint_eq(result[6], 2);
        seen[result[5]] = true;
        machine.clock.stopped_ns += 70000;
    }
    for (unsigned i = 1; i <= 18; i++)
        ck_assert_msg(seen[i], "sector %u never came by", i);
    unplug();
}
END_TEST

START_TEST(read_track_and_deleted) {
    start_1440();
    set_dma(18 * 512);
    SEND(0x42, 0x00, 2, 0, 9, 2, 18, 0x1B, 0xFF);
    expect_result(0, 0, 0, 3, 0, 1);
    ck_assert_uint_eq(machine.memory[0], 2 * 36); /* from the index hole on, whatever R said */
    ck_assert_uint_eq(machine.memory[17 * 512], 2 * 36 + 17);
    set_dma(1024);
    SEND(0x4C, 0x00, 2, 0, 3, 2, 18, 0x1B, 0xFF); /* no deleted ones: stops after the first */
    expect_result(0, 0, 0x40, 2, 0, 3);
    ck_assert_uint_eq(machine.dma_left, 512);
    SEND(0x6C, 0x00, 2, 0, 3, 2, 18, 0x1B, 0xFF); /* skips them all */
    expect_result(0, 0, 0x40, 3, 0, 1);
    ck_assert_uint_eq(machine.dma_left, 512);
    unplug();
}
END_TEST

START_TEST(verify) {
    start_1440();
    SEND(0xD6, 0x00, 1, 0, 1, 2, 18, 0x1B, 0xFF);
    expect_result(0x04, 0, 0, 2, 0, 1);
    SEND(0xD6, 0x80, 1, 0, 1, 2, 18, 0x1B, 20);
    expect_result(0x04, 0, 0, 1, 1, 3);
    SEND(0x56, 0x00, 1, 0, 17, 2, 19, 0x1B, 0xFF);
    expect_result(0x40, 0x04, 0, 1, 0, 19);
    unplug();
}
END_TEST

/* Looks through sectors 1 to 4 of track 0, whose bytes are made for it. */
static void scan(uint8_t code, uint8_t step, uint8_t host, uint8_t st2, uint8_t found) {
    uint8_t sector[512];
    for (unsigned i = 0; i < 4; i++) {
        memset(sector, (int)(0x10 * (i + 1)), sizeof(sector));
        sector[9] = 0xFF; /* matches anything */
        ck_assert(block_write(machine.media[0], i * 512, sector, 512, NULL));
    }
    memset(machine.memory, host, sizeof(machine.memory));
    machine.memory[3] = 0xFF;
    for (unsigned i = 0; i < 4; i++)
        machine.memory[i * 512 + 3] = 0xFF;
    set_dma(8 * 512);
    SEND(code, 0x00, 0, 0, 1, 2, 4, 0x1B, step);
    wait_irq();
    uint8_t result[16];
    ck_assert_uint_eq(receive(result), 7);
    ck_assert_uint_eq(result[0], 0);
    ck_assert_uint_eq(result[2], st2);
    if (found != 0)
        ck_assert_uint_eq(result[5], found);
}

START_TEST(scans) {
    start_1440();
    scan(0x51, 1, 0x30, 0x08, 3);
    scan(0x51, 2, 0x30, 0x08, 3);
    scan(0x51, 2, 0x20, 0x04, 0); /* stepped over */
    scan(0x51, 1, 0x31, 0x04, 0);
    scan(0x59, 1, 0x31, 0x00, 1); /* disk <= host: the first is less */
    scan(0x59, 1, 0x10, 0x08, 1);
    scan(0x59, 1, 0x0F, 0x04, 0);
    scan(0x5D, 1, 0x21, 0x00, 3); /* disk >= host */
    scan(0x5D, 1, 0x41, 0x04, 0);
    unplug();
}
END_TEST

START_TEST(formats_a_track) {
    start_1440();
    SEND(0x0F, 0x04, 40);
    expect_seek_end(0x24, 40);
    for (unsigned i = 0; i < 18; i++) {
        /* Interleaved, as a driver may like it. */
        uint8_t id[4] = {40, 1, (uint8_t)((i % 2) * 9 + i / 2 + 1), 2};
        memcpy(machine.memory + i * 4, id, 4);
    }
    set_dma(72);
    SEND(0x4D, 0x04, 2, 18, 0x54, 0xF6);
    expect_result(0x04, 0, 0, 40, 1, 18);
    ck_assert_uint_eq(machine.dma_left, 0);
    uint8_t track[20 * 512];
    ck_assert(block_read(machine.media[0], (40 * 36 + 17) * 512, track, sizeof(track), NULL));
    ck_assert_uint_ne(track[0], 0xF6);
    for (unsigned i = 512; i < 19 * 512; i++)
        ck_assert_uint_eq(track[i], 0xF6);
    ck_assert_uint_ne(track[19 * 512], 0xF6);

    machine.memory[2] = 19; /* a sector that the image has no room for */
    set_dma(72);
    SEND(0x4D, 0x04, 2, 18, 0x54, 0xE5);
    expect_result(0x54, 0, 0, 40, 1, 19);

    SEND(0x03, 0xAF, 0x03); /* the same by programmed I/O */
    SEND(0x4D, 0x04, 2, 2, 0x54, 0x11);
    for (uint8_t sector = 1; sector <= 2; sector++) {
        wait_irq();
        SEND(40, 1, sector, 2);
    }
    expect_result(0x04, 0, 0, 40, 1, 2);
    ck_assert(block_read(machine.media[0], (40 * 36 + 18) * 512, track, 3 * 512, NULL));
    ck_assert_uint_eq(track[0], 0x11);
    ck_assert_uint_eq(track[1023], 0x11);
    ck_assert_uint_eq(track[1024], 0xF6);
    unplug();
}
END_TEST

START_TEST(end_of_track_without_terminal_count) {
    start_1440();
    set_dma(8192);
    SEND(0x46, 0x00, 0, 0, 17, 2, 18, 0x1B, 0xFF);
    expect_result(0x40, 0x80, 0, 0, 0, 18);
    ck_assert_uint_eq(machine.dma_left, 8192 - 1024);
    unplug();
}
END_TEST

START_TEST(masked_dma_channel_waits_then_overruns) {
    start_1440();
    set_dma(512);
    machine.dma_masked = true;
    SEND(0x46, 0x00, 0, 0, 1, 2, 18, 0x1B, 0xFF);
    for (int i = 0; i < 20; i++)
        next_event();
    ck_assert_int_eq(machine.irq, 0);
    machine.dma_masked = false; /* a driver that unmasks late still gets its data */
    expect_result(0, 0, 0, 0, 0, 2);
    set_dma(512);
    machine.dma_masked = true;
    SEND(0x45, 0x00, 0, 0, 1, 2, 18, 0x1B, 0xFF);
    expect_result(0x40, 0x10, 0, 0, 0, 1);
    uint8_t sector[2];
    ck_assert(block_read(machine.media[0], 0, sector, 2, NULL));
    ck_assert_uint_eq(sector[0], 0);
    unplug();
}
END_TEST

START_TEST(dma_in_small_bursts) {
    start_1440();
    machine.dma_burst = 37;
    set_dma(1024);
    SEND(0x46, 0x00, 1, 0, 5, 2, 18, 0x1B, 0xFF);
    expect_result(0, 0, 0, 1, 0, 7);
    uint8_t data[1024];
    ck_assert(block_read(machine.media[0], 40 * 512, data, 1024, NULL));
    ck_assert_mem_eq(machine.memory, data, 1024);
    set_dma(1024);
    SEND(0x45, 0x00, 2, 0, 5, 2, 18, 0x1B, 0xFF);
    expect_result(0, 0, 0, 2, 0, 7);
    ck_assert(block_read(machine.media[0], 76 * 512, data, 1024, NULL));
    ck_assert_mem_eq(machine.memory, data, 1024);
    unplug();
}
END_TEST

START_TEST(media_change) {
    make_image("a.img", 1474560);
    make_image("b.img", 737280);
    plug(open_image("a.img", false), NULL, false);
    start(0, RATE_500K);
    ck_assert_uint_eq(in(INPUT)&0x80, 0x80); /* after power on, until the head has stepped */
    SEND(0x0F, 0x00, 1);
    expect_seek_end(0x20, 1);
    ck_assert_uint_eq(in(INPUT)&0x80, 0);
    SEND(0x07, 0x00);
    expect_seek_end(0x20, 0);

    ck_assert(i82077_change_media(machine.fdc, 0, NULL, NULL));
    block_close(machine.media[0]);
    SEND(0x0F, 0x00, 1);
    expect_seek_end(0x20, 1);
    ck_assert_uint_eq(in(INPUT)&0x80, 0x80); /* an empty drive keeps the line up */
    machine.media[0] = open_image("b.img", false);
    ck_assert(i82077_change_media(machine.fdc, 0, machine.media[0], NULL));
    ck_assert_uint_eq(in(INPUT)&0x80, 0x80);
    SEND(0x0F, 0x00, 0);
    expect_seek_end(0x20, 0);
    ck_assert_uint_eq(in(INPUT)&0x80, 0);
    out(INPUT, RATE_250K);
    set_dma(512);
    SEND(0x46, 0x00, 79, 0, 9, 2, 9, 0x1B, 0xFF);
    expect_result(0, 0, 0, 80, 0, 1);
    ck_assert_uint_eq(machine.memory[0] | machine.memory[1] << 8, 79 * 18 + 8);
    ck_assert(!i82077_change_media(machine.fdc, 1, NULL, NULL));
    unplug();
}
END_TEST

START_TEST(two_drives_seek_at_once) {
    make_image("a.img", 1474560);
    make_image("b.img", 1228800);
    plug(open_image("a.img", false), open_image("b.img", false), false);
    ck_assert_uint_eq(i82077_drive_type(machine.fdc, 1), FLOPPY_DRIVE_1200K);
    start(0, RATE_500K);
    out(DOR, 0x3C);
    SEND(0x0F, 0x00, 60);
    SEND(0x0F, 0x01, 20);
    ck_assert_uint_eq(in(MSR), 0x83);
    expect_seek_end(0x21, 20);
    ck_assert_uint_eq(in(MSR), 0x81);
    expect_seek_end(0x20, 60);
    ck_assert_uint_eq(in(MSR), 0x80);
    set_dma(512);
    SEND(0x46, 0x01, 20, 0, 15, 2, 15, 0x1B, 0xFF);
    expect_result(0x01, 0, 0, 21, 0, 1);
    ck_assert_uint_eq(machine.memory[0] | machine.memory[1] << 8, 20 * 30 + 14);
    unplug();
}
END_TEST

START_TEST(dma_gate_holds_the_interrupt) {
    start_1440();
    SEND(0x0F, 0x00, 1);
    out(DOR, 0x14);
    while (next_event())
        ;
    ck_assert_int_eq(machine.irq, 0);
    out(DOR, 0x1C);
    ck_assert_int_eq(machine.irq, 1);
    expect_seek_end(0x20, 1);
    unplug();
}
END_TEST

START_TEST(reset_stops_a_transfer) {
    start_1440();
    set_dma(18 * 512);
    SEND(0x46, 0x00, 0, 0, 1, 2, 18, 0x1B, 0xFF);
    for (int i = 0; i < 5; i++)
        next_event();
    out(MSR, 0x80); /* DSR: software reset, leaves by itself */
    size_t left = machine.dma_left;
    ck_assert_uint_gt(left, 0);
    int count = machine.irq_count;
    while (next_event())
        ;
    ck_assert_uint_eq(machine.dma_left, left);
    ck_assert_int_eq(machine.irq_count, count + 1);
    uint8_t result[16];
    SEND(0x08);
    ck_assert_uint_eq(receive(result), 2);
    ck_assert_uint_eq(result[0], 0xC0);
    /* A new command forgets the other three. */
    SEND(0x07, 0x00);
    expect_seek_end(0x20, 0);
    unplug();
}
END_TEST

START_TEST(failing_image_is_a_device_error) {
    start_1440();
    ck_assert_int_eq(truncate(path_of("a.img"), 1024), 0);
    set_dma(512);
    SEND(0x46, 0x00, 0, 0, 5, 2, 18, 0x1B, 0xFF);
    expect_result(0x40, 0x20, 0x20, 0, 0, 5);
    unplug();
}
END_TEST

START_TEST(accurate_timing_turns_the_diskette) {
    make_image("a.img", 1474560);
    plug(open_image("a.img", false), NULL, true);
    start(0, RATE_500K);
    set_dma(18 * 512);
    SEND(0x46, 0x00, 0, 0, 1, 2, 18, 0x1B, 0xFF);
    expect_result(0, 0, 0, 1, 0, 1);
    int64_t first = machine.clock.stopped_ns;
    ck_assert_int_ge(first, 199000000);
    ck_assert_int_le(first, 401000000);
    set_dma(512);
    SEND(0x46, 0x00, 0, 0, 18, 2, 18, 0x1B, 0xFF); /* just missed: one turn */
    expect_result(0, 0, 0, 1, 0, 1);
    ck_assert_int_ge(machine.clock.stopped_ns - first, 199000000);
    SEND(0x0F, 0x00, 10);
    int64_t before = machine.clock.stopped_ns;
    expect_seek_end(0x20, 10);
    ck_assert_int_eq(machine.clock.stopped_ns - before, 10 * 6000000); /* SRT Ah: 6 ms a step */
    unplug();
}
END_TEST

/* Runs a command with a save after 'events' events, disturbs everything, restores, and goes on. */
static void save_in_the_middle(int events, bool dma) {
    make_image("a.img", 1474560);
    plug(open_image("a.img", false), NULL, false);
    start(0, RATE_500K);
    SEND(0x03, 0xAF, dma ? 0x02 : 0x03);
    set_dma(4 * 512);
    SEND(0xC6, 0x00, 20, 0, 17, 2, 18, 0x1B, 0xFF);
    uint8_t data[2048];
    size_t taken = 0;
    for (int i = 0; i < events; i++) {
        next_event();
        while (!dma && taken < 700 && in(MSR) == 0xF0)
            data[taken++] = in(DATA);
    }
    ByteBuffer saved = {0};
    device_list_save(&machine.devices, &saved);
    uint64_t hash = device_list_hash(&machine.devices);
    Machine before = machine;

    device_list_reset(&machine.devices);
    SEND(0x0F, 0x00, 70);
    while (next_event())
        ;
    ck_assert_uint_ne(device_list_hash(&machine.devices), hash);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    Error error = {0};
    ck_assert_msg(device_list_load(&machine.devices, &reader, &error), "%s", error.message);
    ck_assert_uint_eq(device_list_hash(&machine.devices), hash);
    machine.clock.stopped_ns = before.clock.stopped_ns;
    machine.irq = before.irq;
    machine.dma_position = before.dma_position;
    machine.dma_left = before.dma_left;
    clock_rebuild(&machine.clock);
    byte_buffer_free(&saved);

    while (!dma && taken < sizeof(data)) {
        while (in(MSR) != 0xF0)
            ck_assert(next_event());
        data[taken++] = in(DATA);
    }
    if (dma)
        expect_result(0x04, 0, 0, 20, 1, 3);
    else
        while (in(MSR) == 0x30)
            next_event();
    const uint8_t *got = dma ? machine.memory : data;
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_eq(got[i * 512] | got[i * 512 + 1] << 8, 20 * 36 + 16 + i);
        ck_assert_uint_eq(got[i * 512 + 511], (20 * 36 + 16 + i + 511) & 0x7F);
    }
    unplug();
}

START_TEST(saves_in_the_middle_of_a_transfer) {
    for (int events = 0; events < 5; events++) {
        save_in_the_middle(events, true);
        save_in_the_middle(events, false);
    }
}
END_TEST

START_TEST(state_is_described_without_gaps) {
    start_1440();
    ck_assert_int_eq(machine.devices.count, 1);
    ck_assert_int_eq(field_table_find_gap(machine.devices.entries[0].device_class->fields), -1);
    unplug();
}
END_TEST

START_TEST(random_port_writes_are_survived) {
    make_image("a.img", 1474560);
    make_image("b.img", 163840);
    plug(open_image("a.img", false), open_image("b.img", false), false);
    uint32_t random = 12345;
    for (unsigned i = 0; i < 300000; i++) {
        random = random * 1664525 + 1013904223;
        uint16_t port = (uint16_t)(0x3F0 + (random >> 24 & 7));
        if ((random >> 20 & 7) != 0)
            port = DATA;
        if (port == 0x3F6)
            continue;
        if (random & 0x80000)
            out(port, (uint8_t)(random >> 8));
        else
            in(port);
        if ((random & 0x30000) == 0)
            next_event();
        if ((random & 0x7000) == 0)
            set_dma(random >> 12 & 0x1FFF);
    }
    unplug();
}
END_TEST

static void add_transfer_tests(TCase *tests) {
    tcase_add_test(tests, reads_by_dma);
    tcase_add_test(tests, moves_data_by_the_dma_controller);
    tcase_add_test(tests, result_id_follows_the_table);
    tcase_add_test(tests, reads_and_writes_without_dma);
    tcase_add_test(tests, writes_by_dma);
    tcase_add_test(tests, short_image_reads_zeros_and_grows);
    tcase_add_test(tests, sectors_that_are_not_there);
    tcase_add_test(tests, single_sided_medium_has_no_second_side);
    tcase_add_test(tests, forty_track_medium_by_double_steps);
    tcase_add_test(tests, write_protect);
    tcase_add_test(tests, read_id);
    tcase_add_test(tests, read_track_and_deleted);
    tcase_add_test(tests, verify);
    tcase_add_test(tests, scans);
    tcase_add_test(tests, formats_a_track);
    tcase_add_test(tests, end_of_track_without_terminal_count);
    tcase_add_test(tests, dma_in_small_bursts);
    tcase_add_test(tests, masked_dma_channel_waits_then_overruns);
    tcase_add_test(tests, accurate_timing_turns_the_diskette);
}

int main(void) {
    if (mkdtemp(folder) == NULL)
        return 1;
    Suite *suite = suite_create("i82077");
    TCase *tests = tcase_create("i82077");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, formats_by_size);
    tcase_add_test(tests, format_by_boot_sector);
    add_transfer_tests(tests);
    tcase_add_test(tests, rate_motor_and_medium_are_needed);
    tcase_add_test(tests, sense_drive_and_recalibrate);
    tcase_add_test(tests, relative_seek);
    tcase_add_test(tests, settings_read_back);
    tcase_add_test(tests, every_first_byte_is_survived);
    tcase_add_test(tests, media_change);
    tcase_add_test(tests, two_drives_seek_at_once);
    tcase_add_test(tests, dma_gate_holds_the_interrupt);
    tcase_add_test(tests, reset_stops_a_transfer);
    tcase_add_test(tests, failing_image_is_a_device_error);
    tcase_add_test(tests, saves_in_the_middle_of_a_transfer);
    tcase_add_test(tests, state_is_described_without_gaps);
    tcase_add_test(tests, random_port_writes_are_survived);
    suite_add_tcase(suite, tests);
    int status = suite_run(suite);
    unlink(path_of("a.img"));
    unlink(path_of("b.img"));
    rmdir(folder);
    return status;
}

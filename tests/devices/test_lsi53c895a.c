/* The SCSI host adapter: SCRIPTS, phases, messages and time-outs, with honest and hostile drivers.
 */
#include "little_endian.h"
#include "lsi53c895a.h"
#include "pci_disk_fixture.h"
#include "scsi_disk.h"

enum { REGISTERS = 1, RAM = 2 }; /* BARs */
enum { SCRIPT = 0x10000, TABLE = 0x20000, MESSAGE = 0x20100, COMMAND = 0x20200, STATUS = 0x20300 };
enum { DATA = 0x40000, DISK = 3, BLOCKS = 4 };
enum { SCNTL1 = 1, SCNTL2 = 2, SCNTL3 = 3, SFBR = 8, DSTAT = 0xC, SSTAT0 = 0xD, DSA = 0x10 };
enum { ISTAT = 0x14, CTEST2 = 0x1A, TEMP = 0x1C, DSP = 0x2C, DSPS = 0x30, SCRATCHA = 0x34 };
enum { DIEN = 0x39, DCNTL = 0x3B, SIEN0 = 0x40, SIST0 = 0x42, SIST1 = 0x43, STIME1 = 0x49 };
enum { CCNTL0 = 0x56, SCRATCHB = 0x5C, PMJAD1 = 0xC0, PMJAD2 = 0xC4, RBC = 0xC8, UA = 0xCC };
enum { ESA = 0xD0, IA = 0xD4, SBC = 0xD8 };

#define MOVE(phase, count) (0x08000000u | (phase) << 24 | (count))
#define TABLE_MOVE(phase) (0x18000000u | (phase) << 24)
#define SELECT(id) (0x41000000u | (id) << 16)
#define INTERRUPT 0x98080000u
#define CLEAR_ACK 0x60000040u
#define WAIT_DISCONNECT 0x48000000u
enum { OUT = 0, IN = 1, CMD = 2, STAT = 3, MSG_OUT = 6, MSG_IN = 7 };

static PciDiskFixture *fixture;
static ScsiDisk *disk;
static Lsi *lsi;

static void put(unsigned offset, unsigned size, uint32_t value) {
    pci_fixture_write(&fixture->pci, REGISTERS, offset, size, value);
}

static uint32_t get(unsigned offset, unsigned size) {
    return pci_fixture_read(&fixture->pci, REGISTERS, offset, size);
}

static void set_up(void) {
    Error error = {.set = false};
    fixture = pci_disk_fixture_create(false);
    disk = scsi_disk_create(&fixture->pci.board->context,
                            &(ScsiDiskOptions){.id = "scsi-disk3", .medium = fixture->medium});
    LsiOptions options = {.id = "lsi", .slot = PCI_FIXTURE_SLOT};
    options.targets[DISK] = scsi_disk_target(disk);
    lsi = lsi_create(&fixture->pci.board->context, fixture->pci.bus, &options, &error);
    ck_assert_msg(lsi != NULL, "%s", error.message);
    pci_fixture_enable(&fixture->pci);
    put(4, 1, 7);
    put(DIEN, 1, 0x7D);
    put(SIEN0, 2, 0x068F);
    put(DSA, 4, TABLE);
}

static void tear_down(void) {
    lsi_destroy(lsi);
    scsi_disk_destroy(disk);
    pci_disk_fixture_destroy(fixture);
}

static void put_script(uint32_t at, const uint32_t *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        store_le32(pci_fixture_ram(&fixture->pci, at + 4 * (uint32_t)i), words[i]);
}
#define SCRIPT_AT(at, ...)                                                                         \
    put_script(at, (const uint32_t[]){__VA_ARGS__},                                                \
               sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* Runs it to its interrupt; what DSTAT and SIST say, which acknowledges it. */
static uint32_t run(void) {
    put(DSP, 4, SCRIPT);
    pci_fixture_wait_irq(&fixture->pci);
    uint32_t status = get(SIST0, 2) << 8 | (get(DSTAT, 1) & 0x7F);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    return status;
}
enum { BY_INSTRUCTION = 4, MISMATCH = 0x8000, UNEXPECTED = 0x0400, RESET = 0x0200 };
#define TIMEOUT 0x040000u
#define GENERAL 0x020000u

static void put_bytes(uint32_t at, const uint8_t *bytes, size_t size) {
    memcpy(pci_fixture_ram(&fixture->pci, at), bytes, size);
}
#define BYTES_AT(at, ...)                                                                          \
    put_bytes(at, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void put_read(uint32_t lba, uint8_t count) {
    BYTES_AT(COMMAND, 0x28, 0, 0, 0, (uint8_t)(lba >> 8), (uint8_t)lba, 0, 0, count, 0);
    BYTES_AT(MESSAGE, 0x80);
}

/* A command from its selection to the free bus; 'words' move its data. */
static uint32_t run_command(uint32_t move, uint32_t address) {
    SCRIPT_AT(SCRIPT, SELECT(DISK), 0, MOVE(MSG_OUT, 1), MESSAGE, MOVE(CMD, 10), COMMAND, move,
              address, MOVE(STAT, 1), STATUS, MOVE(MSG_IN, 1), STATUS + 1,
              0x7C027F00 /* SCNTL2 and 7Fh */, 0, CLEAR_ACK, 0, WAIT_DISCONNECT, 0, INTERRUPT,
              0x1234);
    return run();
}

static void clear_attention(void) {
    put_read(0, 0);
    run_command(0x80000000, 0);
    ck_assert_uint_eq(*pci_fixture_ram(&fixture->pci, STATUS), 2);
}

START_TEST(reads_and_writes) {
    clear_attention();
    put_read(9, BLOCKS);
    ck_assert_uint_eq(run_command(MOVE(IN, BLOCKS * 512), DATA), BY_INSTRUCTION);
    ck_assert_uint_eq(get(DSPS, 4), 0x1234);
    ck_assert_uint_eq(*pci_fixture_ram(&fixture->pci, STATUS), 0);
    ck_assert_uint_eq(*pci_fixture_ram(&fixture->pci, STATUS + 1), 0);
    ck_assert_uint_eq(get(ISTAT, 1) & 8, 0); /* not connected */
    pci_disk_expect_ram(fixture, DATA, 9 * 512, BLOCKS * 512);
    memset(pci_fixture_ram(&fixture->pci, DATA), 0x5A, BLOCKS * 512);
    put_read(100, BLOCKS);
    *pci_fixture_ram(&fixture->pci, COMMAND) = 0x2A;
    store_le32(pci_fixture_ram(&fixture->pci, TABLE + 16), BLOCKS * 512);
    store_le32(pci_fixture_ram(&fixture->pci, TABLE + 20), DATA);
    ck_assert_uint_eq(run_command(TABLE_MOVE(OUT), 16), BY_INSTRUCTION);
    pci_disk_expect_disk(fixture, 51200, DATA, BLOCKS * 512);
}
END_TEST

START_TEST(instructions_compute) {
    SCRIPT_AT(SCRIPT, 0x78345500, 0, /* 55h to SCRATCHA */
              0x7E34C000, 0,         /* and C0h more: carry */
              0x72340000, 0,         /* to SFBR */
              0x6A350F00, 0,         /* SFBR or 0Fh to SCRATCHA + 1 */
              0x80A00000, 8,         /* no carry: no jump over the next */
              0x79363300, 0, 0x88880000, 8, INTERRUPT, 1, INTERRUPT, 2);
    ck_assert_uint_eq(run(), BY_INSTRUCTION);
    ck_assert_uint_eq(get(SCRATCHA, 1), 0x15);
    ck_assert_uint_eq(get(SCRATCHA + 1, 1), 0x1F);
    ck_assert_uint_eq(get(SFBR, 1), 0x15);
    ck_assert_uint_eq(get(DSPS, 4), 2);
    ck_assert_uint_eq(get(TEMP, 4), SCRIPT + 0x38);
}
END_TEST

START_TEST(moves_memory_and_registers) {
    BYTES_AT(TABLE, 1, 2, 3, 4, 5);
    SCRIPT_AT(SCRIPT, 0xC0000005, TABLE, TABLE + 0x40, /* memory to memory */
              0xE1340004, TABLE,                       /* load SCRATCHA */
              0xF0340002, 0x60,                        /* store two bytes of it at DSA + 60h */
              0xC0000004, TABLE + 1,
              PCI_FIXTURE_MEMORY + REGISTERS * PCI_FIXTURE_MEMORY_STEP + SCRATCHB, /* register */
              0xC0000004, TABLE,
              PCI_FIXTURE_MEMORY + RAM * PCI_FIXTURE_MEMORY_STEP + 0x1FFC, /* own memory */
              0xE0340005, TABLE);                                          /* too many */
    ck_assert_uint_eq(run(), 1);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, TABLE + 0x40), "\1\2\3\4\5", 5);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, TABLE + 0x60), "\1\2", 3);
    ck_assert_uint_eq(get(SCRATCHA, 4), 0x04030201);
    ck_assert_uint_eq(get(SCRATCHB, 4), 0x05040302);
    ck_assert_uint_eq(pci_fixture_read(&fixture->pci, RAM, 0x1FFC, 4), 0x04030201);
    put(CTEST2, 1, 8);
    ck_assert_uint_eq(get(SCRATCHB, 4), PCI_FIXTURE_MEMORY + RAM * PCI_FIXTURE_MEMORY_STEP);
}
END_TEST

/* The disk has less than the driver asks for. */
START_TEST(mismatch_interrupts_or_jumps) {
    clear_attention();
    put_read(9, 1);
    ck_assert_uint_eq(run_command(MOVE(IN, 700), DATA), MISMATCH);
    ck_assert_uint_eq(get(0x24, 4) & 0xFFFFFF, 700 - 512);
    SCRIPT_AT(SCRIPT, MOVE(STAT, 1), STATUS, MOVE(MSG_IN, 1), STATUS + 1, 0x7C027F00, 0, CLEAR_ACK,
              0, INTERRUPT, 7);
    ck_assert_uint_eq(run(), BY_INSTRUCTION);
    put(CCNTL0, 1, 0x80);
    put(PMJAD1, 4, SCRIPT + 0x200);
    SCRIPT_AT(SCRIPT + 0x200, INTERRUPT, 0x77);
    ck_assert_uint_eq(run_command(MOVE(IN, 700), DATA), BY_INSTRUCTION);
    ck_assert_uint_eq(get(DSPS, 4), 0x77);
    ck_assert_uint_eq(get(RBC, 4), MOVE(IN, 700 - 512));
    ck_assert_uint_eq(get(UA, 4), DATA + 512);
    ck_assert_uint_eq(get(IA, 4), SCRIPT + 24);
    ck_assert_uint_eq(get(ESA, 4), SCRIPT + 24);
    ck_assert_uint_eq(get(SBC, 4), 512);
}
END_TEST

START_TEST(nobody_answers) {
    SCRIPT_AT(SCRIPT, SELECT(5u), 0, 0x78340100, 0, 0x87830000 & ~0x02000000u, 8, INTERRUPT, 1);
    ck_assert_uint_eq(run(), TIMEOUT);
    ck_assert_uint_eq(get(SCRATCHA, 1) & 1, 1); /* it went on to where it needs the bus */
    ck_assert_uint_eq(get(DSP, 4), SCRIPT + 24);
}
END_TEST

/* SCID is 0 after a reset, and SeaBIOS leaves it so. */
START_TEST(own_number_does_not_hide_a_target) {
    put(4, 1, DISK);
    clear_attention();
}
END_TEST

START_TEST(speed_is_negotiated) {
    BYTES_AT(MESSAGE, 0x80, 1, 2, 3, 5, 1, 3, 1, 2, 200);
    SCRIPT_AT(SCRIPT, SELECT(DISK), 0, MOVE(MSG_OUT, 10), MESSAGE, MOVE(MSG_IN, 4), DATA, CLEAR_ACK,
              0, MOVE(MSG_IN, 5), DATA + 4, CLEAR_ACK, 0, 0x860A0000, 8, INTERRUPT, 1,
              /* nothing else: now the command */
              MOVE(CMD, 10), COMMAND, INTERRUPT, 2);
    put_read(0, 0);
    BYTES_AT(MESSAGE, 0x80, 1, 2, 3, 5, 1, 3, 1, 2, 200);
    ck_assert_uint_eq(run(), BY_INSTRUCTION);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, DATA), "\1\2\3\1\1\3\1\x0A\x1F", 9);
}
END_TEST

START_TEST(messages_end_a_connection) {
    clear_attention();
    put_read(9, 1);
    BYTES_AT(MESSAGE, 0x80, 6);
    SCRIPT_AT(SCRIPT, SELECT(DISK), 0, 0x7C027F00, 0, MOVE(MSG_OUT, 2), MESSAGE, WAIT_DISCONNECT, 0,
              INTERRUPT, 2);
    ck_assert_uint_eq(run(), BY_INSTRUCTION);
    ck_assert_uint_eq(get(DSPS, 4), 2);
    SCRIPT_AT(SCRIPT, SELECT(DISK), 0, MOVE(MSG_OUT, 2), MESSAGE, INTERRUPT, 2);
    ck_assert_uint_eq(run(), UNEXPECTED); /* nobody said that this was to come */
}
END_TEST

START_TEST(processor_signals_and_aborts) {
    SCRIPT_AT(SCRIPT, 0x50000000, SCRIPT + 16, INTERRUPT, 1, 0x721A0000, 0, 0x98180000, 0,
              INTERRUPT, 2);
    put(DSP, 4, SCRIPT);
    while (pci_fixture_next_event(&fixture->pci))
        ;
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    put(ISTAT, 1, 0x20);
    pci_fixture_wait_irq(&fixture->pci);
    ck_assert_uint_eq(get(DSPS, 4), 2);
    ck_assert_uint_eq(get(SFBR, 1) & 0x40, 0x40);
    ck_assert_uint_eq(get(ISTAT, 1), 5); /* on the fly, and at the end; the signal was taken */
    put(ISTAT, 1, 4);
    ck_assert_uint_eq(get(DSTAT, 1), 0x84);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    SCRIPT_AT(SCRIPT, 0x80880000, 0xFFFFF8); /* goes round for ever */
    put(DSP, 4, SCRIPT);
    for (unsigned i = 0; i < 100; i++)
        ck_assert(pci_fixture_next_event(&fixture->pci));
    put(ISTAT, 1, 0x80);
    ck_assert_uint_eq(get(DSTAT, 1), 0x90);
    put(ISTAT, 1, 0);
    ck_assert(!pci_fixture_next_event(&fixture->pci));
    put(DCNTL, 1, 0x10); /* single steps */
    put(DSP, 4, SCRIPT);
    ck_assert(!pci_fixture_next_event(&fixture->pci));
    put(DCNTL, 1, 0x14);
    pci_fixture_wait_irq(&fixture->pci);
    ck_assert_uint_eq(get(DSTAT, 1), 0x88);
}
END_TEST

START_TEST(bus_is_reset) {
    clear_attention();
    put(SCNTL1, 1, 8);
    ck_assert_uint_eq(get(SSTAT0, 1) & 2, 2);
    ck_assert_uint_eq(get(SIST0, 1), 2);
    put(SCNTL1, 1, 0);
    ck_assert_uint_eq(get(SSTAT0, 1) & 2, 0);
    clear_attention(); /* the disk tells of it */
    put(ISTAT, 1, 0x40);
    put(ISTAT, 1, 0);
    ck_assert_uint_eq(get(DSTAT, 1), 0x80);
    ck_assert_uint_eq(get(DIEN, 1), 0);
}
END_TEST

/* Its length follows from the clock and the divider: so drivers find the clock. */
START_TEST(general_timer_counts) {
    int64_t begin = clock_now_ns(&fixture->pci.board->clock);
    put(SCNTL3, 1, 4);
    put(STIME1, 1, 11);
    pci_fixture_wait_irq(&fixture->pci);
    int64_t ms = (clock_now_ns(&fixture->pci.board->clock) - begin) / 1000000;
    ck_assert_int_eq(ms, 222);
    ck_assert_uint_eq(get(SIST1, 1), 2);
}
END_TEST

START_TEST(hostile_scripts_do_no_harm) {
    const uint32_t own = PCI_FIXTURE_MEMORY + REGISTERS * PCI_FIXTURE_MEMORY_STEP;
    clear_attention();
    put_read(0, 255);
    run_command(MOVE(IN, 255 * 512), own); /* over its own registers */
    tear_down();
    set_up();
    SCRIPT_AT(SCRIPT, 0xC0FFFFFF, own - 0x1000, 0xFFFFF000, INTERRUPT, 1);
    run();
    SCRIPT_AT(SCRIPT, MOVE(IN, 1), DATA);
    ck_assert_uint_eq(run(), UNEXPECTED);
    SCRIPT_AT(SCRIPT, 0xA0880000, 0);
    ck_assert_uint_eq(run(), 1);
    put(DSP, 4, own + DSP);
    for (unsigned i = 0; i < 50; i++)
        pci_fixture_next_event(&fixture->pci);
}
END_TEST

static void change(ChipFixture *board) {
    (void)board;
    memset(pci_fixture_ram(&fixture->pci, DATA), 0, BLOCKS * 512);
    fixture->pci.irq.level = 0;
    pci_fixture_wait_irq(&fixture->pci);
    pci_disk_expect_ram(fixture, DATA, 9 * 512, BLOCKS * 512);
}

START_TEST(saved_in_the_middle_of_a_command) {
    clear_attention();
    put_read(9, BLOCKS);
    /* As run_command() does, but not to its end: the disk is busy. */
    SCRIPT_AT(SCRIPT, SELECT(DISK), 0, MOVE(MSG_OUT, 1), MESSAGE, MOVE(CMD, 10), COMMAND,
              MOVE(IN, BLOCKS * 512), DATA, INTERRUPT, 1);
    put(DSP, 4, SCRIPT);
    ck_assert(pci_fixture_next_event(&fixture->pci));
    check_devices_save_and_restore(fixture->pci.board, change);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, reads_and_writes);
    tcase_add_test(tests, instructions_compute);
    tcase_add_test(tests, moves_memory_and_registers);
    tcase_add_test(tests, mismatch_interrupts_or_jumps);
    tcase_add_test(tests, nobody_answers);
    tcase_add_test(tests, own_number_does_not_hide_a_target);
    tcase_add_test(tests, speed_is_negotiated);
    tcase_add_test(tests, messages_end_a_connection);
    tcase_add_test(tests, processor_signals_and_aborts);
    tcase_add_test(tests, bus_is_reset);
    tcase_add_test(tests, general_timer_counts);
    tcase_add_test(tests, hostile_scripts_do_no_harm);
    tcase_add_test(tests, saved_in_the_middle_of_a_command);
}

int main(void) {
    return run_suite("lsi53c895a", add);
}

/* An NVMe controller, with honest and with hostile queues and page lists. */
#include "little_endian.h"
#include "nvme.h"
#include "pci_disk_fixture.h"

enum { ADMIN_SQ = 0x10000, ADMIN_CQ = 0x12000, IO_SQ = 0x14000, IO_CQ = 0x16000 };
enum { LIST = 0x20000, DATA = 0x40000, BUFFER = 0x60000 };
enum { ENTRIES = 8 };
enum { CC = 0x14, CSTS = 0x1C, AQA = 0x24, ASQ = 0x28, ACQ = 0x30, DOORBELLS = 0x1000 };
enum { DELETE_SQ = 0, CREATE_SQ = 1, GET_LOG = 2, DELETE_CQ = 4, CREATE_CQ = 5, IDENTIFY = 6 };
enum { ABORT = 8, SET_FEATURES = 9, GET_FEATURES = 10, REQUEST_EVENT = 12 };
enum { FLUSH = 0, WRITE = 1, READ = 2, WRITE_ZEROES = 8, MANAGE_DATA = 9 };
#define ENABLE_IT 0x00460001u

/* Statuses without the bit that forbids to try again. */
enum { INVALID_FIELD = 0x02, TRANSFER_ERROR = 0x04, BAD_NAMESPACE = 0x0B, BAD_OFFSET = 0x13 };
enum { WRITE_PROTECTED = 0x20, OUT_OF_RANGE = 0x80, BAD_CQ = 0x100, BAD_QUEUE = 0x101 };
enum { BAD_SIZE = 0x102, TOO_MANY_EVENTS = 0x105, BAD_LOG = 0x109, IN_USE = 0x10C };

typedef struct Queue {
    uint32_t submission, completion;
    unsigned number, tail, head, phase;
} Queue;

static PciDiskFixture *fixture;
static Nvme *nvme;
static Queue admin, io;

static void put(unsigned offset, uint32_t value) {
    pci_fixture_write(&fixture->pci, 0, offset, 4, value);
}

static uint32_t get(unsigned offset) {
    return pci_fixture_read(&fixture->pci, 0, offset, 4);
}

static void start(void) {
    put(CC, 0);
    put(AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    put(ASQ, ADMIN_SQ);
    put(ASQ + 4, 0);
    put(ACQ, ADMIN_CQ);
    put(ACQ + 4, 0);
    memset(pci_fixture_ram(&fixture->pci, ADMIN_SQ), 0, 0x8000);
    put(CC, ENABLE_IT);
    ck_assert_uint_eq(get(CSTS), 1);
    admin = (Queue){ADMIN_SQ, ADMIN_CQ, 0, 0, 0, 1};
    io = (Queue){IO_SQ, IO_CQ, 1, 0, 0, 1};
}

static void plug_in(bool read_only) {
    Error error = {.set = false};
    fixture = pci_disk_fixture_create(read_only);
    const NvmeOptions options = {
        .id = "nvme0", .slot = PCI_FIXTURE_SLOT, .medium = fixture->medium, .serial = "abc123"};
    nvme = nvme_create(&fixture->pci.board->context, fixture->pci.bus, &options, &error);
    ck_assert_msg(nvme != NULL, "%s", error.message);
    pci_fixture_enable(&fixture->pci);
    start();
}

static void set_up(void) {
    plug_in(false);
}

static void tear_down(void) {
    nvme_destroy(nvme);
    pci_disk_fixture_destroy(fixture);
}

typedef struct Command {
    uint8_t opcode, flags;
    uint32_t name_space;
    uint64_t page[2];
    uint32_t words[3];
} Command;

static void submit(Queue *queue, const Command *command) {
    uint8_t *entry = pci_fixture_ram(&fixture->pci, queue->submission + queue->tail * 64);
    memset(entry, 0, 64);
    entry[0] = command->opcode;
    entry[1] = command->flags;
    store_le16(entry + 2, (uint16_t)(0x700 + queue->tail));
    store_le32(entry + 4, command->name_space);
    store_le64(entry + 24, command->page[0]);
    store_le64(entry + 32, command->page[1]);
    for (unsigned i = 0; i < 3; i++)
        store_le32(entry + 40 + 4 * i, command->words[i]);
    queue->tail = (queue->tail + 1) % ENTRIES;
    put(DOORBELLS + queue->number * 8, queue->tail);
}

static const uint8_t *next_completion(const Queue *queue) {
    return pci_fixture_ram(&fixture->pci, queue->completion + queue->head * 16);
}

static bool is_done(const Queue *queue) {
    return (load_le16(next_completion(queue) + 14) & 1) == queue->phase;
}

static void take_completion(Queue *queue) {
    queue->head = (queue->head + 1) % ENTRIES;
    queue->phase ^= queue->head == 0;
    put(DOORBELLS + queue->number * 8 + 4, queue->head);
}

/* Runs a command to its end; its status without the bit that forbids to try again. */
static unsigned run(Queue *queue, Command command, uint32_t *result) {
    submit(queue, &command);
    ck_assert(!is_done(queue)); /* it takes time */
    pci_fixture_wait_irq(&fixture->pci);
    ck_assert(is_done(queue));
    const uint8_t *entry = next_completion(queue);
    ck_assert_uint_eq(load_le16(entry + 10), queue->number);
    ck_assert_uint_eq(load_le16(entry + 8), queue->tail);
    if (result != NULL)
        *result = load_le32(entry);
    unsigned status = load_le16(entry + 14) >> 1 & 0x7FF;
    take_completion(queue);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    return status;
}

#define RUN(queue, ...) run(queue, (Command){__VA_ARGS__}, NULL)

static void create_io_queues(void) {
    ck_assert_uint_eq(
        RUN(&admin, CREATE_CQ, .page = {IO_CQ}, .words = {(ENTRIES - 1) << 16 | 1, 3}), 0);
    ck_assert_uint_eq(
        RUN(&admin, CREATE_SQ, .page = {IO_SQ}, .words = {(ENTRIES - 1) << 16 | 1, 1 << 16 | 1}),
        0);
}

static Command transfer(uint8_t opcode, uint32_t lba, uint32_t sectors, uint64_t first,
                        uint64_t second) {
    return (Command){opcode, 0, 1, {first, second}, {lba, 0, sectors - 1}};
}

START_TEST(controller_and_namespace_are_identified) {
    ck_assert_uint_eq(RUN(&admin, IDENTIFY, .page = {DATA}, .words = {1}), 0);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, DATA + 4), "abc123              ", 20);
    ck_assert_uint_eq(load_le32(pci_fixture_ram(&fixture->pci, DATA + 516)), 1);
    ck_assert_uint_eq(RUN(&admin, IDENTIFY, .name_space = 1, .page = {DATA}), 0);
    ck_assert_uint_eq(load_le64(pci_fixture_ram(&fixture->pci, DATA)), PCI_DISK_IMAGE_BYTES / 512);
    ck_assert_uint_eq(RUN(&admin, IDENTIFY, .name_space = 2, .page = {DATA}), BAD_NAMESPACE);
    ck_assert_uint_eq(RUN(&admin, IDENTIFY, .page = {DATA}, .words = {2}), 0);
    ck_assert_uint_eq(load_le32(pci_fixture_ram(&fixture->pci, DATA)), 1);
    ck_assert_uint_eq(RUN(&admin, IDENTIFY, .page = {DATA}, .words = {0x77}), INVALID_FIELD);
    ck_assert_uint_eq(RUN(&admin, GET_LOG, .page = {DATA}, .words = {127 << 16 | 2}), 0);
    ck_assert_uint_eq(load_le16(pci_fixture_ram(&fixture->pci, DATA + 1)), 303);
    ck_assert_uint_eq(RUN(&admin, GET_LOG, .page = {DATA}, .words = {99}), BAD_LOG);
    ck_assert_uint_eq(RUN(&admin, .opcode = 0x55), 1);
}
END_TEST

START_TEST(features_are_kept) {
    uint32_t result;
    ck_assert_uint_eq(run(&admin, (Command){SET_FEATURES, .words = {7, 0x00FF00FF}}, &result), 0);
    ck_assert_uint_eq(result, 15 << 16 | 15);
    ck_assert_uint_eq(RUN(&admin, SET_FEATURES, .words = {6, 0}), 0);
    ck_assert_uint_eq(run(&admin, (Command){GET_FEATURES, .words = {6}}, &result), 0);
    ck_assert_uint_eq(result, 0);
    ck_assert_uint_eq(run(&admin, (Command){GET_FEATURES, .words = {0x106}}, &result), 0);
    ck_assert_uint_eq(result, 1);
    ck_assert_uint_eq(RUN(&admin, GET_FEATURES, .words = {0x90}), INVALID_FIELD);
    ck_assert_uint_eq(RUN(&admin, ABORT, .words = {0}), 0);
    for (unsigned i = 0; i < 4; i++) {
        submit(&admin, &(Command){.opcode = REQUEST_EVENT});
        while (pci_fixture_next_event(&fixture->pci))
            ;
        ck_assert(!is_done(&admin));
    }
    ck_assert_uint_eq(RUN(&admin, .opcode = REQUEST_EVENT), TOO_MANY_EVENTS);
}
END_TEST

START_TEST(queues_are_created_and_deleted) {
    const uint32_t size = (ENTRIES - 1) << 16;
    ck_assert_uint_eq(RUN(&admin, CREATE_SQ, .page = {IO_SQ}, .words = {size | 1, 1 << 16 | 1}),
                      BAD_CQ);
    ck_assert_uint_eq(RUN(&admin, CREATE_CQ, .page = {IO_CQ}, .words = {size, 3}), BAD_QUEUE);
    ck_assert_uint_eq(RUN(&admin, CREATE_CQ, .page = {IO_CQ}, .words = {size | 99, 3}), BAD_QUEUE);
    ck_assert_uint_eq(RUN(&admin, CREATE_CQ, .page = {IO_CQ}, .words = {0xFFFF0001, 3}), BAD_SIZE);
    ck_assert_uint_eq(RUN(&admin, CREATE_CQ, .page = {IO_CQ}, .words = {1, 3}), BAD_SIZE);
    ck_assert_uint_eq(RUN(&admin, CREATE_CQ, .page = {IO_CQ + 4}, .words = {size | 1, 3}),
                      BAD_OFFSET);
    ck_assert_uint_eq(
        RUN(&admin, CREATE_CQ, .page = {UINT64_C(0xFFFFFFFFFFFFF000)}, .words = {size | 1, 3}),
        INVALID_FIELD);
    create_io_queues();
    ck_assert_uint_eq(RUN(&admin, CREATE_CQ, .page = {IO_CQ}, .words = {size | 1, 3}), BAD_QUEUE);
    ck_assert_uint_eq(RUN(&admin, DELETE_CQ, .words = {1}), IN_USE);
    ck_assert_uint_eq(RUN(&admin, DELETE_SQ, .words = {1}), 0);
    ck_assert_uint_eq(RUN(&admin, DELETE_SQ, .words = {1}), BAD_QUEUE);
    ck_assert_uint_eq(RUN(&admin, DELETE_CQ, .words = {1}), 0);
    ck_assert_uint_eq(RUN(&admin, DELETE_CQ, .words = {0}), BAD_QUEUE);
}
END_TEST

START_TEST(reads_and_writes) {
    create_io_queues();
    ck_assert_uint_eq(run(&io, transfer(READ, 5, 8, DATA, 0), NULL), 0);
    pci_disk_expect_ram(fixture, DATA, 5 * 512, 4096);
    /* Into two pages, neither from its beginning to its end. */
    ck_assert_uint_eq(run(&io, transfer(READ, 9, 4, DATA + 0xC00, BUFFER), NULL), 0);
    pci_disk_expect_ram(fixture, DATA + 0xC00, 9 * 512, 1024);
    pci_disk_expect_ram(fixture, BUFFER, 11 * 512, 1024);
    memset(pci_fixture_ram(&fixture->pci, DATA), 0x5A, 4096);
    ck_assert_uint_eq(run(&io, transfer(WRITE, 100, 8, DATA, 0), NULL), 0);
    pci_disk_expect_disk(fixture, 51200, DATA, 4096);
    ck_assert_uint_eq(RUN(&io, FLUSH, .name_space = 0xFFFFFFFF), 0);
    memset(pci_fixture_ram(&fixture->pci, DATA), 0, 4096);
    ck_assert_uint_eq(run(&io, transfer(WRITE_ZEROES, 101, 2, 0, 0), NULL), 0);
    pci_disk_expect_disk(fixture, 101 * 512, DATA, 1024);
    store_le32(pci_fixture_ram(&fixture->pci, DATA + 4), 8);
    store_le64(pci_fixture_ram(&fixture->pci, DATA + 8), 200);
    Command discard = {MANAGE_DATA, 0, 1, {DATA}, {0, 4, 0}};
    ck_assert_uint_eq(run(&io, discard, NULL), 0);
    store_le64(pci_fixture_ram(&fixture->pci, DATA + 8), UINT64_MAX);
    ck_assert_uint_eq(run(&io, discard, NULL), OUT_OF_RANGE);
}
END_TEST

/* 512 KB, whose list of pages goes on in another. */
START_TEST(long_transfers_have_lists) {
    create_io_queues();
    for (unsigned i = 0; i < 3; i++)
        store_le64(pci_fixture_ram(&fixture->pci, LIST + 0xFE0 + i * 8), 0x100000 + 0x1000 * i);
    store_le64(pci_fixture_ram(&fixture->pci, LIST + 0xFF8), LIST + 0x2000);
    for (unsigned i = 3; i < 127; i++)
        store_le64(pci_fixture_ram(&fixture->pci, LIST + 0x2000 + (i - 3) * 8),
                   0x100000 + 0x1000 * i);
    ck_assert_uint_eq(run(&io, transfer(READ, 16, 1024, DATA, LIST + 0xFE0), NULL), 0);
    pci_disk_expect_ram(fixture, DATA, 16 * 512, 4096);
    pci_disk_expect_ram(fixture, 0x100000, 24 * 512, 127 * 4096);
    ck_assert_uint_eq(run(&io, transfer(READ, 16, 1025, DATA, LIST), NULL), INVALID_FIELD);
}
END_TEST

START_TEST(hostile_commands_are_errors) {
    create_io_queues();
    const uint32_t last = PCI_DISK_IMAGE_BYTES / 512 - 1;
    ck_assert_uint_eq(run(&io, transfer(READ, last, 2, DATA, 0), NULL), OUT_OF_RANGE);
    Command far = transfer(WRITE, UINT32_MAX, 8, DATA, 0);
    far.words[1] = UINT32_MAX;
    ck_assert_uint_eq(run(&io, far, NULL), OUT_OF_RANGE);
    ck_assert_uint_eq(run(&io, transfer(READ, 0, 8, DATA + 2, BUFFER), NULL), BAD_OFFSET);
    ck_assert_uint_eq(run(&io, transfer(READ, 0, 16, DATA, BUFFER + 8), NULL), BAD_OFFSET);
    ck_assert_uint_eq(run(&io, transfer(READ, 0, 8, UINT64_C(0x100000000), 0), NULL),
                      TRANSFER_ERROR);
    ck_assert_uint_eq(run(&io, transfer(READ, 0, 32, DATA, UINT64_MAX & ~0xFFFull), NULL),
                      TRANSFER_ERROR);
    store_le64(pci_fixture_ram(&fixture->pci, LIST), DATA + 8);
    ck_assert_uint_eq(run(&io, transfer(READ, 0, 32, DATA, LIST), NULL), BAD_OFFSET);
    /* A list whose last entry leads to itself. */
    store_le64(pci_fixture_ram(&fixture->pci, LIST + 0xFF8), LIST);
    for (unsigned i = 0; i < 511; i++)
        store_le64(pci_fixture_ram(&fixture->pci, LIST + 8 * i), 0x7FFFF000);
    run(&io, transfer(READ, 0, 32, DATA, LIST + 0xFF8), NULL);
    Command other = transfer(READ, 0, 8, DATA, 0);
    other.name_space = 2;
    ck_assert_uint_eq(run(&io, other, NULL), BAD_NAMESPACE);
    other = transfer(READ, 0, 8, DATA, 0);
    other.flags = 0x40; /* a scatter list */
    ck_assert_uint_eq(run(&io, other, NULL), INVALID_FIELD);
    put(DOORBELLS + 8, ENTRIES); /* outside of the queue */
    put(DOORBELLS + 3 * 8, 1);   /* of no queue */
    put(DOORBELLS + 0x2FFC, 1);
    ck_assert(!pci_fixture_next_event(&fixture->pci));
}
END_TEST

/* The list that leads to itself at each entry that could hold a page. */
START_TEST(circle_of_lists_ends) {
    create_io_queues();
    store_le64(pci_fixture_ram(&fixture->pci, LIST + 0xFF8), LIST);
    store_le64(pci_fixture_ram(&fixture->pci, LIST), LIST);
    uint32_t at = LIST + 0xFF8;
    store_le64(pci_fixture_ram(&fixture->pci, LIST), at & ~0xFFFu);
    ck_assert_uint_eq(run(&io, transfer(READ, 0, 1024, DATA, at), NULL), 0);
}
END_TEST

START_TEST(read_only_disk_refuses_writes) {
    tear_down();
    plug_in(true);
    create_io_queues();
    ck_assert_uint_eq(run(&io, transfer(WRITE, 0, 8, DATA, 0), NULL), WRITE_PROTECTED);
    ck_assert_uint_eq(run(&io, transfer(WRITE_ZEROES, 0, 8, 0, 0), NULL), WRITE_PROTECTED);
    ck_assert_uint_eq(run(&io, transfer(READ, 0, 8, DATA, 0), NULL), 0);
}
END_TEST

START_TEST(impossible_admin_queues_are_fatal) {
    put(CC, 0);
    put(ASQ + 4, 1);
    put(CC, ENABLE_IT);
    ck_assert_uint_eq(get(CSTS), 2);
    put(CC, 0);
    ck_assert_uint_eq(get(CSTS), 0);
    put(ASQ + 4, 0);
    put(AQA, 0);
    put(CC, ENABLE_IT);
    ck_assert_uint_eq(get(CSTS), 2);
    put(CC, 0);
    put(AQA, 0x00070007);
    put(CC, ENABLE_IT | 15u << 7); /* pages of 128 MB */
    ck_assert_uint_eq(get(CSTS), 2);
    start();
    put(CC, ENABLE_IT | 15u << 7); /* too late */
    ck_assert_uint_eq(get(CC), ENABLE_IT);
    put(CC, ENABLE_IT | 1u << 14);
    ck_assert_uint_eq(get(CSTS), 1 | 2 << 2);
}
END_TEST

START_TEST(queue_over_its_own_registers_harms_nobody) {
    put(CC, 0);
    put(ASQ, PCI_FIXTURE_MEMORY);
    put(ACQ, PCI_FIXTURE_MEMORY);
    put(CC, ENABLE_IT);
    put(DOORBELLS, 3);
    while (pci_fixture_next_event(&fixture->pci))
        ;
    ck_assert_uint_eq(get(CC), ENABLE_IT);
    start();
    create_io_queues();
    ck_assert_uint_eq(run(&io, transfer(READ, 0, 8, PCI_FIXTURE_MEMORY, 0), NULL), 0);
    ck_assert_uint_eq(get(CC), ENABLE_IT);
}
END_TEST

START_TEST(full_completion_queue_waits) {
    create_io_queues();
    for (unsigned i = 0; i < ENTRIES - 1; i++)
        submit(&io, &(Command){.opcode = FLUSH, .name_space = 1});
    while (pci_fixture_next_event(&fixture->pci))
        ;
    submit(&io, &(Command){.opcode = FLUSH, .name_space = 1});
    submit(&io, &(Command){.opcode = FLUSH, .name_space = 1});
    ck_assert(!pci_fixture_next_event(&fixture->pci));
    for (unsigned i = 0; i < ENTRIES - 1; i++) {
        ck_assert(is_done(&io));
        take_completion(&io);
    }
    while (pci_fixture_next_event(&fixture->pci))
        ;
    ck_assert(is_done(&io));
    take_completion(&io);
    take_completion(&io);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
}
END_TEST

/* Begins in the middle of a command. */
static void change(ChipFixture *board) {
    (void)board;
    fixture->pci.irq.level = 0;
    memset(pci_fixture_ram(&fixture->pci, IO_CQ), 0, 0x100);
    memset(pci_fixture_ram(&fixture->pci, DATA), 0, 4096);
    pci_fixture_wait_irq(&fixture->pci);
    pci_disk_expect_ram(fixture, DATA, 9 * 512, 4096);
}

START_TEST(saved_in_the_middle_of_a_command) {
    create_io_queues();
    Command command = transfer(READ, 9, 8, DATA, 0);
    submit(&io, &command);
    check_devices_save_and_restore(fixture->pci.board, change);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, controller_and_namespace_are_identified);
    tcase_add_test(tests, features_are_kept);
    tcase_add_test(tests, queues_are_created_and_deleted);
    tcase_add_test(tests, reads_and_writes);
    tcase_add_test(tests, long_transfers_have_lists);
    tcase_add_test(tests, hostile_commands_are_errors);
    tcase_add_test(tests, circle_of_lists_ends);
    tcase_add_test(tests, read_only_disk_refuses_writes);
    tcase_add_test(tests, impossible_admin_queues_are_fatal);
    tcase_add_test(tests, queue_over_its_own_registers_harms_nobody);
    tcase_add_test(tests, full_completion_queue_waits);
    tcase_add_test(tests, saved_in_the_middle_of_a_command);
}

int main(void) {
    return run_suite("nvme", add);
}

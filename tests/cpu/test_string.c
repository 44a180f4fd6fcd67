/* String instructions: against a plain model over random cases (overlaps, directions, wraps, page
 * borders, faults half-way, pauses at any iteration), and chosen cases for what the model does not
 * know. */
#include "cpu_debug.h"
#include "cpu_fixture.h"
#include "flags.h"
#include "suite_run.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { NO_REPEAT, REPE, REPNE };
enum { MOVS, STOS, LODS, CMPS, SCAS, OPERATIONS };
enum { ARENA = 0x100000, ARENA_BYTES = 0x20000 };

static CpuFixture *fixture;
static Cpu *cpu;

static void set_up(void) {
    fixture = fixture_create("pentium3");
    cpu = fixture->cpu;
}

static void tear_down(void) {
    fixture_destroy(fixture);
}

static uint32_t form(unsigned size, unsigned address_size, unsigned repeat) {
    return size | address_size << 4 | repeat << 8;
}

static HelperFunction *const helpers[OPERATIONS] = {helper_string_movs, helper_string_stos,
                                                    helper_string_lods, helper_string_cmps,
                                                    helper_string_scas};

static void set_pointers(uint32_t esi, uint32_t edi, uint32_t ecx) {
    cpu->state.gpr[REG_ESI] = esi;
    cpu->state.gpr[REG_EDI] = edi;
    cpu->state.gpr[REG_ECX] = ecx;
}

/* ---- The model: one byte array, one element at a time ---- */

typedef struct Model {
    uint8_t memory[ARENA_BYTES];
    uint32_t esi, edi, ecx, eax, flags;
    uint32_t absent; /* offset of a page of the arena that is not mapped; UINT32_MAX: none */
    uint32_t iterations;
    bool fault;
    uint32_t fault_address;
} Model;

static bool model_reaches(Model *model, uint32_t offset, unsigned size) {
    for (unsigned i = 0; i < size; i++)
        if (((offset + i) & ~0xFFFu) == model->absent) {
            model->fault = true;
            model->fault_address = ARENA + offset + i;
            return false;
        }
    return true;
}

static uint32_t model_load(const Model *model, uint32_t offset, unsigned size) {
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)model->memory[offset + i] << 8 * i;
    return value;
}

static void model_store(Model *model, uint32_t offset, unsigned size, uint32_t value) {
    for (unsigned i = 0; i < size; i++)
        model->memory[offset + i] = (uint8_t)(value >> 8 * i);
}

/* False: a fault. '*equal' is the comparison's outcome. */
static bool model_element(Model *model, unsigned operation, unsigned size, uint32_t *flags,
                          bool *equal) {
    bool source = operation == MOVS || operation == LODS || operation == CMPS;
    bool destination = operation != LODS;
    uint32_t mask = (uint32_t)alu_mask(size);
    if ((source && !model_reaches(model, model->esi, size)) ||
        (destination && !model_reaches(model, model->edi, size)))
        return false;
    uint32_t from = source ? model_load(model, model->esi, size) : model->eax & mask;
    switch (operation) {
    case MOVS:
    case STOS:
        model_store(model, model->edi, size, from);
        break;
    case LODS:
        model->eax = (model->eax & ~mask) | from;
        break;
    default:
        *equal = from == model_load(model, model->edi, size);
        alu_sub(size, from, model_load(model, model->edi, size), flags);
        break;
    }
    return true;
}

static void model_run(Model *model, unsigned operation, unsigned size, unsigned repeat, bool down) {
    uint32_t step = down ? 0u - size : size;
    uint32_t flags = model->flags;
    bool compares = operation == CMPS || operation == SCAS, equal = false;
    while (repeat == NO_REPEAT || model->ecx != 0) {
        if (!model_element(model, operation, size, &flags, &equal))
            return;
        model->iterations++;
        model->esi += operation == MOVS || operation == LODS || operation == CMPS ? step : 0;
        model->edi += operation != LODS ? step : 0;
        if (repeat == NO_REPEAT)
            break;
        model->ecx--;
        if (compares && equal != (repeat == REPE))
            break;
    }
    if (model->iterations > 0)
        model->flags = flags;
}

/* ---- Random cases ---- */

static uint32_t random_below(uint32_t limit) {
    return (uint32_t)random() % limit;
}

/* Few different values, so that comparisons run on; offsets mostly near page borders and near each
 * other. */
static void random_case(Model *model, unsigned size) {
    uint8_t alphabet = random_below(3) == 0 ? 255 : 1;
    for (uint32_t i = 0; i < ARENA_BYTES; i++)
        model->memory[i] = random_below(200) == 0 ? alphabet : 0;
    uint32_t page = 0x8000 + random_below(8) * 0x1000;
    model->esi = page + random_below(64) - 32;
    uint32_t near = random_below(3);
    model->edi = near == 0 ? model->esi + random_below(32) - 16
                           : 0x8000 + random_below(8) * 0x1000 + random_below(64) - 32;
    model->ecx = random_below(4) == 0 ? random_below(4) : random_below(0x6000 / size);
    model->eax = random_below(2) * 0x01010101;
    model->flags = random_below(2) ? FLAG_STATUS : 0;
    model->absent = random_below(2) ? UINT32_MAX : 0x4000 + random_below(16) * 0x1000;
}

static void install(const Model *model) {
    memcpy(physical_map_ram(fixture->map) + ARENA, model->memory, ARENA_BYTES);
    set_pointers(ARENA + model->esi, ARENA + model->edi, model->ecx);
    cpu->state.gpr[REG_EAX] = model->eax;
    cpu_set_status_flags(cpu, model->flags);
    for (uint32_t offset = 0; offset < ARENA_BYTES; offset += 0x1000)
        fixture_set_page(fixture, ARENA + offset,
                         offset == model->absent ? 0 : (ARENA + offset) | 7);
}

static void run_case(unsigned operation, unsigned size, unsigned repeat, bool down,
                     unsigned number) {
    static Model model;
    memset(&model, 0, sizeof(model));
    random_case(&model, size);
    install(&model);
    cpu->state.direction = down ? -1 : 1;
    cpu->state.eip = CODE;
    cpu->break_after = 0;
    uint32_t iterations = 0;
    HelperResult result;
    do {
        cpu->iterations_allowed =
            random_below(3) == 0 ? 1 + random_below(5) : 1 + random_below(20000);
        result = fixture_call(fixture, helpers[operation], form(size, 4, repeat), SEG_DS, 0, 0);
        ck_assert_uint_le(cpu->iterations, cpu->iterations_allowed);
        iterations += cpu->iterations;
    } while (result == HELPER_AGAIN);
    model_run(&model, operation, size, repeat, down);
    ck_assert_int_eq(result, model.fault ? HELPER_FAULT : HELPER_NEXT);
    ck_assert_uint_eq(cpu->state.eip, model.fault ? CODE : CODE + 2);
    ck_assert_msg(iterations == model.iterations, "case %u: %u iterations, not %u", number,
                  iterations, model.iterations);
    ck_assert_uint_eq(GPR(fixture, REG_ESI), ARENA + model.esi);
    ck_assert_uint_eq(GPR(fixture, REG_EDI), ARENA + model.edi);
    ck_assert_uint_eq(GPR(fixture, REG_ECX), model.ecx);
    ck_assert_uint_eq(GPR(fixture, REG_EAX), model.eax);
    ck_assert_uint_eq(cpu_get_status_flags(cpu), model.flags);
    if (model.fault)
        ck_assert_uint_eq(cpu->exception.cr2, model.fault_address);
    ck_assert_msg(memcmp(physical_map_ram(fixture->map) + ARENA, model.memory, ARENA_BYTES) == 0,
                  "case %u: operation %u size %u repeat %u down %d", number, operation, size,
                  repeat, down);
}

START_TEST(random_cases_agree_with_the_model) {
    fixture_enter_protected(fixture, 3);
    fixture_enable_paging(fixture);
    srandom(20);
    for (unsigned number = 0; number < 1500; number++)
        run_case(number % OPERATIONS, 1u << random_below(3),
                 random_below(8) == 0 ? NO_REPEAT : 1 + random_below(2), random_below(2), number);
}
END_TEST

/* ---- Chosen cases ---- */

START_TEST(sixteen_bit_addresses_wrap) {
    cpu->iterations_allowed = 100;
    cpu->state.gpr[REG_EAX] = 0x5A;
    set_pointers(0, 0x1234FFFE, 0xABCD0004);
    ck_assert_int_eq(fixture_call(fixture, helper_string_stos, form(1, 2, REPE), SEG_DS, 0, 0),
                     HELPER_NEXT);
    ck_assert_uint_eq(GPR(fixture, REG_EDI), 0x12340002);
    ck_assert_uint_eq(GPR(fixture, REG_ECX), 0xABCD0000);
    ck_assert_uint_eq(fixture_load(fixture, 0xFFFE, 2), 0x5A5A);
    ck_assert_uint_eq(fixture_load(fixture, 0, 2), 0x5A5A);
    ck_assert_uint_ne(fixture_load(fixture, 0x10000, 1), 0x5A);
    cpu->state.direction = -1;
    set_pointers(0, 1, 4);
    ck_assert_int_eq(fixture_call(fixture, helper_string_stos, form(1, 2, REPE), SEG_DS, 0, 0),
                     HELPER_NEXT);
    ck_assert_uint_eq(GPR(fixture, REG_EDI), 0xFFFD);
}
END_TEST

START_TEST(word_at_the_end_of_the_segment_faults) {
    cpu->iterations_allowed = 100;
    set_pointers(0, 0xFFFB, 5);
    ck_assert_int_eq(fixture_call(fixture, helper_string_stos, form(2, 2, REPE), SEG_DS, 0, 0),
                     HELPER_FAULT);
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_GP);
    ck_assert_uint_eq(GPR(fixture, REG_EDI), 0xFFFF);
    ck_assert_uint_eq(GPR(fixture, REG_ECX), 3);
    ck_assert_uint_eq(cpu->iterations, 2);
}
END_TEST

START_TEST(limit_in_the_middle_of_a_page) {
    fixture_enter_protected(fixture, 0);
    fixture_call(fixture, helper_load_segment, SEG_ES, 0, SMALL_DATA, 0);
    cpu->iterations_allowed = 1000;
    set_pointers(CODE, 0x40, 1000);
    ck_assert_int_eq(fixture_call(fixture, helper_string_movs, form(4, 4, REPE), SEG_DS, 0, 0),
                     HELPER_FAULT);
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_GP);
    ck_assert_uint_eq(GPR(fixture, REG_EDI), 0x100);
    ck_assert_uint_eq(GPR(fixture, REG_ESI), CODE + 0xC0);
    ck_assert_uint_eq(GPR(fixture, REG_ECX), 1000 - 0x30);
}
END_TEST

START_TEST(count_of_zero_touches_nothing) {
    fixture_enter_protected(fixture, 0);
    fixture_call(fixture, helper_load_segment, SEG_ES, 0, 0, 0);
    cpu_set_status_flags(cpu, FLAG_CF);
    set_pointers(0, 0, 0);
    ck_assert_int_eq(fixture_call(fixture, helper_string_cmps, form(1, 4, REPE), SEG_ES, 0, 0),
                     HELPER_NEXT);
    ck_assert_uint_eq(cpu->iterations, 0);
    ck_assert_uint_eq(cpu_get_status_flags(cpu), FLAG_CF);
}
END_TEST

START_TEST(a_pause_sets_rf_and_the_end_clears_it) {
    cpu->iterations_allowed = 2;
    set_pointers(0, 0x8000, 3);
    ck_assert_int_eq(fixture_call(fixture, helper_string_stos, form(1, 2, REPE), SEG_DS, 0, 0),
                     HELPER_AGAIN);
    ck_assert_uint_eq(cpu->state.eip, 0xFFF0);
    ck_assert(cpu->state.eflags & FLAG_RF);
    ck_assert_int_eq(fixture_call(fixture, helper_string_stos, form(1, 2, REPE), SEG_DS, 0, 0),
                     HELPER_NEXT);
    ck_assert(!(cpu->state.eflags & FLAG_RF));
}
END_TEST

START_TEST(data_breakpoint_stops_a_repeat) {
    cpu->iterations_allowed = 100;
    cpu->state.dr[0] = 0x8002;
    cpu->state.dr[7] = DR7_FIXED | 1 | 1 << 16;
    cpu_update_breakpoints(cpu);
    set_pointers(0, 0x8000, 10);
    ck_assert_int_eq(fixture_call(fixture, helper_string_stos, form(1, 2, REPE), SEG_DS, 0, 0),
                     HELPER_AGAIN);
    ck_assert_uint_eq(cpu->state.pending_debug, 1);
    ck_assert_uint_eq(GPR(fixture, REG_ECX), 7);
}
END_TEST

START_TEST(alignment_faults_within_a_repeat) {
    fixture_enter_protected(fixture, 3);
    cpu->state.cr0 |= CR0_AM;
    cpu->state.eflags |= FLAG_AC;
    set_pointers(DATA, DATA + 0x101, 4);
    fixture_expect_fault(fixture, helper_string_movs, form(2, 4, REPE), SEG_DS, 0, 0, EXCEPTION_AC,
                         0);
}
END_TEST

/* ---- Ports ---- */

typedef struct Fifo {
    uint32_t next, count;
    uint8_t written[16];
    uint64_t counts[16]; /* instruction_count at each write */
} Fifo;

static uint32_t read_fifo(void *opaque, uint32_t offset, unsigned size) {
    (void)offset;
    (void)size;
    Fifo *fifo = opaque;
    return fifo->next++ & 0xFF;
}

static void write_fifo(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    (void)offset;
    (void)size;
    Fifo *fifo = opaque;
    fifo->counts[fifo->count % 16] = cpu->state.instruction_count;
    fifo->written[fifo->count++ % 16] = (uint8_t)value;
    if (fifo->count == 3)
        cpu->break_after = 1;
}

static void add_fifo(Fifo *fifo) {
    PortRange range = {.name = "fifo",
                       .first = 0x1F0,
                       .count = 1,
                       .widths = PORT_8,
                       .read = read_fifo,
                       .write = write_fifo,
                       .opaque = fifo};
    ck_assert(port_map_add(fixture->ports, &range, NULL));
    cpu->state.gpr[REG_EDX] = 0x1F0;
}

START_TEST(ins_does_not_read_the_port_before_a_fault) {
    Fifo fifo = {0};
    add_fifo(&fifo);
    fixture_enter_protected(fixture, 0);
    fixture_enable_paging(fixture);
    fixture_set_page(fixture, DATA + 0x1000, (DATA + 0x1000) | 5); /* read-only */
    cpu->iterations_allowed = 100;
    set_pointers(0, DATA + 0xFFD, 10);
    ck_assert_int_eq(fixture_call(fixture, helper_string_ins, form(1, 4, REPE), SEG_DS, 0, 0),
                     HELPER_FAULT);
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_PF);
    ck_assert_uint_eq(cpu->exception.error_code, 3);
    ck_assert_uint_eq(fifo.next, 3);
    ck_assert_uint_eq(GPR(fixture, REG_ECX), 7);
    ck_assert_uint_eq(fixture_load(fixture, DATA + 0xFFD, 2), 0x0100);
}
END_TEST

START_TEST(outs_stops_where_a_device_asks) {
    Fifo fifo = {0};
    add_fifo(&fifo);
    fixture_store(fixture, 0x8000, 4, 0x44332211);
    cpu->break_after = 0;
    cpu->iterations_allowed = 100;
    cpu->state.instruction_count = 1000;
    set_pointers(0x8000, 0, 4);
    ck_assert_int_eq(fixture_call(fixture, helper_string_outs, form(1, 2, REPE), SEG_DS, 0, 0),
                     HELPER_AGAIN);
    ck_assert_uint_eq(cpu->iterations, 3);
    ck_assert_uint_eq(fifo.counts[2], 1002); /* exact at every callback */
    ck_assert_uint_eq(cpu->state.instruction_count, 1000);
    cpu->break_after = 0;
    ck_assert_int_eq(fixture_call(fixture, helper_string_outs, form(1, 2, REPE), SEG_DS, 0, 0),
                     HELPER_JUMP);
    ck_assert_uint_eq(fifo.count, 4);
    ck_assert(memcmp(fifo.written, "\x11\x22\x33\x44", 4) == 0);
}
END_TEST

START_TEST(port_permission_comes_first) {
    Fifo fifo = {0};
    add_fifo(&fifo);
    fixture_enter_protected(fixture, 3); /* port 1F0h lies beyond the bit map */
    cpu->state.gpr[REG_EDX] = 0x1F0;
    set_pointers(0, DATA, 1);
    fixture_expect_fault(fixture, helper_string_ins, form(1, 4, REPE), SEG_DS, 0, 0, EXCEPTION_GP,
                         0);
    ck_assert_uint_eq(fifo.next, 0);
}
END_TEST

/* ---- Memory of a device, element by element in order ---- */

enum { DEVICE = 0xE0000000, DEVICE_BYTES = 0x2000, LOG_ENTRIES = 4096 };

/* Its loads depend on what was accessed before, as VGA's latches do. */
typedef struct LoggingDevice {
    uint32_t log[LOG_ENTRIES];
    uint32_t count;
    uint8_t bytes[DEVICE_BYTES];
} LoggingDevice;

static void log_access(LoggingDevice *device, uint32_t word) {
    ck_assert_uint_lt(device->count, LOG_ENTRIES);
    device->log[device->count++] = word;
}

static uint32_t read_device(void *opaque, uint32_t offset, unsigned size) {
    LoggingDevice *device = opaque;
    uint32_t value = 0;
    log_access(device, offset << 4 | size);
    memcpy(&value, &device->bytes[offset], size);
    return value ^ device->count;
}

static void write_device(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    LoggingDevice *device = opaque;
    log_access(device, 0x80000000u | offset << 4 | size);
    memcpy(&device->bytes[offset], &value, size);
}

typedef struct DeviceCase {
    unsigned operation, size;
    bool down;
    uint32_t esi, edi, ecx;
} DeviceCase;

/* The case with such a device; gives what it saw, and RAM behind it. */
static void run_device_case(const DeviceCase *c, bool timeless, LoggingDevice *device,
                            uint8_t *ram) {
    set_up();
    fixture_enter_protected(fixture, 0);
    MmioRange range = {.name = "logging",
                       .base = DEVICE,
                       .size = DEVICE_BYTES,
                       .read = read_device,
                       .write = write_device,
                       .opaque = device,
                       .timeless = timeless};
    Error error = {0};
    ck_assert(physical_map_add_mmio(fixture->map, &range, &error));
    memset(device, 0, sizeof(*device));
    for (uint32_t i = 0; i < DEVICE_BYTES; i++)
        fixture_store(fixture, ARENA + i, 1, i * 7 & 0xFF);
    cpu->state.direction = c->down ? -1 : 1;
    cpu->state.gpr[REG_EAX] = 0x12345678;
    set_pointers(c->esi, c->edi, c->ecx);
    cpu->iterations_allowed = 1u << 20;
    HelperResult result;
    do
        result = fixture_call(fixture, helpers[c->operation], form(c->size, 4, REPE), SEG_DS, 0, 0);
    while (result == HELPER_AGAIN);
    ck_assert_int_eq(result, HELPER_NEXT);
    for (uint32_t i = 0; i < DEVICE_BYTES; i++)
        ram[i] = (uint8_t)fixture_load(fixture, ARENA + i, 1);
    device->log[device->count] = GPR(fixture, REG_ESI) ^ GPR(fixture, REG_EDI) << 1 ^
                                 GPR(fixture, REG_ECX) << 2 ^ GPR(fixture, REG_EAX);
    tear_down();
}

START_TEST(timeless_devices_see_what_others_see) {
    static const DeviceCase cases[] = {
        {MOVS, 1, false, ARENA + 3, DEVICE + 0xF01, 600},
        {MOVS, 2, false, ARENA + 1, DEVICE + 0x10, 700},
        {MOVS, 4, false, DEVICE + 0xFFC, ARENA + 2, 300},
        {MOVS, 4, false, DEVICE + 0x102, ARENA + 2, 100}, /* not aligned */
        {MOVS, 1, false, DEVICE + 0x20, DEVICE + 0x21, 500},
        {MOVS, 1, true, DEVICE + 0x1000, DEVICE + 0x1004, 500},
        {MOVS, 2, true, ARENA + 0x800, DEVICE + 0x800, 300},
        {STOS, 1, false, 0, DEVICE + 0xFF0, 40},
        {STOS, 4, true, 0, DEVICE + 0x1010, 40},
        {LODS, 2, false, DEVICE + 0xFF0, 0, 40},
        {CMPS, 1, false, DEVICE + 0x1000, ARENA, 40},
        {SCAS, 1, false, 0, DEVICE + 0x10, 1},
    };
    static LoggingDevice plain, timeless;
    static uint8_t plain_ram[DEVICE_BYTES], timeless_ram[DEVICE_BYTES];
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        run_device_case(&cases[i], false, &plain, plain_ram);
        run_device_case(&cases[i], true, &timeless, timeless_ram);
        ck_assert_msg(plain.count == timeless.count, "case %u", i);
        ck_assert_msg(memcmp(&plain, &timeless, sizeof(plain)) == 0, "case %u", i);
        ck_assert_mem_eq(plain_ram, timeless_ram, sizeof(plain_ram));
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("string");
    TCase *tests = tcase_create("string");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, random_cases_agree_with_the_model);
    tcase_add_test(tests, sixteen_bit_addresses_wrap);
    tcase_add_test(tests, word_at_the_end_of_the_segment_faults);
    tcase_add_test(tests, limit_in_the_middle_of_a_page);
    tcase_add_test(tests, count_of_zero_touches_nothing);
    tcase_add_test(tests, a_pause_sets_rf_and_the_end_clears_it);
    tcase_add_test(tests, data_breakpoint_stops_a_repeat);
    tcase_add_test(tests, alignment_faults_within_a_repeat);
    tcase_add_test(tests, ins_does_not_read_the_port_before_a_fault);
    tcase_add_test(tests, outs_stops_where_a_device_asks);
    tcase_add_test(tests, port_permission_comes_first);
    suite_add_tcase(suite, tests);
    TCase *devices = tcase_create("devices");
    tcase_add_test(devices, timeless_devices_see_what_others_see);
    suite_add_tcase(suite, devices);
    return suite_run(suite);
}

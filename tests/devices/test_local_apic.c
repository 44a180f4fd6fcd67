#include "chip_fixture.h"
#include "local_apic.h"

#define BASE 0xFEE00000u
#define MSR_APIC_BASE 0x1B

enum {
    LVT_TIMER = LOCAL_APIC_LVT,
    LVT_THERMAL,
    LVT_PERFORMANCE,
    LVT_LINT0,
    LVT_LINT1,
    LVT_ERROR,
    MASKED = 0x10000,
    PERIODIC = 0x20000,
    LEVEL = 0x8000,
    EXTINT = 0x700,
    NMI = 0x400,
};

static ChipFixture *fixture;
static LocalApic *apic;
static LocalApicGroup *group;
static MsrMap msrs;
static Probe intr, nmi, smi, init;
static int external_acknowledged;
static int ended_vector;
static uint64_t tsc_offset;

static uint8_t acknowledge_external(void *opaque) {
    (*(int *)opaque)++;
    return 0x77;
}

static void end_of_interrupt(void *opaque, uint8_t vector) {
    *(int *)opaque = vector;
}

/* Counts half nanoseconds from 'tsc_offset' on. */
static uint64_t read_tsc(void *opaque) {
    ChipFixture *board = opaque;
    return tsc_offset + (uint64_t)clock_now_ns(&board->clock) * 2;
}

static void put(unsigned index, uint32_t value) {
    physical_write(fixture->context.memory, BASE + index * 16, 4, value);
}

static uint32_t get(unsigned index) {
    return (uint32_t)physical_read(fixture->context.memory, BASE + index * 16, 4);
}

static void setup_with(bool extended) {
    fixture = chip_fixture_create();
    tsc_offset = 1000;
    intr = nmi = smi = init = (Probe){0};
    external_acknowledged = 0;
    ended_vector = -1;
    msrs = (MsrMap){.count = 0};
    LocalApicPins pins = {
        .intr = probe_wire(&intr),
        .nmi = probe_wire(&nmi),
        .smi = probe_wire(&smi),
        .init = probe_wire(&init),
        .acknowledge_external = acknowledge_external,
        .external = &external_acknowledged,
        .end_of_interrupt = end_of_interrupt,
        .io_apic = &ended_vector,
        .has_x2apic = extended,
        .has_tsc_deadline = extended,
        .read_tsc = read_tsc,
        .processor = fixture,
        .tsc_hz = 2000000000,
    };
    group = local_apic_group_create(fixture->context.memory);
    apic = local_apic_create(&fixture->context, group, &msrs, 0, &pins, NULL);
    ck_assert_ptr_nonnull(apic);
}

static void setup(void) {
    setup_with(false);
}

static void setup_extended(void) {
    setup_with(true);
    put(LOCAL_APIC_SPURIOUS_VECTOR, 0x1FF);
}

/* As after firmware: enabled by software, spurious vector FFh. */
static void setup_enabled(void) {
    setup();
    put(LOCAL_APIC_SPURIOUS_VECTOR, 0x1FF);
}

static void teardown(void) {
    local_apic_destroy(apic);
    local_apic_group_destroy(group);
    chip_fixture_destroy(fixture);
}

static bool send(unsigned mode, uint8_t vector, bool level) {
    ApicMessage message = {
        .destination = 0, .delivery_mode = (uint8_t)mode, .vector = vector, .level = level};
    return local_apic_receive(apic, &message);
}

static bool request(uint8_t vector) {
    return send(APIC_DELIVERY_FIXED, vector, false);
}

static bool is_in(unsigned set, unsigned vector) {
    return get(set + vector / 32) >> vector % 32 & 1;
}

static uint64_t read_base(void) {
    uint64_t value = 0;
    ck_assert(msr_map_read(&msrs, MSR_APIC_BASE, &value));
    return value;
}

static bool write_base(uint64_t value) {
    const MsrRange *range = msr_map_find(&msrs, MSR_APIC_BASE);
    return range->write(range->opaque, 0, value);
}

START_TEST(reset_values) {
    ck_assert_uint_eq(read_base(), 0xFEE00900);
    ck_assert_uint_eq(get(LOCAL_APIC_ID), 0);
    ck_assert_uint_eq(get(LOCAL_APIC_VERSION), 0x00050014);
    ck_assert_uint_eq(get(LOCAL_APIC_SPURIOUS_VECTOR), 0xFF);
    ck_assert_uint_eq(get(LOCAL_APIC_DESTINATION_FORMAT), 0xFFFFFFFF);
    ck_assert_uint_eq(get(LVT_LINT0), EXTINT); /* open for the 8259 pair */
    for (unsigned i = LVT_TIMER; i <= LVT_ERROR; i++)
        if (i != LVT_LINT0)
            ck_assert_uint_eq(get(i), MASKED);
}
END_TEST

START_TEST(registers_keep_their_bits) {
    static const struct {
        unsigned index;
        uint32_t kept;
    } rows[] = {
        {LOCAL_APIC_ID, 0xFF000000},
        {LOCAL_APIC_VERSION, 0x00050014},
        {LOCAL_APIC_TASK_PRIORITY, 0xFF},
        {LOCAL_APIC_PROCESSOR_PRIORITY, 0xFF}, /* follows the task priority */
        {LOCAL_APIC_LOGICAL_DESTINATION, 0xFF000000},
        {LOCAL_APIC_DESTINATION_FORMAT, 0xFFFFFFFF},
        {LOCAL_APIC_SPURIOUS_VECTOR, 0x3FF},
        {LOCAL_APIC_COMMAND_HIGH, 0xFF000000},
        {LVT_TIMER, 0x300FF},
        {LVT_THERMAL, 0x107FF},
        {LVT_PERFORMANCE, 0x107FF},
        {LVT_LINT0, 0x1A7FF},
        {LVT_LINT1, 0x1A7FF},
        {LVT_ERROR, 0x100FF},
        {LOCAL_APIC_DIVIDE, 0xB},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put(rows[i].index, 0xFFFFFFFF);
        ck_assert_msg(get(rows[i].index) == rows[i].kept, "register %02x: %08x", rows[i].index,
                      get(rows[i].index));
    }
    put(LOCAL_APIC_DESTINATION_FORMAT, 0);
    ck_assert_uint_eq(get(LOCAL_APIC_DESTINATION_FORMAT), 0x0FFFFFFF);
    /* Only whole registers are written; what lies between them is nothing. */
    physical_write(fixture->context.memory, BASE + 0x80, 1, 0);
    ck_assert_uint_eq(get(LOCAL_APIC_TASK_PRIORITY), 0xFF);
    ck_assert_uint_eq(physical_read(fixture->context.memory, BASE + 0x84, 4), 0);
}
END_TEST

START_TEST(interrupt_from_request_to_end) {
    ck_assert(request(0x41));
    ck_assert_int_eq(intr.level, 1);
    ck_assert(is_in(LOCAL_APIC_REQUEST, 0x41));
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x41);
    ck_assert_int_eq(intr.level, 0);
    ck_assert(!is_in(LOCAL_APIC_REQUEST, 0x41));
    ck_assert(is_in(LOCAL_APIC_IN_SERVICE, 0x41));
    ck_assert_uint_eq(get(LOCAL_APIC_PROCESSOR_PRIORITY), 0x40);
    ck_assert(request(0x41)); /* one more may wait */
    ck_assert_int_eq(intr.level, 0);
    put(LOCAL_APIC_EOI, 0);
    ck_assert_int_eq(ended_vector, -1); /* an edge: nobody is told */
    ck_assert_int_eq(intr.level, 1);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x41);
    put(LOCAL_APIC_EOI, 0);
    put(LOCAL_APIC_EOI, 0); /* nothing left to end */
    ck_assert_uint_eq(get(LOCAL_APIC_PROCESSOR_PRIORITY), 0);
}
END_TEST

START_TEST(priorities_go_by_class) {
    request(0x51);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x51);
    request(0x5F); /* higher, but of the same class */
    ck_assert_int_eq(intr.level, 0);
    request(0x60);
    ck_assert_int_eq(intr.level, 1);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x60);
    put(LOCAL_APIC_EOI, 0); /* of the higher one */
    ck_assert(is_in(LOCAL_APIC_IN_SERVICE, 0x51));
    ck_assert_int_eq(intr.level, 0);
    put(LOCAL_APIC_EOI, 0);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x5F);
}
END_TEST

START_TEST(task_priority_holds_back) {
    put(LOCAL_APIC_TASK_PRIORITY, 0x65);
    ck_assert_uint_eq(get(LOCAL_APIC_PROCESSOR_PRIORITY), 0x65);
    request(0x6F);
    ck_assert_int_eq(intr.level, 0);
    request(0x70);
    ck_assert_int_eq(intr.level, 1);
    put(LOCAL_APIC_TASK_PRIORITY, 0x70);
    ck_assert_int_eq(intr.level, 0);
    /* The processor was about to ask: it gets the spurious vector, which needs no end. */
    ck_assert_int_eq(local_apic_acknowledge(apic), 0xFF);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(get(LOCAL_APIC_IN_SERVICE + i), 0);
    put(LOCAL_APIC_TASK_PRIORITY, 0);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x70);
    ck_assert_uint_eq(get(LOCAL_APIC_PROCESSOR_PRIORITY), 0x70);
}
END_TEST

START_TEST(level_triggered_ends_are_reported) {
    ck_assert(send(APIC_DELIVERY_FIXED, 0x81, true));
    ck_assert(is_in(LOCAL_APIC_TRIGGER_MODE, 0x81));
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x81);
    put(LOCAL_APIC_EOI, 0);
    ck_assert_int_eq(ended_vector, 0x81);
    request(0x81);
    ck_assert(!is_in(LOCAL_APIC_TRIGGER_MODE, 0x81));
}
END_TEST

START_TEST(destinations) {
    ApicMessage message = {.vector = 0x40, .delivery_mode = APIC_DELIVERY_LOWEST_PRIORITY};
    put(LOCAL_APIC_ID, 0x03000000);
    ck_assert(!local_apic_receive(apic, &message));
    message.destination = 3;
    ck_assert(local_apic_receive(apic, &message));
    message.destination = 0xFF;
    ck_assert(local_apic_receive(apic, &message));
    /* Flat: a bit each. */
    message.logical = true;
    put(LOCAL_APIC_LOGICAL_DESTINATION, 0x24000000);
    message.destination = 0xDB;
    ck_assert(!local_apic_receive(apic, &message));
    message.destination = 0x04;
    ck_assert(local_apic_receive(apic, &message));
    /* Clusters: number 2, member 4. */
    put(LOCAL_APIC_DESTINATION_FORMAT, 0x0FFFFFFF);
    ck_assert(!local_apic_receive(apic, &message));
    message.destination = 0x2C;
    ck_assert(local_apic_receive(apic, &message));
    message.destination = 0x2B;
    ck_assert(!local_apic_receive(apic, &message));
    message.destination = 0xF4;
    ck_assert(local_apic_receive(apic, &message));
}
END_TEST

START_TEST(other_delivery_modes) {
    ck_assert(send(APIC_DELIVERY_NMI, 2, false));
    ck_assert_int_eq(nmi.rises, 1);
    ck_assert(send(APIC_DELIVERY_SMI, 0, false));
    ck_assert_int_eq(smi.rises, 1);
    ck_assert(send(APIC_DELIVERY_EXTINT, 0, false));
    ck_assert_int_eq(intr.level, 1);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x77);
    ck_assert_int_eq(intr.level, 0);
    ck_assert_int_eq(external_acknowledged, 1);
    put(LOCAL_APIC_TASK_PRIORITY, 0x20);
    put(LOCAL_APIC_ID, 0x05000000);
    ApicMessage message = {.destination = 5, .delivery_mode = APIC_DELIVERY_INIT};
    ck_assert(local_apic_receive(apic, &message));
    ck_assert_int_eq(init.rises, 1);
    ck_assert_uint_eq(get(LOCAL_APIC_TASK_PRIORITY), 0);
    ck_assert_uint_eq(get(LOCAL_APIC_SPURIOUS_VECTOR), 0xFF);
    ck_assert_uint_eq(get(LOCAL_APIC_ID), 0x05000000); /* INIT keeps it */
    message.delivery_mode = APIC_DELIVERY_STARTUP;     /* nobody waits for that */
    ck_assert(!local_apic_receive(apic, &message));
}
END_TEST

START_TEST(virtual_wire) {
    put(LVT_LINT0, EXTINT);
    local_apic_set_lint(apic, 0, 1);
    ck_assert_int_eq(intr.level, 1);
    request(0x31); /* an interrupt of its own goes first */
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x31);
    ck_assert_int_eq(intr.level, 1); /* whatever is in service */
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x77);
    local_apic_set_lint(apic, 0, 0);
    ck_assert_int_eq(intr.level, 0);
    put(LVT_LINT0, EXTINT | MASKED);
    local_apic_set_lint(apic, 0, 1);
    ck_assert_int_eq(intr.level, 0);
    put(LVT_LINT0, EXTINT);
    ck_assert_int_eq(intr.level, 1);
}
END_TEST

START_TEST(local_pins) {
    put(LVT_LINT1, NMI);
    local_apic_set_lint(apic, 1, 1);
    local_apic_set_lint(apic, 1, 1);
    ck_assert_int_eq(nmi.rises, 1);
    local_apic_set_lint(apic, 1, 0);
    put(LVT_LINT1, NMI | MASKED);
    local_apic_set_lint(apic, 1, 1);
    ck_assert_int_eq(nmi.rises, 1);
    local_apic_set_lint(apic, 1, 0);
    /* Level-triggered: asks again after its end, for as long as the pin is high. */
    put(LVT_LINT1, 0x55 | LEVEL);
    local_apic_set_lint(apic, 1, 1);
    ck_assert_uint_eq(get(LVT_LINT1), 0x55 | LEVEL | 0x4000);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x55);
    put(LOCAL_APIC_EOI, 0);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x55);
    local_apic_set_lint(apic, 1, 0);
    put(LOCAL_APIC_EOI, 0);
    ck_assert_uint_eq(get(LVT_LINT1), 0x55 | LEVEL);
    ck_assert_int_eq(intr.level, 0);
}
END_TEST

START_TEST(timer_counts_down_once) {
    put(LOCAL_APIC_DIVIDE, 0xB); /* by 1: a tick a nanosecond */
    put(LVT_TIMER, 0x40);
    put(LOCAL_APIC_INITIAL_COUNT, 1000);
    chip_fixture_run(fixture, 400);
    ck_assert_uint_eq(get(LOCAL_APIC_CURRENT_COUNT), 600);
    chip_fixture_run(fixture, 599);
    ck_assert_int_eq(intr.level, 0);
    chip_fixture_run(fixture, 1);
    ck_assert_int_eq(intr.level, 1);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x40);
    put(LOCAL_APIC_EOI, 0);
    ck_assert_uint_eq(get(LOCAL_APIC_CURRENT_COUNT), 0);
    ck_assert_uint_eq(get(LOCAL_APIC_INITIAL_COUNT), 1000);
    chip_fixture_run(fixture, 10000);
    ck_assert_int_eq(intr.level, 0);
    put(LOCAL_APIC_INITIAL_COUNT, 1000);
    put(LOCAL_APIC_INITIAL_COUNT, 0); /* stops it */
    chip_fixture_run(fixture, 10000);
    ck_assert_int_eq(intr.level, 0);
}
END_TEST

START_TEST(timer_repeats) {
    put(LOCAL_APIC_DIVIDE, 0x3); /* by 16 */
    put(LVT_TIMER, 0x40 | PERIODIC);
    put(LOCAL_APIC_INITIAL_COUNT, 100);
    for (int i = 0; i < 5; i++) {
        chip_fixture_run(fixture, 1599);
        ck_assert_int_eq(intr.level, 0);
        ck_assert_uint_eq(get(LOCAL_APIC_CURRENT_COUNT), 1);
        chip_fixture_run(fixture, 1);
        ck_assert_int_eq(local_apic_acknowledge(apic), 0x40);
        ck_assert_uint_eq(get(LOCAL_APIC_CURRENT_COUNT), 100);
        put(LOCAL_APIC_EOI, 0);
    }
    /* Masked it goes on, silently. */
    put(LVT_TIMER, 0x40 | PERIODIC | MASKED);
    chip_fixture_run(fixture, 1600 * 7 + 160);
    ck_assert_int_eq(intr.level, 0);
    ck_assert_uint_eq(get(LOCAL_APIC_CURRENT_COUNT), 90);
    put(LVT_TIMER, 0x40 | PERIODIC);
    chip_fixture_run(fixture, 1440);
    ck_assert_int_eq(intr.level, 1);
}
END_TEST

/* Registers that are written when the count has ended and nobody saw it yet. */
static const struct {
    uint32_t offset, value;
} late_writes[] = {{LVT_TIMER, 0x41},
                   {LVT_TIMER, 0x41 | MASKED},
                   {LOCAL_APIC_DIVIDE, 0x0},
                   {LOCAL_APIC_INITIAL_COUNT, 0},
                   {LOCAL_APIC_INITIAL_COUNT, 5000}};

START_TEST(timer_interrupts_before_a_late_write) {
    put(LOCAL_APIC_DIVIDE, 0xB);
    put(LVT_TIMER, 0x40);
    put(LOCAL_APIC_INITIAL_COUNT, 1000);
    fixture->clock.stopped_ns += 1500;
    put(late_writes[_i].offset, late_writes[_i].value);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x40);
    put(LOCAL_APIC_EOI, 0);
    chip_fixture_run(fixture, 1000);
    ck_assert_int_eq(intr.level, 0);
}
END_TEST

START_TEST(timer_divides) {
    static const struct {
        uint32_t code;
        int divisor;
    } rows[] = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put(LOCAL_APIC_DIVIDE, rows[i].code);
        put(LOCAL_APIC_INITIAL_COUNT, 0xFFFFFFFF);
        chip_fixture_run(fixture, 1000 * rows[i].divisor);
        ck_assert_uint_eq(get(LOCAL_APIC_CURRENT_COUNT), 0xFFFFFFFF - 1000);
    }
    /* A new divisor goes on from the count that was reached. */
    put(LOCAL_APIC_DIVIDE, 0);
    chip_fixture_run(fixture, 20);
    ck_assert_uint_eq(get(LOCAL_APIC_CURRENT_COUNT), 0xFFFFFFFF - 1010);
}
END_TEST

START_TEST(interrupts_to_itself) {
    put(LOCAL_APIC_COMMAND_HIGH, 0);
    put(LOCAL_APIC_COMMAND_LOW, 0x4050); /* to ID 0 */
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x50);
    put(LOCAL_APIC_EOI, 0);
    ck_assert_uint_eq(get(LOCAL_APIC_COMMAND_LOW), 0x4050); /* sent */
    put(LOCAL_APIC_COMMAND_LOW, 0x44051);                   /* self */
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x51);
    put(LOCAL_APIC_EOI, 0);
    put(LOCAL_APIC_COMMAND_LOW, 0x84052); /* all */
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x52);
    put(LOCAL_APIC_EOI, 0);
    /* To others, which are not there: fixed, INIT, its de-assertion, STARTUP. */
    put(LOCAL_APIC_COMMAND_LOW, 0xC4053);
    put(LOCAL_APIC_COMMAND_HIGH, 0x01000000);
    put(LOCAL_APIC_COMMAND_LOW, 0xC500);
    put(LOCAL_APIC_COMMAND_LOW, 0x8500);
    put(LOCAL_APIC_COMMAND_LOW, 0x4608);
    put(LOCAL_APIC_COMMAND_LOW, 0x88500); /* de-assertion, to all */
    ck_assert_int_eq(intr.level, 0);
    ck_assert_int_eq(init.rises, 0);
}
END_TEST

START_TEST(errors_are_told) {
    put(LVT_ERROR, 0x60);
    put(LOCAL_APIC_COMMAND_LOW, 0x44005);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x60);
    put(LOCAL_APIC_EOI, 0);
    ck_assert_uint_eq(get(LOCAL_APIC_ERROR_STATUS), 0); /* seen only after a write */
    request(0x0F);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x60);
    put(LOCAL_APIC_EOI, 0);
    request(0x0F); /* nothing new */
    ck_assert_int_eq(intr.level, 0);
    physical_read(fixture->context.memory, BASE + 0x3F0, 4);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x60);
    put(LOCAL_APIC_EOI, 0);
    put(LOCAL_APIC_ERROR_STATUS, 0);
    ck_assert_uint_eq(get(LOCAL_APIC_ERROR_STATUS), 0xE0);
    put(LOCAL_APIC_ERROR_STATUS, 0);
    ck_assert_uint_eq(get(LOCAL_APIC_ERROR_STATUS), 0);
    put(LVT_ERROR, 0x05); /* an illegal vector for an illegal vector */
    request(0x0F);
    ck_assert_int_eq(intr.level, 0);
}
END_TEST

START_TEST(software_disabled) {
    request(0x42);
    put(LVT_TIMER, 0x40);
    put(LOCAL_APIC_INITIAL_COUNT, 1000);
    put(LOCAL_APIC_SPURIOUS_VECTOR, 0xFF);
    ck_assert_int_eq(intr.level, 0); /* what was requested is held */
    ck_assert(is_in(LOCAL_APIC_REQUEST, 0x42));
    ck_assert_uint_eq(get(LVT_TIMER), 0x40 | MASKED);
    ck_assert_uint_eq(get(LVT_LINT0), EXTINT | MASKED);
    put(LVT_TIMER, 0x40); /* cannot be unmasked */
    ck_assert_uint_eq(get(LVT_TIMER), 0x40 | MASKED);
    ck_assert(!request(0x43));
    ck_assert(send(APIC_DELIVERY_NMI, 0, false)); /* still answered */
    ck_assert_int_eq(nmi.rises, 1);
    chip_fixture_run(fixture, 10000);
    put(LOCAL_APIC_SPURIOUS_VECTOR, 0x1FF);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x42);
}
END_TEST

START_TEST(globally_disabled) {
    put(LOCAL_APIC_TASK_PRIORITY, 0xFF);
    put(LVT_LINT0, EXTINT | MASKED);
    put(LOCAL_APIC_ID, 0x05000000);
    ck_assert(!write_base(0xFEE00800 | 1)); /* reserved */
    ck_assert(!write_base(UINT64_C(0x1000000000)));
    ck_assert(!write_base(0xFEE00C00)); /* no x2APIC */
    ck_assert(write_base(0xFEE00000));
    ck_assert_uint_eq(read_base(), 0xFEE00100); /* that it is the boot processor stays */
    ck_assert_uint_eq(get(LOCAL_APIC_VERSION), 0xFFFFFFFF);
    /* The pins are INTR and NMI. */
    local_apic_set_lint(apic, 0, 1);
    ck_assert_int_eq(intr.level, 1);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x77);
    local_apic_set_lint(apic, 1, 1);
    ck_assert_int_eq(nmi.rises, 1);
    ck_assert(!request(0x40));
    ck_assert(write_base(0xFEE00800));
    ck_assert_uint_eq(get(LOCAL_APIC_TASK_PRIORITY), 0); /* forgotten */
    ck_assert_uint_eq(get(LOCAL_APIC_ID), 0);
}
END_TEST

START_TEST(registers_move) {
    ck_assert(write_base(0xFED10800));
    ck_assert_uint_eq(get(LOCAL_APIC_VERSION), 0xFFFFFFFF);
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xFED10030, 4), 0x00050014);
    /* Above what 32 bits reach, and where no address may lead. */
    ck_assert(write_base(UINT64_C(0x3FED10800)));
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xFED10030, 4), 0xFFFFFFFF);
    ck_assert(write_base(((uint64_t)PHYSICAL_NOWHERE_PAGE << PAGE_BITS) | 0x800));
    ck_assert_uint_eq(
        physical_read(fixture->context.memory, (PHYSICAL_NOWHERE_PAGE << PAGE_BITS) + 0x30, 4),
        0xFFFFFFFF);
    ck_assert(write_base(0xFEE00800));
    ck_assert_uint_eq(get(LOCAL_APIC_VERSION), 0x00050014);
}
END_TEST

static void change(ChipFixture *board) {
    request(0x91);
    local_apic_acknowledge(apic);
    chip_fixture_run(board, 2500);
    local_apic_acknowledge(apic);
    write_base(0xFED10800);
}

/* --- TSC deadline and x2APIC mode ---------------------------------------------------------------
 */

enum { MSR_DEADLINE = 0x6E0, MSR_X2APIC = 0x800, DEADLINE_MODE = 0x40000 };

static bool write_msr(uint32_t number, uint64_t value) {
    const MsrRange *range = msr_map_find(&msrs, number);
    return range != NULL && range->write(range->opaque, number - range->first, value);
}

static uint64_t read_msr(uint32_t number) {
    uint64_t value = 0;
    ck_assert_msg(msr_map_read(&msrs, number, &value), "MSR %Xh", number);
    return value;
}

static bool is_readable(uint32_t number) {
    uint64_t value;
    return msr_map_read(&msrs, number, &value);
}

START_TEST(deadline_interrupts_once) {
    put(LVT_TIMER, DEADLINE_MODE | 0x40);
    put(LOCAL_APIC_INITIAL_COUNT, 1000); /* is ignored */
    ck_assert_uint_eq(get(LOCAL_APIC_CURRENT_COUNT), 0);
    ck_assert(write_msr(MSR_DEADLINE, read_tsc(fixture) + 2001));
    chip_fixture_run(fixture, 1000);
    ck_assert(!is_in(LOCAL_APIC_REQUEST, 0x40));
    ck_assert_uint_ne(read_msr(MSR_DEADLINE), 0);
    chip_fixture_run(fixture, 1);
    ck_assert(is_in(LOCAL_APIC_REQUEST, 0x40));
    ck_assert_uint_eq(read_msr(MSR_DEADLINE), 0);
    chip_fixture_run(fixture, 10000);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x40);
    ck_assert(!is_in(LOCAL_APIC_REQUEST, 0x40));
}
END_TEST

START_TEST(deadline_that_is_past_interrupts_at_once) {
    put(LVT_TIMER, DEADLINE_MODE | 0x40);
    write_msr(MSR_DEADLINE, read_tsc(fixture));
    ck_assert_int_eq(intr.level, 1);
    ck_assert_uint_eq(read_msr(MSR_DEADLINE), 0);
}
END_TEST

START_TEST(deadline_follows_the_tsc) {
    put(LVT_TIMER, DEADLINE_MODE | 0x40);
    write_msr(MSR_DEADLINE, tsc_offset + 20000);
    tsc_offset += 10000;
    local_apic_tsc_changed(apic, 0, 1);
    chip_fixture_run(fixture, 4999);
    ck_assert_int_eq(intr.level, 0);
    chip_fixture_run(fixture, 1);
    ck_assert_int_eq(intr.level, 1);
    write_msr(MSR_DEADLINE, UINT64_MAX); /* in centuries */
    chip_fixture_run(fixture, 1000000);
    ck_assert_uint_eq(read_msr(MSR_DEADLINE), UINT64_MAX);
    tsc_offset = UINT64_MAX - (uint64_t)clock_now_ns(&fixture->clock) * 2;
    local_apic_tsc_changed(apic, 0, 1);
    ck_assert_uint_eq(read_msr(MSR_DEADLINE), 0);
}
END_TEST

START_TEST(deadline_belongs_to_its_mode) {
    put(LVT_TIMER, 0x40);
    ck_assert(write_msr(MSR_DEADLINE, 1));
    ck_assert_uint_eq(read_msr(MSR_DEADLINE), 0);
    put(LOCAL_APIC_INITIAL_COUNT, 1000);
    put(LVT_TIMER, DEADLINE_MODE | 0x40);
    ck_assert_uint_eq(get(LOCAL_APIC_CURRENT_COUNT), 0);
    write_msr(MSR_DEADLINE, read_tsc(fixture) + 100);
    put(LVT_TIMER, 0x40);
    chip_fixture_run(fixture, 10000);
    ck_assert_int_eq(intr.level, 0);
    put(LVT_TIMER, DEADLINE_MODE | MASKED | 0x40);
    write_msr(MSR_DEADLINE, read_tsc(fixture) + 100);
    chip_fixture_run(fixture, 10000);
    ck_assert_int_eq(intr.level, 0);
    ck_assert_uint_eq(read_msr(MSR_DEADLINE), 0);
}
END_TEST

START_TEST(modes_change_one_way_round) {
    const uint64_t base = 0xFEE00100, on = 0x800, extended = 0x400;
    ck_assert(!write_base(base | extended));
    ck_assert(write_base(base | on | extended));
    ck_assert_uint_eq(get(LOCAL_APIC_VERSION), 0xFFFFFFFF); /* gone from memory */
    ck_assert(!write_base(base | on));
    ck_assert(!write_base(base | extended));
    ck_assert(write_base(base));
    ck_assert(!write_base(base | on | extended));
    ck_assert(!write_base(base | extended));
    ck_assert(write_base(base | on));
    ck_assert_uint_eq(get(LOCAL_APIC_VERSION), 0x00050014);
    ck_assert(!is_readable(MSR_X2APIC + LOCAL_APIC_VERSION));
    ck_assert(!write_msr(MSR_X2APIC + LOCAL_APIC_TASK_PRIORITY, 0));
}
END_TEST

static const struct {
    unsigned index;
    uint64_t value;
    bool good;
} extended_writes[] = {
    {LOCAL_APIC_ID, 0, false},
    {LOCAL_APIC_VERSION, 0, false},
    {LOCAL_APIC_TASK_PRIORITY, 0xFF, true},
    {LOCAL_APIC_TASK_PRIORITY, 0x100, false},
    {LOCAL_APIC_TASK_PRIORITY, UINT64_C(1) << 32, false},
    {LOCAL_APIC_EOI, 0, true},
    {LOCAL_APIC_EOI, 1, false},
    {LOCAL_APIC_LOGICAL_DESTINATION, 1, false},
    {LOCAL_APIC_DESTINATION_FORMAT, 0xFFFFFFFF, false},
    {LOCAL_APIC_SPURIOUS_VECTOR, 0x1FF, true},
    {LOCAL_APIC_SPURIOUS_VECTOR, 0x400, false},
    {LOCAL_APIC_REQUEST, 0, false},
    {LOCAL_APIC_ERROR_STATUS, 0, true},
    {LOCAL_APIC_ERROR_STATUS, 1, false},
    {LOCAL_APIC_COMMAND_LOW, 0x3000, false},
    {LOCAL_APIC_COMMAND_HIGH, 0, false},
    {LVT_TIMER, DEADLINE_MODE | 0x40, true},
    {LVT_TIMER, 0x80000, false},
    {LOCAL_APIC_INITIAL_COUNT, 0xFFFFFFFF, true},
    {LOCAL_APIC_CURRENT_COUNT, 0, false},
    {LOCAL_APIC_DIVIDE, 0xB, true},
    {LOCAL_APIC_DIVIDE, 4, false},
    {LOCAL_APIC_SELF_IPI, 0x100, false},
    {0x04, 0, false},
};

START_TEST(x2apic_registers_refuse_what_is_reserved) {
    ck_assert(write_base(0xFEE00D00));
    ck_assert_msg(write_msr(MSR_X2APIC + extended_writes[_i].index, extended_writes[_i].value) ==
                      extended_writes[_i].good,
                  "%llx to register %02x", (unsigned long long)extended_writes[_i].value,
                  extended_writes[_i].index);
}
END_TEST

START_TEST(x2apic_registers_are_msrs) {
    static const unsigned write_only[] = {LOCAL_APIC_EOI,
                                          LOCAL_APIC_SELF_IPI,
                                          LOCAL_APIC_COMMAND_HIGH,
                                          LOCAL_APIC_DESTINATION_FORMAT,
                                          LOCAL_APIC_ARBITRATION_PRIORITY,
                                          0x00,
                                          0x3D};
    ck_assert(write_base(0xFEE00D00));
    ck_assert_uint_eq(read_msr(MSR_X2APIC + LOCAL_APIC_ID), 0);
    ck_assert_uint_eq(read_msr(MSR_X2APIC + LOCAL_APIC_LOGICAL_DESTINATION), 1);
    ck_assert_uint_eq(read_msr(MSR_X2APIC + LOCAL_APIC_VERSION), 0x00050014);
    for (unsigned i = 0; i < sizeof(write_only) / sizeof(write_only[0]); i++)
        ck_assert(!is_readable(MSR_X2APIC + write_only[i]));
    ck_assert(write_msr(MSR_X2APIC + LOCAL_APIC_SELF_IPI, 0x51));
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x51);
    ck_assert(write_msr(MSR_X2APIC + LOCAL_APIC_EOI, 0));
    static const struct {
        uint64_t command;
        bool taken;
    } commands[] = {{0x4052, true},
                    {UINT64_C(0x100004052), false},
                    {UINT64_C(0xFFFFFFFF00004052), true},
                    {UINT64_C(0x100004852), true}, /* logical: cluster 0, the first */
                    {UINT64_C(0x200004852), false},
                    {UINT64_C(0x1000100004852), false}};
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        ck_assert(write_msr(MSR_X2APIC + LOCAL_APIC_COMMAND_LOW, commands[i].command));
        ck_assert_uint_eq(read_msr(MSR_X2APIC + LOCAL_APIC_COMMAND_LOW), commands[i].command);
        ck_assert_int_eq(intr.level, commands[i].taken);
        if (commands[i].taken) {
            ck_assert_int_eq(local_apic_acknowledge(apic), 0x52);
            write_msr(MSR_X2APIC + LOCAL_APIC_EOI, 0);
        }
    }
    ck_assert(request(0x60)); /* of the I/O APIC, for ID 0 */
}
END_TEST

START_TEST(performance_interrupt_masks_its_entry) {
    put(LVT_PERFORMANCE, 0x45);
    local_apic_performance_interrupt(apic, 0, 1);
    local_apic_performance_interrupt(apic, 0, 0);
    ck_assert(is_in(LOCAL_APIC_REQUEST, 0x45));
    ck_assert_uint_eq(get(LVT_PERFORMANCE), MASKED | 0x45);
    ck_assert_int_eq(local_apic_acknowledge(apic), 0x45);
    local_apic_performance_interrupt(apic, 0, 1);
    ck_assert(!is_in(LOCAL_APIC_REQUEST, 0x45));
}
END_TEST

START_TEST(saves_and_restores) {
    put(LOCAL_APIC_DIVIDE, 0xB);
    put(LVT_TIMER, 0x40 | PERIODIC);
    put(LOCAL_APIC_INITIAL_COUNT, 1000);
    request(0x81);
    local_apic_acknowledge(apic);
    chip_fixture_run(fixture, 300);
    check_devices_save_and_restore(fixture, change);
    Snapshot snapshot;
    snapshot_take(fixture, &snapshot);
    write_base(0xFEE00800);
    snapshot_restore(fixture, &snapshot);
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xFED10030, 4), 0x00050014);
    snapshot_free(&snapshot);
}
END_TEST

static void change_deadline(ChipFixture *changed) {
    (void)changed;
    write_msr(MSR_DEADLINE, 1);
}

START_TEST(deadline_is_saved_and_restored) {
    put(LVT_TIMER, DEADLINE_MODE | 0x40);
    write_msr(MSR_DEADLINE, read_tsc(fixture) + 2000);
    check_devices_save_and_restore(fixture, change_deadline);
    Snapshot snapshot;
    snapshot_take(fixture, &snapshot);
    ck_assert(write_base(0xFEE00D00));
    snapshot_restore(fixture, &snapshot);
    ck_assert_uint_eq(get(LOCAL_APIC_VERSION), 0x00050014);
    snapshot_free(&snapshot);
}
END_TEST

START_TEST(survives_random_accesses) {
    uint64_t seed = 1;
    for (int i = 0; i < 200000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint32_t random = (uint32_t)(seed >> 32), value = (uint32_t)(seed >> 8);
        uint32_t address = BASE + (random & 0x3FF);
        if (random & 0x1000)
            address &= ~0xFu;
        if (random & 0x2000)
            physical_read(fixture->context.memory, address, 1u << (random >> 14) % 4);
        else
            physical_write(fixture->context.memory, address, 1u << (random >> 14) % 4, value);
        if ((random >> 16) % 16 == 0)
            local_apic_set_lint(apic, random >> 20 & 1, random >> 21 & 1);
        if (intr.level && (random >> 16) % 8 == 1)
            local_apic_acknowledge(apic);
        fixture->clock.stopped_ns += random >> 24;
        clock_run_due(&fixture->clock);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup_enabled, teardown);
    tcase_add_test(tests, registers_keep_their_bits);
    tcase_add_test(tests, interrupt_from_request_to_end);
    tcase_add_test(tests, priorities_go_by_class);
    tcase_add_test(tests, task_priority_holds_back);
    tcase_add_test(tests, level_triggered_ends_are_reported);
    tcase_add_test(tests, destinations);
    tcase_add_test(tests, other_delivery_modes);
    tcase_add_test(tests, virtual_wire);
    tcase_add_test(tests, local_pins);
    tcase_add_test(tests, timer_counts_down_once);
    tcase_add_test(tests, timer_repeats);
    tcase_add_loop_test(tests, timer_interrupts_before_a_late_write, 0,
                        sizeof late_writes / sizeof late_writes[0]);
    tcase_add_test(tests, timer_divides);
    tcase_add_test(tests, interrupts_to_itself);
    tcase_add_test(tests, errors_are_told);
    tcase_add_test(tests, software_disabled);
    tcase_add_test(tests, globally_disabled);
    tcase_add_test(tests, registers_move);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, survives_random_accesses);
}

static void add_extended(TCase *tests) {
    tcase_add_checked_fixture(tests, setup_extended, teardown);
    tcase_add_test(tests, deadline_interrupts_once);
    tcase_add_test(tests, deadline_that_is_past_interrupts_at_once);
    tcase_add_test(tests, deadline_follows_the_tsc);
    tcase_add_test(tests, deadline_belongs_to_its_mode);
    tcase_add_test(tests, modes_change_one_way_round);
    tcase_add_loop_test(tests, x2apic_registers_refuse_what_is_reserved, 0,
                        sizeof(extended_writes) / sizeof(extended_writes[0]));
    tcase_add_test(tests, x2apic_registers_are_msrs);
    tcase_add_test(tests, performance_interrupt_masks_its_entry);
    tcase_add_test(tests, deadline_is_saved_and_restored);
}

static void add_reset(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, reset_values);
}

int main(void) {
    return run_suite("local_apic", add) | run_suite("local_apic_reset", add_reset) |
           run_suite("local_apic_extended", add_extended);
}

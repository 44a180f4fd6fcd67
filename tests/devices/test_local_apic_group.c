/* Several local APICs: who takes a message, whose registers are seen, how processors are started.
 */
#include "chip_fixture.h"
#include "local_apic.h"

#define BASE 0xFEE00000u
#define OTHER_BASE 0xFEC80000u
#define MSR_APIC_BASE 0x1B

enum { MEMBERS = 3 };

/* The interrupt command register: SDM vol. 3A 10.6.1. */
enum {
    COMMAND_LOGICAL = 1 << 11,
    COMMAND_ASSERT = 1 << 14,
    COMMAND_SELF = 1 << 18,
    COMMAND_ALL = 2 << 18,
    COMMAND_OTHERS = 3 << 18,
};

static ChipFixture *fixture;
static LocalApicGroup *group;
static LocalApic *apic[MEMBERS];
static MsrMap msrs[MEMBERS];
static Probe intr[MEMBERS], nmi[MEMBERS], init[MEMBERS], notice;
static int started_at[MEMBERS]; /* the page of a STARTUP message; -1: none came */

static uint8_t acknowledge_external(void *opaque) {
    (void)opaque;
    return 0x77;
}

static void start_up(void *processor, uint8_t page) {
    *(int *)processor = page;
}

static void put(unsigned index, uint32_t value) {
    physical_write(fixture->context.memory, BASE + index * 16, 4, value);
}

static uint32_t get(unsigned index) {
    return (uint32_t)physical_read(fixture->context.memory, BASE + index * 16, 4);
}

static void setup(void) {
    fixture = chip_fixture_create();
    group = local_apic_group_create(fixture->context.memory);
    notice = (Probe){0};
    Wire wire = probe_wire(&notice);
    local_apic_group_set_notice(group, &wire);
    for (uint8_t i = 0; i < MEMBERS; i++) {
        intr[i] = nmi[i] = init[i] = (Probe){0};
        started_at[i] = -1;
        msrs[i] = (MsrMap){.count = 0};
        LocalApicPins pins = {
            .intr = probe_wire(&intr[i]),
            .nmi = probe_wire(&nmi[i]),
            .init = probe_wire(&init[i]),
            .startup = start_up,
            .processor = &started_at[i],
            .acknowledge_external = acknowledge_external,
            .has_x2apic = true,
        };
        apic[i] = local_apic_create(&fixture->context, group, &msrs[i], i, &pins, NULL);
    }
    for (unsigned i = 0; i < MEMBERS; i++) {
        local_apic_group_select(group, i);
        put(LOCAL_APIC_SPURIOUS_VECTOR, 0x1FF);
        put(LOCAL_APIC_LOGICAL_DESTINATION, 0x01000000u << i);
    }
    local_apic_group_select(group, 0);
}

static void teardown(void) {
    for (unsigned i = 0; i < MEMBERS; i++)
        local_apic_destroy(apic[i]);
    local_apic_group_destroy(group);
    chip_fixture_destroy(fixture);
}

static void send(uint8_t destination, uint32_t command) {
    put(LOCAL_APIC_COMMAND_HIGH, (uint32_t)destination << 24);
    put(LOCAL_APIC_COMMAND_LOW, command);
}

/* Whose INTR is up, as a bit a member; all of them are acknowledged. */
static unsigned take_interrupted(void) {
    unsigned set = 0;
    for (unsigned i = 0; i < MEMBERS; i++) {
        if (!intr[i].level)
            continue;
        set |= 1u << i;
        local_apic_acknowledge(apic[i]);
        local_apic_group_select(group, i);
        put(LOCAL_APIC_EOI, 0);
    }
    local_apic_group_select(group, 0);
    return set;
}

START_TEST(each_processor_sees_its_own_registers) {
    for (unsigned i = 0; i < MEMBERS; i++) {
        local_apic_group_select(group, i);
        ck_assert_uint_eq(get(LOCAL_APIC_ID), i << 24);
        put(LOCAL_APIC_TASK_PRIORITY, 0x10 * (i + 1));
    }
    for (unsigned i = 0; i < MEMBERS; i++)
        ck_assert_uint_eq(local_apic_register(apic[i], LOCAL_APIC_TASK_PRIORITY), 0x10 * (i + 1));
}
END_TEST

static void set_base(unsigned member, uint64_t value) {
    const MsrRange *range = msr_map_find(&msrs[member], MSR_APIC_BASE);
    ck_assert(range->write(range->opaque, MSR_APIC_BASE, value));
}

/* One moves its registers, another switches its APIC off: the rest keep theirs. */
START_TEST(registers_move_for_one_alone) {
    const uint64_t enabled = 0x800;
    set_base(1, OTHER_BASE | enabled);
    set_base(2, BASE);
    ck_assert_uint_eq(get(LOCAL_APIC_ID), 0);
    ck_assert_uint_eq(physical_read(fixture->context.memory, OTHER_BASE + 0x20, 4), UINT32_MAX);
    local_apic_group_select(group, 1);
    ck_assert_uint_eq(get(LOCAL_APIC_ID), UINT32_MAX);
    ck_assert_uint_eq(physical_read(fixture->context.memory, OTHER_BASE + 0x20, 4), 1 << 24);
    local_apic_group_select(group, 2);
    ck_assert_uint_eq(get(LOCAL_APIC_ID), UINT32_MAX);
    put(LOCAL_APIC_TASK_PRIORITY, 0x70);
    ck_assert_uint_eq(local_apic_register(apic[0], LOCAL_APIC_TASK_PRIORITY), 0);
}
END_TEST

// clang-format off
static const struct {
    uint8_t destination;
    uint32_t command;
    unsigned takers; /* a bit a member */
} sent[] = {
    {1,    0x40,                          1 << 1},
    {2,    0x40,                          1 << 2},
    {0,    0x40,                          1 << 0},
    {9,    0x40,                          0},
    {0xFF, 0x40,                          7},
    {0x06, 0x40 | COMMAND_LOGICAL,        6},
    {0x00, 0x40 | COMMAND_LOGICAL,        0},
    {1,    0x40 | COMMAND_SELF,           1 << 0},
    {1,    0x40 | COMMAND_ALL,            7},
    {1,    0x40 | COMMAND_OTHERS,         6},
};
// clang-format on

START_TEST(messages_go_where_they_are_sent) {
    send(sent[_i].destination, sent[_i].command);
    ck_assert_uint_eq(take_interrupted(), sent[_i].takers);
}
END_TEST

START_TEST(lowest_priority_is_one_processors) {
    const ApicMessage message = {.destination = 7,
                                 .logical = true,
                                 .delivery_mode = APIC_DELIVERY_LOWEST_PRIORITY,
                                 .vector = 0x91};
    put(LOCAL_APIC_TASK_PRIORITY, 0x40);
    local_apic_group_select(group, 1);
    put(LOCAL_APIC_TASK_PRIORITY, 0x20);
    local_apic_group_select(group, 2);
    put(LOCAL_APIC_TASK_PRIORITY, 0x30);
    ck_assert(local_apic_group_send(group, &message));
    ck_assert_uint_eq(take_interrupted(), 1 << 1);
    local_apic_group_select(group, 1);
    put(LOCAL_APIC_SPURIOUS_VECTOR, 0xFF); /* off: takes none */
    ck_assert(local_apic_group_send(group, &message));
    ck_assert_uint_eq(take_interrupted(), 1 << 2);
    const ApicMessage nobody = {.destination = 0x80,
                                .logical = true,
                                .delivery_mode = APIC_DELIVERY_LOWEST_PRIORITY,
                                .vector = 0x91};
    ck_assert(!local_apic_group_send(group, &nobody));
}
END_TEST

/* SDM vol. 3A 8.4.4.1: INIT, then STARTUP twice, to all others. */
START_TEST(others_are_started) {
    send(0, COMMAND_OTHERS | COMMAND_ASSERT | APIC_DELIVERY_INIT << 8);
    send(0, COMMAND_OTHERS | COMMAND_ASSERT | APIC_DELIVERY_STARTUP << 8 | 0x9F);
    ck_assert_int_eq(init[0].rises, 0);
    ck_assert_int_eq(started_at[0], -1);
    for (unsigned i = 1; i < MEMBERS; i++) {
        ck_assert_int_eq(init[i].rises, 1);
        ck_assert_int_eq(started_at[i], 0x9F);
    }
}
END_TEST

/* Without a notice, a processor that waits for another's answer would waste its turn. */
START_TEST(what_goes_to_others_is_noticed) {
    send(0, 0x40 | COMMAND_SELF);
    ck_assert_int_eq(notice.rises, 0);
    send(1, 0x40);
    ck_assert_int_eq(notice.rises, 1);
    send(0, COMMAND_OTHERS | APIC_DELIVERY_NMI << 8);
    ck_assert_int_eq(notice.rises, 2);
    ck_assert_int_eq(nmi[1].rises + nmi[2].rises, 2);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, each_processor_sees_its_own_registers);
    tcase_add_test(tests, registers_move_for_one_alone);
    tcase_add_loop_test(tests, messages_go_where_they_are_sent, 0, sizeof(sent) / sizeof(sent[0]));
    tcase_add_test(tests, lowest_priority_is_one_processors);
    tcase_add_test(tests, others_are_started);
    tcase_add_test(tests, what_goes_to_others_is_noticed);
}

int main(void) {
    return run_suite("local_apic_group", add);
}

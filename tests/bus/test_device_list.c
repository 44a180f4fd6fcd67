/* All devices are saved, and all of them or none are loaded. */
#include "device.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

typedef struct ThingState {
    uint32_t value;
} ThingState;

typedef struct Thing {
    ThingState state;
    int resets, restores;
    uint32_t value_at_restore;
} Thing;

static void on_reset(void *device) {
    Thing *thing = device;
    thing->resets++;
    thing->state.value = 0;
}

static void on_restored(void *device) {
    Thing *thing = device;
    thing->restores++;
    thing->value_at_restore = thing->state.value;
}

static const Field thing_rows[] = {FIELD(ThingState, U32, value), FIELD_END};
static const FieldTable thing_fields = {"thing", 1, sizeof(ThingState), thing_rows};
static const DeviceClass thing_class = {"isa-thing", &thing_fields, on_reset, on_restored};
static const DeviceClass quiet_class = {"isa-quiet", &thing_fields, NULL, NULL};

static Thing things[3];
static DeviceList list;

static void set_up(void) {
    memset(things, 0, sizeof things);
    memset(&list, 0, sizeof list);
    for (uint32_t i = 0; i < 3; i++)
        things[i].state.value = 100 + i;
    device_list_add(&list, &thing_class, "first", &things[0], &things[0].state);
    device_list_add(&list, &quiet_class, "second", &things[1], &things[1].state);
    device_list_add(&list, &thing_class, "third", &things[2], &things[2].state);
}

START_TEST(reset_reaches_all) {
    device_list_reset(&list);
    ck_assert_int_eq(things[0].resets, 1);
    ck_assert_int_eq(things[1].resets, 0);
    ck_assert_int_eq(things[2].resets, 1);
    ck_assert_uint_eq(things[2].state.value, 0);
}
END_TEST

START_TEST(load_brings_all_back) {
    ByteBuffer buffer = {0};
    device_list_save(&list, &buffer);
    uint64_t hash = device_list_hash(&list);
    for (int i = 0; i < 3; i++)
        things[i].state.value = 7;
    ck_assert(device_list_hash(&list) != hash);
    ByteReader reader = {.data = buffer.data, .size = buffer.size};
    Error error = {0};
    ck_assert_msg(device_list_load(&list, &reader, &error), "%s", error.message);
    ck_assert_uint_eq(reader.position, buffer.size);
    ck_assert(device_list_hash(&list) == hash);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_uint_eq(things[i].state.value, 100 + i);
    ck_assert_int_eq(things[2].restores, 1);
    ck_assert_uint_eq(things[2].value_at_restore, 102);
    byte_buffer_free(&buffer);
}
END_TEST

START_TEST(hash_tells_devices_apart) {
    uint64_t hash = device_list_hash(&list);
    things[0].state.value = 101;
    things[1].state.value = 100;
    ck_assert(device_list_hash(&list) != hash);
}
END_TEST

static void expect_nothing_loaded(const uint8_t *data, size_t size) {
    for (int i = 0; i < 3; i++)
        things[i].state.value = 7;
    ByteReader reader = {.data = data, .size = size};
    Error error = {0};
    ck_assert(!device_list_load(&list, &reader, &error));
    ck_assert(error.set);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(things[i].state.value, 7);
    ck_assert_int_eq(things[0].restores, 0);
}

START_TEST(a_cut_or_damaged_save_changes_nothing) {
    ByteBuffer buffer = {0};
    device_list_save(&list, &buffer);
    for (size_t size = 0; size < buffer.size; size++)
        expect_nothing_loaded(buffer.data, size);
    buffer.data[6] ^= 1; /* the first device's id */
    expect_nothing_loaded(buffer.data, buffer.size);
    buffer.data[6] ^= 1;
    buffer.data[0] = 2; /* the number of devices */
    expect_nothing_loaded(buffer.data, buffer.size);
    byte_buffer_free(&buffer);
}
END_TEST

START_TEST(an_absurd_id_is_refused) {
    ByteBuffer buffer = {0};
    device_list_save(&list, &buffer);
    buffer.data[4] = buffer.data[5] = 0xFF;
    expect_nothing_loaded(buffer.data, buffer.size);
    byte_buffer_free(&buffer);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("device_list");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, reset_reaches_all);
    tcase_add_test(tests, load_brings_all_back);
    tcase_add_test(tests, hash_tells_devices_apart);
    tcase_add_test(tests, a_cut_or_damaged_save_changes_nothing);
    tcase_add_test(tests, an_absurd_id_is_refused);
    Suite *suite = suite_create("device_list");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

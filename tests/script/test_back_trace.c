/* Back traces of stacks that are as they should be, and of hostile ones. */
#include "back_trace.h"
#include "machine_parts.h"
#include "suite_run.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static Machine *make_machine(void) {
    MachineConfig config;
    Error error = {.set = false};
    machine_config_init(&config);
    config.ram_bytes = 4 << 20;
    Machine *machine = machine_create(&config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    return machine;
}

/* Flat segments of 16 or 32 bits at linear 10000h. */
static void set_segments(Machine *machine, bool wide) {
    CpuState *state = &machine->cpu->state;
    for (int i = SEG_ES; i <= SEG_GS; i++) {
        Segment *segment = &state->segment[i];
        segment->selector = wide ? (i == SEG_CS ? 8 : 16) : 0x1000;
        segment->base = 0x10000;
        segment->limit = UINT32_MAX;
        segment->access =
            (uint16_t)(wide ? segment->access | ACCESS_DB : segment->access & ~ACCESS_DB);
    }
    state->cr0 = wide ? state->cr0 | 1 : state->cr0 & ~1u;
}

static void put(Machine *machine, uint32_t offset, unsigned bytes, uint32_t value) {
    uint8_t raw[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                      (uint8_t)(value >> 24)};
    physical_write_bytes(machine->memory, 0x10000 + offset, raw, bytes);
}

static char *trace(Machine *machine, const GuestSymbols *symbols) {
    ByteBuffer text = {.data = NULL};
    back_trace_print(machine, symbols, &text);
    return (char *)text.data;
}

START_TEST(frames_of_32_bit_code_have_names) {
    Machine *machine = make_machine();
    GuestSymbol table[] = {{0x11000, 0x100, "boot"}, {0x12000, 0x100, "panic"}};
    GuestSymbols symbols = {.symbols = table, .count = 2};
    set_segments(machine, true);
    machine->cpu->state.eip = 0x2010;
    machine->cpu->state.gpr[REG_EBP] = 0x8000;
    machine->cpu->state.gpr[REG_ESP] = 0x7FF0;
    put(machine, 0x8000, 4, 0x8020); /* saved EBP, return address */
    put(machine, 0x8004, 4, 0x1044);
    put(machine, 0x8020, 4, 0);
    put(machine, 0x8024, 4, 0x4321);
    put(machine, 0x7FF0, 4, 0xCAFEF00D);
    put(machine, 0x2010, 2, 0xFEEB);
    char *text = trace(machine, &symbols);
    ck_assert_ptr_nonnull(strstr(text, "32-bit protected mode"));
    ck_assert_ptr_nonnull(strstr(text, "#0  0008:00002010  panic+0x10\n"));
    ck_assert_ptr_nonnull(strstr(text, "#1  0008:00001044  frame 00008000  boot+0x44\n"));
    ck_assert_ptr_nonnull(strstr(text, "#2  0008:00004321  frame 00008020\n"));
    ck_assert_ptr_null(strstr(text, "#3"));
    ck_assert_ptr_nonnull(strstr(text, "eb fe"));
    ck_assert_ptr_nonnull(strstr(text, "jmp"));
    ck_assert_ptr_nonnull(strstr(text, "0010:00007ff0:\n  cafef00d"));
    free(text);
    machine_destroy(machine);
}
END_TEST

START_TEST(frames_of_16_bit_code_may_be_far) {
    Machine *machine = make_machine();
    set_segments(machine, false);
    machine->cpu->state.eip = 0x100;
    machine->cpu->state.gpr[REG_EBP] = 0xABCD7000; /* the upper half is no part of BP */
    machine->cpu->state.gpr[REG_ESP] = 0x6FFE;
    put(machine, 0x7000, 2, 0x7010);
    put(machine, 0x7002, 2, 0x0234);
    put(machine, 0x7004, 2, 0x5678);
    put(machine, 0x7010, 2, 0);
    put(machine, 0x7012, 2, 0x0300);
    char *text = trace(machine, NULL);
    ck_assert_ptr_nonnull(strstr(text, "real mode"));
    ck_assert_ptr_nonnull(strstr(text, "#0  1000:0100\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "#1  1000:0234  or, of a far call, 5678:0234  frame 7000\n"));
    ck_assert_ptr_nonnull(strstr(text, "#2  1000:0300"));
    free(text);
    machine_destroy(machine);
}
END_TEST

START_TEST(endless_and_senseless_chains_end) {
    Machine *machine = make_machine();
    set_segments(machine, true);
    uint32_t frames[] = {0x8000, 0xFFFFFFFE, 0, 0xFFFF0000, 0x9000};
    put(machine, 0x8000, 4, 0x8000); /* its own caller */
    for (uint32_t at = 0x9000; at < 0xB000; at += 8)
        put(machine, at, 4, at + 8); /* a thousand frames */
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        machine->cpu->state.gpr[REG_EBP] = frames[i];
        machine->cpu->state.gpr[REG_ESP] = frames[i];
        machine->cpu->state.eip = frames[i];
        char *text = trace(machine, NULL);
        ck_assert_uint_lt(strlen(text), 8000);
        free(text);
    }
    machine_destroy(machine);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("back_trace");
    TCase *tests = tcase_create("back_trace");
    tcase_add_test(tests, frames_of_32_bit_code_have_names);
    tcase_add_test(tests, frames_of_16_bit_code_may_be_far);
    tcase_add_test(tests, endless_and_senseless_chains_end);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

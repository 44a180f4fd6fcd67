/* What a debugger stops at: sets and their numbers, pages, accesses, REP strings. */
#include "cpu_debugger.h"
#include "cpu_fixture.h"
#include "suite_run.h"

#include <check.h>

static CpuDebugger debugger;

static CpuStopPoint point(CpuStopKind kind, uint32_t address, uint32_t length) {
    return (CpuStopPoint){kind, address, length};
}

static bool add(CpuStopKind kind, uint32_t address, uint32_t length) {
    CpuStopPoint wanted = point(kind, address, length);
    return cpu_debugger_add(&debugger, &wanted);
}

static bool remove_point(CpuStopKind kind, uint32_t address, uint32_t length) {
    CpuStopPoint wanted = point(kind, address, length);
    return cpu_debugger_remove(&debugger, &wanted);
}

static void clear(void) {
    debugger = (CpuDebugger){.count = 0};
}

START_TEST(equal_sets_have_equal_numbers) {
    ck_assert(add(CPU_STOP_EXECUTE, 0x1000, 1));
    uint32_t one = debugger.set.number;
    ck_assert_uint_ne(one, 0);
    ck_assert(add(CPU_STOP_EXECUTE, 0x2000, 1));
    uint32_t both = debugger.set.number;
    ck_assert_uint_ne(both, one);
    ck_assert(remove_point(CPU_STOP_EXECUTE, 0x1000, 1));
    ck_assert(remove_point(CPU_STOP_EXECUTE, 0x2000, 1));
    ck_assert_uint_eq(debugger.set.number, 0);
    ck_assert(add(CPU_STOP_EXECUTE, 0x2000, 1)); /* in the other order */
    ck_assert(add(CPU_STOP_EXECUTE, 0x1000, 1));
    ck_assert_uint_eq(debugger.set.number, both);
    ck_assert(!remove_point(CPU_STOP_EXECUTE, 0x3000, 1));
    ck_assert(remove_point(CPU_STOP_EXECUTE, 0x2000, 1));
    ck_assert_uint_eq(debugger.set.number, one);
}
END_TEST

START_TEST(data_addresses_change_no_set) {
    ck_assert(add(CPU_STOP_WRITE, 0x1000, 4));
    ck_assert_uint_eq(debugger.set.number, 0);
}
END_TEST

START_TEST(pages_are_bounded) {
    uint32_t pages[TLB_WATCHED_PAGES];
    ck_assert(add(CPU_STOP_WRITE, 0x1FFE, 4));
    ck_assert_uint_eq(cpu_debugger_list_pages(&debugger, pages), 2);
    ck_assert_uint_eq(pages[0], 1);
    ck_assert_uint_eq(pages[1], 2);
    ck_assert(!add(CPU_STOP_READ, 0x10000, CPU_DEBUGGER_PAGES * PAGE_SIZE));
    ck_assert(!add(CPU_STOP_READ, 0xFFFFFFFF, 2));
    ck_assert(!add(CPU_STOP_READ, 0, 0));
    ck_assert(!add(CPU_STOP_READ, 0, UINT32_MAX));
    for (unsigned i = 0; i < CPU_DEBUGGER_PAGES - 2; i++)
        ck_assert(add(CPU_STOP_ACCESS, 0x100000 + i * PAGE_SIZE, 1));
    ck_assert(!add(CPU_STOP_ACCESS, 0x10, 1));
}
END_TEST

START_TEST(accesses_stop_by_kind_and_place) {
    CpuFixture *fixture = fixture_create("pentium4");
    Cpu *cpu = fixture->cpu;
    cpu->debugger = &debugger;
    ck_assert(add(CPU_STOP_WRITE, 0x8004, 4) && add(CPU_STOP_READ, 0x9000, 1));
    cpu_update_breakpoints(cpu);
    ck_assert(cpu_stops_at_access(cpu, 0x8000, 5, true));
    ck_assert(!cpu_stops_at_access(cpu, 0x8000, 4, true));
    ck_assert(cpu_stops_at_access(cpu, 0x8007, 1, true));
    ck_assert(!cpu_stops_at_access(cpu, 0x8008, 1, true));
    ck_assert(!cpu_stops_at_access(cpu, 0x8004, 4, false));
    ck_assert(cpu_stops_at_access(cpu, 0x8FFE, 4, false));
    cpu->break_after = 0;
    cpu_watch_access(cpu, 0x8002, 4, true);
    ck_assert_int_eq(debugger.met.kind, CPU_STOP_WRITE);
    ck_assert_uint_eq(debugger.met_address, 0x8004);
    ck_assert(cpu->break_after);
    ck_assert_uint_eq(cpu->state.pending_debug, 0); /* the guest gets no trap */
    fixture_destroy(fixture);
}
END_TEST

START_TEST(a_watched_store_stops_a_repeat) {
    CpuFixture *fixture = fixture_create("pentium4");
    Cpu *cpu = fixture->cpu;
    cpu->debugger = &debugger;
    ck_assert(add(CPU_STOP_WRITE, 0x8002, 1));
    cpu_update_breakpoints(cpu);
    cpu->iterations_allowed = 100;
    cpu->state.gpr[REG_EDI] = 0x8000;
    cpu->state.gpr[REG_ECX] = 10;
    ck_assert_int_eq(fixture_call(fixture, helper_string_stos, 1 | 2 << 4 | 1 << 8, SEG_DS, 0, 0),
                     HELPER_AGAIN);
    ck_assert_uint_eq(GPR(fixture, REG_ECX), 7);
    fixture_destroy(fixture);
}
END_TEST

START_TEST(it_goes_on_from_where_it_stopped) {
    CpuFixture *fixture = fixture_create("pentium4");
    Cpu *cpu = fixture->cpu;
    ck_assert(!cpu_stops_before(cpu, 0x1000));
    cpu->debugger = &debugger;
    ck_assert(add(CPU_STOP_EXECUTE, 0x1000, 1));
    debugger.passed_count = UINT64_MAX;
    ck_assert(!cpu_stops_before(cpu, 0xFFF));
    ck_assert_uint_eq(cpu_bytes_to_stop(cpu, 0xFF0, 100), 0x10);
    ck_assert_uint_eq(cpu_bytes_to_stop(cpu, 0x1001, 100), 100);
    ck_assert(cpu_stops_before(cpu, 0x1000));
    debugger.passed_count = cpu->state.instruction_count;
    ck_assert(!cpu_stops_before(cpu, 0x1000));
    cpu->state.instruction_count++;
    ck_assert(cpu_stops_before(cpu, 0x1000));
    fixture_destroy(fixture);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cpu debugger");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, clear, NULL);
    tcase_add_test(tests, equal_sets_have_equal_numbers);
    tcase_add_test(tests, data_addresses_change_no_set);
    tcase_add_test(tests, pages_are_bounded);
    tcase_add_test(tests, accesses_stop_by_kind_and_place);
    tcase_add_test(tests, a_watched_store_stops_a_repeat);
    tcase_add_test(tests, it_goes_on_from_where_it_stopped);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

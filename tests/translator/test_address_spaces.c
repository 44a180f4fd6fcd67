/* Jumps between pages whose mapping changes: by MOV to CR3, by INVLPG, with and without global
 * pages, directly, indirectly, and to an instruction that runs over the end of its page. */
#include "guest_fixture.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

enum {
    TABLES = 0x8000, /* the first address space's tables follow: see guest_enter_flat_mode() */
    FIRST_DIRECTORY = TABLES + 0x1000,
    FIRST_TABLE = TABLES + 0x2000,
    SECOND_DIRECTORY = 0x10000,
    SECOND_TABLE = 0x11000,
    FUNCTION = 0x20000,  /* linear; the second address space has it elsewhere: */
    ELSEWHERE = 0x30000, /* physical */
    MAIN = 0x40000,
    STACK = 0x50000,
    ROUNDS = 40,
    CALLS = 3,
    PTE = 7, /* present, writable, user */
    PTE_GLOBAL = 0x100,
};

static Guest guests[2];

static void create_guests(void) {
    guest_create(&guests[0], &(TranslatorOptions){.backend = BACKEND_PORTABLE});
    guest_create(&guests[1], &(TranslatorOptions){.backend = translator_default_backend()});
}

static void destroy_guests(void) {
    for (unsigned i = 0; i < 2; i++)
        guest_destroy(&guests[i]);
}

static void put32(Guest *guest, uint32_t address, uint32_t value) {
    physical_write(guest->map, address, 4, value);
}

static void put_code(Guest *guest, uint32_t address, const void *code, size_t size) {
    physical_write_bytes(guest->map, address, code, size);
}

/* Two address spaces; where 'from' lies in the first, the second has 'to'. */
static void make_spaces(Guest *guest, uint32_t from, uint32_t to, uint32_t bits) {
    guest_enter_flat_mode(guest, TABLES, MAIN, true);
    put32(guest, SECOND_DIRECTORY, SECOND_TABLE | PTE);
    for (uint32_t page = 0; page < GUEST_RAM_BYTES / PAGE_SIZE; page++)
        put32(guest, SECOND_TABLE + 4 * page, page << PAGE_BITS | PTE);
    put32(guest, FIRST_TABLE + 4 * (from >> PAGE_BITS), from | PTE | bits);
    put32(guest, SECOND_TABLE + 4 * (from >> PAGE_BITS), to | PTE | bits);
    CpuState *state = &guest->cpu->state;
    if (bits & PTE_GLOBAL)
        state->cr4 |= CR4_PGE;
    tlb_set_control(&guest->cpu->tlb, state->cr0, state->cr3, state->cr4, false, true);
    state->gpr[REG_ESP] = STACK;
}

/* ROUNDS times into each address space, where one jump of each kind is done CALLS times: only the
 * first of them finds a page that the TLB does not know.
 * mov ecx, 2 * ROUNDS; mov eax, SECOND_DIRECTORY
 * space: xor eax, FIRST_DIRECTORY ^ SECOND_DIRECTORY; mov cr3, eax; mov ebx, CALLS
 * again: call function; mov edx, function; call edx; dec ebx; jnz again; dec ecx; jnz space; hlt */
static void put_main(Guest *guest, uint32_t function) {
    uint8_t code[] = {0xB9, 2 * ROUNDS, 0,    0,    0,    0xB8, 0,    0,    0,     0, 0x35,
                      0,    0,          0,    0,    0x0F, 0x22, 0xD8, 0xBB, CALLS, 0, 0,
                      0,    0xE8,       0,    0,    0,    0,    0xBA, 0,    0,     0, 0,
                      0xFF, 0xD2,       0x4B, 0x75, 0,    0x49, 0x75, 0,    0xF4};
    uint32_t second = SECOND_DIRECTORY, change = FIRST_DIRECTORY ^ SECOND_DIRECTORY;
    uint32_t relative = function - (MAIN + 28);
    store_le32(code + 6, second);
    store_le32(code + 11, change);
    store_le32(code + 24, relative);
    store_le32(code + 29, function);
    code[37] = (uint8_t)(23 - 38);
    code[40] = (uint8_t)(10 - 41);
    put_code(guest, MAIN, code, sizeof(code));
}

static void run_both(uint64_t esi) {
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(guest_run(&guests[i], 100000), RUN_HALTED);
        ck_assert_uint_eq(guests[i].cpu->state.gpr[REG_ESI], esi);
    }
    char text[200];
    ck_assert_msg(guest_compare(&guests[0], &guests[1], text, sizeof(text)), "%s", text);
}

static const uint8_t count_esi[] = {0x8D, 0x76, 0x01, 0xC3}; /* lea esi, [esi + 1]; ret */
/* lea esi, [esi + 100h]; ret. No flags change, so that they stand in the same place at the return
 * and the same jumps are taken. */
static const uint8_t count_elsewhere[] = {0x8D, 0xB6, 0x00, 0x01, 0x00, 0x00, 0xC3};

static void switch_between_functions(uint32_t bits) {
    for (unsigned i = 0; i < 2; i++) {
        make_spaces(&guests[i], FUNCTION, ELSEWHERE, bits);
        put_code(&guests[i], FUNCTION, count_esi, sizeof(count_esi));
        put_code(&guests[i], ELSEWHERE, count_elsewhere, sizeof(count_elsewhere));
        put_main(&guests[i], FUNCTION);
    }
}

START_TEST(cr3_changes_where_jumps_lead) {
    switch_between_functions(0);
    run_both(2 * CALLS * ROUNDS * (1 + 0x100));
}
END_TEST

START_TEST(global_pages_stay) {
    switch_between_functions(PTE_GLOBAL);
    run_both(4 * CALLS * ROUNDS);
}
END_TEST

/* The instruction's last byte lies on the next page, which the second address space has elsewhere.
 */
START_TEST(an_instruction_over_the_end_of_its_page) {
    static const uint8_t head[] = {0x83, 0xC6}, one[] = {0x01, 0xC3}, sixteen[] = {0x10, 0xC3};
    for (unsigned i = 0; i < 2; i++) {
        make_spaces(&guests[i], FUNCTION + PAGE_SIZE, ELSEWHERE, 0);
        put_code(&guests[i], FUNCTION + PAGE_SIZE - 2, head, sizeof(head));
        put_code(&guests[i], FUNCTION + PAGE_SIZE, one, sizeof(one));
        put_code(&guests[i], ELSEWHERE, sixteen, sizeof(sixteen));
        put_main(&guests[i], FUNCTION + PAGE_SIZE - 2);
    }
    run_both(2 * CALLS * ROUNDS * (1 + 16));
}
END_TEST

/* The same instruction, whose last byte is the loop's counter. */
START_TEST(a_store_into_its_second_page) {
    static const uint8_t head[] = {0x83, 0xC6}, tail[] = {0x00, 0xC3};
    uint8_t code[] = {0xB9, ROUNDS, 0, 0,    0,                /* mov ecx, ROUNDS */
                      0x88, 0x0D,   0, 0x10, 0x02, 0,          /* mov [FUNCTION + 1000h], cl */
                      0xE8, 0,      0, 0,    0,    0x49, 0x75, /* call; dec ecx; jnz */
                      0xF2, 0xF4};
    uint32_t relative = FUNCTION + PAGE_SIZE - 2 - (MAIN + 16);
    store_le32(code + 12, relative);
    for (unsigned i = 0; i < 2; i++) {
        make_spaces(&guests[i], FUNCTION, ELSEWHERE, 0);
        put_code(&guests[i], FUNCTION + PAGE_SIZE - 2, head, sizeof(head));
        put_code(&guests[i], FUNCTION + PAGE_SIZE, tail, sizeof(tail));
        put_code(&guests[i], MAIN, code, sizeof(code));
    }
    run_both(ROUNDS * (ROUNDS + 1) / 2);
}
END_TEST

/* xor dword [PTE], FUNCTION ^ ELSEWHERE; invlpg [FUNCTION]; call FUNCTION; mov edx, FUNCTION; call
 * edx: even rounds here, odd ones there. */
START_TEST(invlpg_changes_where_jumps_lead) {
    uint8_t code[] = {0xB9, ROUNDS, 0,    0, 0,                            /* mov ecx, ROUNDS */
                      0x81, 0x35,   0,    0, 0, 0,    0,    0,    1,    0, /* xor */
                      0x0F, 0x01,   0x3D, 0, 0, 2,    0,                   /* invlpg */
                      0xE8, 0,      0,    0, 0,                            /* call */
                      0xBA, 0,      0,    2, 0, 0xFF, 0xD2, 0x49, 0x75, 0, /* jnz */
                      0xF4};
    uint32_t entry = FIRST_TABLE + 4 * (FUNCTION >> PAGE_BITS), change = FUNCTION ^ ELSEWHERE;
    uint32_t relative = FUNCTION - (MAIN + 27);
    store_le32(code + 7, entry);
    store_le32(code + 11, change);
    store_le32(code + 23, relative);
    code[36] = (uint8_t)(5 - 37);
    for (unsigned i = 0; i < 2; i++) {
        make_spaces(&guests[i], FUNCTION, ELSEWHERE, 0);
        put_code(&guests[i], FUNCTION, count_esi, sizeof(count_esi));
        put_code(&guests[i], ELSEWHERE, count_elsewhere, sizeof(count_elsewhere));
        put_code(&guests[i], MAIN, code, sizeof(code));
    }
    run_both(ROUNDS * (1 + 0x100));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("address spaces");
    TCase *tests = tcase_create("jumps");
    tcase_add_checked_fixture(tests, create_guests, destroy_guests);
    tcase_add_test(tests, cr3_changes_where_jumps_lead);
    tcase_add_test(tests, global_pages_stay);
    tcase_add_test(tests, an_instruction_over_the_end_of_its_page);
    tcase_add_test(tests, a_store_into_its_second_page);
    tcase_add_test(tests, invlpg_changes_where_jumps_lead);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

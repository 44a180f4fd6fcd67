/* Hot paths: loops and calls over several blocks, code that is changed under its path, a fault in
 * the middle. Translated code with paths looked for all the time runs beside the portable backend,
 * and the states are compared at random places. */
#include "guest_fixture.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { CODE = 0x10000, DATA = 0x20000, TABLES = 0x100000, STACK = 0x40000 };

// clang-format off
/*
 *     top:    mov esi, 0x20000
 *             mov ecx, 40
 *     sum:    mov eax, [esi]
 *             add [esi+0x800], eax
 *             adc edx, [esi+4]
 *             add esi, 4
 *             dec ecx
 *             jnz sum
 *             xor eax, eax
 *     copy:   mov dl, [ebx+eax+0x100]
 *             xor [ebx+eax+0x104], dl
 *             mov dh, [ebx+eax+0x108]
 *             inc eax
 *             test al, 7
 *             jz odd
 *             rol dh, 1
 *     back:   mov [ebx+eax+0x10C], dh
 *             cmp eax, 100
 *             jb copy
 *             lea edi, [ebx+0x30]
 *     find:   mov al, [edi]
 *             inc edi
 *             cmp al, dl
 *             jz found
 *             cmp edi, 0x20400
 *             jb find
 *     found:  push edi
 *             call sub
 *             pop edi
 *             loop top2
 *     top2:   dec ebp
 *             jnz top
 *             hlt
 *     odd:    add dh, cl
 *             jmp back
 *     sub:    push ebp
 *             mov ebp, esp
 *             mov eax, [ebp+8]
 *             add [ebx], eax
 *             adc dword [ebx+4], 0
 *             leave
 *             ret */
static const uint8_t loops[] = {
    0xBE, 0x00, 0x00, 0x02, 0x00, 0xB9, 0x28, 0x00, 0x00, 0x00, 0x8B, 0x06, 0x01, 0x86,
    0x00, 0x08, 0x00, 0x00, 0x13, 0x56, 0x04, 0x83, 0xC6, 0x04, 0x49, 0x75, 0xEF, 0x31,
    0xC0, 0x8A, 0x94, 0x03, 0x00, 0x01, 0x00, 0x00, 0x30, 0x94, 0x03, 0x04, 0x01, 0x00,
    0x00, 0x8A, 0xB4, 0x03, 0x08, 0x01, 0x00, 0x00, 0x40, 0xA8, 0x07, 0x74, 0x2D, 0xD0,
    0xC6, 0x88, 0xB4, 0x03, 0x0C, 0x01, 0x00, 0x00, 0x83, 0xF8, 0x64, 0x72, 0xD8, 0x8D,
    0x7B, 0x30, 0x8A, 0x07, 0x47, 0x38, 0xD0, 0x74, 0x08, 0x81, 0xFF, 0x00, 0x04, 0x02,
    0x00, 0x72, 0xF1, 0x57, 0xE8, 0x0B, 0x00, 0x00, 0x00, 0x5F, 0xE2, 0x00, 0x4D, 0x75,
    0x9D, 0xF4, 0x00, 0xCE, 0xEB, 0xD1, 0x55, 0x89, 0xE5, 0x8B, 0x45, 0x08, 0x01, 0x03,
    0x83, 0x53, 0x04, 0x00, 0xC9, 0xC3,
};

/*
 *     top:    mov ecx, 300
 *     again:  add eax, 0x11
 *             mov [ebx+ecx*4], eax
 *             xor edx, [ebx+ecx*4+8]
 *             dec ecx
 *             jnz again
 *             inc byte [again+2]
 *             dec ebp
 *             jnz top
 *             hlt */
static const uint8_t patch[] = {
    0xB9, 0x2C, 0x01, 0x00, 0x00, 0x83, 0xC0, 0x11, 0x89, 0x04, 0x8B, 0x33, 0x54, 0x8B,
    0x08, 0x49, 0x75, 0xF3, 0xFE, 0x05, 0x07, 0x00, 0x01, 0x00, 0x4D, 0x75, 0xE5, 0xF4,
};

/* The page at 21000h is missing; the fault's handler comes back to the start.
 *     top:    inc edi
 *             and edi, 7
 *             mov esi, 0x20C00
 *     next:   mov eax, [esi+edi]
 *             add edx, eax
 *             mov [esi+0x10], edx
 *             add esi, 4
 *             jmp next */
static const uint8_t end_of_page[] = {
    0x47, 0x83, 0xE7, 0x07, 0xBE, 0x00, 0x0C, 0x02, 0x00, 0x8B, 0x04, 0x3E, 0x01, 0xC2,
    0x89, 0x56, 0x10, 0x83, 0xC6, 0x04, 0xEB, 0xF3,
};
// clang-format on

static void open_guest(Guest *guest, const TranslatorOptions *options, const uint8_t *code,
                       size_t size) {
    guest_create(guest, options);
    memcpy(guest->ram + CODE, code, size);
    for (unsigned i = 0; i < 0x10000; i++)
        guest->ram[DATA + i] = (uint8_t)(i * 7 + (i >> 8));
    guest_enter_flat_mode(guest, TABLES, CODE, true);
    store_le32(guest->ram + TABLES + 0x2000 + 4 * ((DATA + PAGE_SIZE) >> PAGE_BITS), 0);
    tlb_flush_all(&guest->cpu->tlb);
    guest_resume_after_events(guest, TABLES, CODE, 0, STACK);
    guest->cpu->state.gpr[REG_EBX] = DATA;
    guest->cpu->state.gpr[REG_EBP] = 1000;
    guest->cpu->state.gpr[REG_ESP] = STACK;
}

/* Does 'info jit' tell of a path? */
static bool has_paths(const Guest *guest) {
    ByteBuffer text = {0};
    translator_print_info(guest->translator, &text);
    const char *line = strstr((const char *)text.data, "hot paths");
    ck_assert_ptr_nonnull(line);
    bool any = strtoul(line + strlen("hot paths"), NULL, 10) != 0;
    byte_buffer_free(&text);
    return any;
}

static void run_beside(const uint8_t *code, size_t size, uint64_t instructions, bool shared) {
    Guest guests[2];
    uint64_t random = 1, count = 0;
    open_guest(&guests[0], &(TranslatorOptions){.backend = BACKEND_PORTABLE}, code, size);
    open_guest(&guests[1],
               &(TranslatorOptions){.backend = translator_default_backend(),
                                    .eager_hot_paths = true,
                                    .no_shared_checks = !shared},
               code, size);
    while (count < instructions && !guests[0].cpu->state.halted) {
        char text[200];
        count += 1 + guest_random(&random) % 3000;
        guest_run(&guests[0], count);
        guest_run(&guests[1], count);
        ck_assert_msg(guest_compare(&guests[0], &guests[1], text, sizeof text), "%s", text);
    }
    ck_assert(has_paths(&guests[1]) || translator_default_backend() != BACKEND_JIT);
    guest_destroy(&guests[0]);
    guest_destroy(&guests[1]);
}

START_TEST(test_loops) {
    run_beside(loops, sizeof loops, 400000, _i != 0);
}
END_TEST

START_TEST(test_patched_loop) {
    run_beside(patch, sizeof patch, 100000, _i != 0);
}
END_TEST

START_TEST(test_end_of_page) {
    run_beside(end_of_page, sizeof end_of_page, 100000, _i != 0);
}
END_TEST

/* An interrupt that is due in the middle of a path comes after exactly that instruction. */
START_TEST(test_interrupts) {
    Guest guests[2];
    uint64_t random = 7, count = 0;
    for (unsigned i = 0; i < 2; i++) {
        open_guest(&guests[i],
                   &(TranslatorOptions){.backend = i == 0 ? BACKEND_PORTABLE
                                                          : translator_default_backend(),
                                        .eager_hot_paths = true},
                   loops, sizeof loops);
        guests[i].cpu->state.eflags |= FLAG_IF;
    }
    while (count < 200000 && !guests[0].cpu->state.halted) {
        char text[200];
        count += 100 + guest_random(&random) % 2000;
        for (unsigned i = 0; i < 2; i++) {
            guest_run(&guests[i], count);
            guest_interrupt(&guests[i]);
        }
        ck_assert_msg(guest_compare(&guests[0], &guests[1], text, sizeof text), "%s", text);
    }
    guest_destroy(&guests[0]);
    guest_destroy(&guests[1]);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("hot_path");
    TCase *tests = tcase_create("paths");
    tcase_add_loop_test(tests, test_loops, 0, 2);
    tcase_add_loop_test(tests, test_patched_loop, 0, 2);
    tcase_add_loop_test(tests, test_end_of_page, 0, 2);
    tcase_add_test(tests, test_interrupts);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

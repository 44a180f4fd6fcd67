/* Operands that share a check: frames that lie on two pages whose memory is not adjacent, and a
 * structure whose second page is missing. */
#include "guest_fixture.h"
#include "little_endian.h"
#include "suite_run.h"
#include "x87.h"
#include <check.h>
#include <string.h>

enum { CODE = 0x10000, DATA = 0x20000, ELSEWHERE = 0x30000, TABLES = 0x100000, STACK = 0x40000 };

static const uint8_t frames[] = {
    // clang-format off
    0x8D, 0x23,                         /* top: lea esp, [ebx] */
    0x50, 0x51, 0x52, 0x57,             /* push eax, ecx, edx, edi */
    0x89, 0xE5,                         /* mov ebp, esp */
    0x01, 0x4D, 0x08,                   /* add [ebp + 8], ecx */
    0x8B, 0x55, 0x04,                   /* mov edx, [ebp + 4] */
    0xFF, 0x45, 0x00,                   /* inc dword [ebp] */
    0x5F, 0x5E, 0x5E, 0x58,             /* pop edi, esi, esi, eax */
    0x01, 0xF0,                         /* add eax, esi */
    0x83, 0xEB, 0x01,                   /* sub ebx, 1 */
    0x81, 0xFB, 0xC0, 0x0F, 0x02, 0x00, /* cmp ebx, 20FC0h */
    0x77, 0xDE,                         /* ja top */
    0xF4,                               /* hlt */
    // clang-format on
};

/* Tables indexed by bytes, at addresses that slide over a page's end. */
static const uint8_t tables[] = {
    // clang-format off
    0x0F, 0xB6, 0x06,                   /* top: movzx eax, byte [esi] */
    0x46,                               /* inc esi */
    0x8A, 0x0C, 0x03,                   /* mov cl, [ebx + eax] */
    0x02, 0x54, 0x18, 0x07,             /* add dl, [eax + ebx + 7] */
    0x28, 0x54, 0x83, 0x10,             /* sub [ebx + eax*4 + 16], dl */
    0xD7,                               /* xlatb */
    0x00, 0xC6,                         /* add dh, al */
    0x25, 0xFF, 0x00, 0x00, 0x00,       /* and eax, 0FFh */
    0x8B, 0x3C, 0x43,                   /* mov edi, [ebx + eax*2] */
    0x00, 0x24, 0x03,                   /* add [ebx + eax], ah */
    0x01, 0xFA,                         /* add edx, edi */
    0x4B,                               /* dec ebx */
    0x81, 0xFB, 0x00, 0x0B, 0x02, 0x00, /* cmp ebx, 20B00h */
    0x77, 0xD8,                         /* ja top */
    0xF4,                               /* hlt */
    // clang-format on
};

static const uint8_t structure[] = {
    // clang-format off
    0x8B, 0x03,                         /* mov eax, [ebx] */
    0x89, 0x43, 0x04,                   /* mov [ebx + 4], eax */
    0x41,                               /* inc ecx */
    0x89, 0x4B, 0x08,                   /* mov [ebx + 8], ecx */
    0x41,                               /* inc ecx */
    0x89, 0x4B, 0x0C,                   /* mov [ebx + 12], ecx */
    0xF4,                               /* hlt */
    // clang-format on
};

/* Three structures at once, and between their members what a host may leave to C. */
static const uint8_t structures[] = {
    // clang-format off
    0x8B, 0x03,                         /* top: mov eax, [ebx] */
    0x03, 0x06,                         /* add eax, [esi] */
    0x2B, 0x07,                         /* sub eax, [edi] */
    0xC1, 0xD0, 0x03,                   /* rcl eax, 3 */
    0x01, 0x43, 0x04,                   /* add [ebx + 4], eax */
    0x29, 0x46, 0x04,                   /* sub [esi + 4], eax */
    0x31, 0x47, 0x04,                   /* xor [edi + 4], eax */
    0xD4, 0x0A,                         /* aam */
    0xC1, 0xD9, 0x05,                   /* rcr ecx, 5 */
    0x01, 0x4B, 0x08,                   /* add [ebx + 8], ecx */
    0x29, 0x4E, 0x08,                   /* sub [esi + 8], ecx */
    0x31, 0x47, 0x08,                   /* xor [edi + 8], eax */
    0xD9, 0x43, 0x0C,                   /* fld dword [ebx + 12] */
    0xD9, 0x5E, 0x0C,                   /* fstp dword [esi + 12] */
    0x8B, 0x47, 0x0C,                   /* mov eax, [edi + 12] */
    0x89, 0x43, 0x10,                   /* mov [ebx + 16], eax */
    0x4A,                               /* dec edx */
    0x75, 0xD1,                         /* jnz top */
    0xF4,                               /* hlt */
    // clang-format on
};

static void open_guest(Guest *guest, TranslatorBackend backend, const uint8_t *code, size_t size,
                       uint32_t second_page) {
    guest_create(guest, &(TranslatorOptions){.backend = backend});
    memcpy(guest->ram + CODE, code, size);
    for (unsigned i = 0; i < 0x20000; i++)
        guest->ram[DATA + i] = (uint8_t)(i * 7 + (i >> 8));
    guest_enter_flat_mode(guest, TABLES, CODE, true);
    store_le32(guest->ram + TABLES + 0x2000 + 4 * ((DATA + PAGE_SIZE) >> PAGE_BITS), second_page);
    tlb_flush_all(&guest->cpu->tlb);
    for (unsigned i = 0; i < 8; i++)
        guest->cpu->state.gpr[i] = 0x01020304 * i;
    guest->cpu->state.gpr[REG_ESP] = STACK;
}

static void check_alike(Guest guests[2]) {
    char text[200];
    ck_assert_msg(guest_compare(&guests[0], &guests[1], text, sizeof text), "%s", text);
}

START_TEST(test_frames_on_two_pages) {
    Guest guests[2];
    for (unsigned i = 0; i < 2; i++) {
        open_guest(&guests[i], i == 0 ? BACKEND_PORTABLE : translator_default_backend(), frames,
                   sizeof frames, ELSEWHERE | 7);
        guests[i].cpu->state.gpr[REG_EBX] = DATA + PAGE_SIZE + 0x40;
        ck_assert_int_eq(guest_run(&guests[i], 100000), RUN_HALTED);
        ck_assert_uint_eq(guests[i].cpu->state.gpr[REG_EBX], DATA + PAGE_SIZE - 0x40);
    }
    check_alike(guests);
    for (unsigned i = 0; i < 2; i++)
        guest_destroy(&guests[i]);
}
END_TEST

START_TEST(test_tables_on_two_pages) {
    Guest guests[2];
    for (unsigned i = 0; i < 2; i++) {
        open_guest(&guests[i], i == 0 ? BACKEND_PORTABLE : translator_default_backend(), tables,
                   sizeof tables, ELSEWHERE | 7);
        guests[i].cpu->state.gpr[REG_EBX] = DATA + PAGE_SIZE + 0x40;
        guests[i].cpu->state.gpr[REG_ESI] = DATA + 0x8000;
        ck_assert_int_eq(guest_run(&guests[i], 100000), RUN_HALTED);
        ck_assert_uint_eq(guests[i].cpu->state.gpr[REG_EBX], 0x20B00);
    }
    check_alike(guests);
    for (unsigned i = 0; i < 2; i++)
        guest_destroy(&guests[i]);
}
END_TEST

START_TEST(test_structures_beside_calls) {
    Guest guests[2];
    for (unsigned i = 0; i < 2; i++) {
        open_guest(&guests[i], i == 0 ? BACKEND_PORTABLE : translator_default_backend(), structures,
                   sizeof structures, ELSEWHERE | 7);
        x87_reset(&guests[i].cpu->state.fpu, true);
        uint64_t *gpr = guests[i].cpu->state.gpr;
        gpr[REG_EBX] = DATA + 0x40;
        gpr[REG_ESI] = DATA + 0x240;
        gpr[REG_EDI] = DATA + 0x4440;
        gpr[REG_EDX] = 300;
        ck_assert_int_eq(guest_run(&guests[i], 100000), RUN_HALTED);
        ck_assert_uint_eq(gpr[REG_EDX], 0);
    }
    check_alike(guests);
    for (unsigned i = 0; i < 2; i++)
        guest_destroy(&guests[i]);
}
END_TEST

START_TEST(test_fault_in_the_middle) {
    Guest guests[2];
    for (unsigned i = 0; i < 2; i++) {
        open_guest(&guests[i], i == 0 ? BACKEND_PORTABLE : translator_default_backend(), structure,
                   sizeof structure, 0);
        guests[i].cpu->state.gpr[REG_EBX] = DATA + PAGE_SIZE - 8;
        guests[i].cpu->state.gpr[REG_ECX] = 0x100;
        ck_assert_int_eq(guest_run(&guests[i], 1000), RUN_HALTED);
        const CpuState *state = &guests[i].cpu->state;
        ck_assert_uint_eq(state->cr2, DATA + PAGE_SIZE);
        ck_assert_uint_eq(state->gpr[REG_ECX], 0x101);
        /* The fault's own EIP is what the handler finds above the error code. */
        ck_assert_uint_eq(load_le32(guests[i].ram + state->gpr[REG_ESP] + 4), CODE + 6);
    }
    check_alike(guests);
    for (unsigned i = 0; i < 2; i++)
        guest_destroy(&guests[i]);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("shared_checks");
    TCase *tests = tcase_create("operands");
    tcase_add_test(tests, test_frames_on_two_pages);
    tcase_add_test(tests, test_tables_on_two_pages);
    tcase_add_test(tests, test_structures_beside_calls);
    tcase_add_test(tests, test_fault_in_the_middle);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

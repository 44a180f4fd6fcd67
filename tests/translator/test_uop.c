/* The lifter over random bytes: whatever a guest holds as code becomes micro-ops that the validator
 * accepts, and the validator itself sees what is wrong. */
#include "cpu_feature.h"
#include "guest_fixture.h"
#include "lift.h"
#include "suite_run.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 100000, BYTES = 64 };

static LiftMode random_mode(uint64_t random) {
    return (LiftMode){
        .code32 = random & 1,
        .stack32 = random >> 1 & 1,
        .protected_mode = random >> 2 & 1,
        .cpl = random >> 3 & 1 ? 3 : 0,
        .cs_limit = random >> 4 & 1 ? UINT32_MAX : 0xFFFF,
        .features = random >> 5 & 1 ? UINT64_MAX : 0,
        .direction = (int8_t)(random >> 6 & 3 ? (int)(random >> 6 & 2) - 1 : 0),
    };
}

START_TEST(random_bytes_become_valid_micro_ops) {
    static UopScratch scratch;
    UopBlock block = {.insn = scratch.insn, .uop = scratch.uop};
    uint64_t seed = 1, insns = 0;
    for (unsigned i = 0; i < BLOCKS; i++) {
        uint8_t bytes[BYTES];
        for (unsigned b = 0; b < BYTES; b += 8) {
            uint64_t random = guest_random(&seed);
            memcpy(bytes + b, &random, 8);
        }
        uint64_t random = guest_random(&seed);
        LiftMode mode = random_mode(random);
        unsigned limit = random >> 8 & 1 ? UOP_BLOCK_INSNS : 1 + (random >> 16) % 17;
        if (lift_block(&block, &mode, bytes, 16 + (random >> 24) % 48, random >> 7 & 1, 0x1000,
                       limit) != LIFT_OK)
            continue;
        Error error = {0};
        uop_block_find_needed_flags(&block, false);
        ck_assert_msg(uop_block_validate(&block, &error), "block %u: %s", i, error.message);
        ck_assert_uint_le(block.insn_count, limit);
        insns += block.insn_count;
    }
    ck_assert_uint_gt(insns, BLOCKS);
}
END_TEST

/* MOV EAX, EBX; JMP: the smallest block there is, to be spoilt in each way that the validator
 * knows. */
static void make_block(UopBlock *block, UopScratch *scratch) {
    static const uint8_t bytes[] = {0x89, 0xD8, 0xEB, 0x00};
    LiftMode mode = {.code32 = true, .stack32 = true, .cs_limit = UINT32_MAX};
    *block = (UopBlock){.insn = scratch->insn, .uop = scratch->uop};
    ck_assert_int_eq(lift_block(block, &mode, bytes, sizeof(bytes), false, 0, 8), LIFT_OK);
    ck_assert(uop_block_validate(block, NULL));
}

START_TEST(the_validator_sees_what_is_wrong) {
    UopBlock block;
    UopScratch *scratch = calloc(1, sizeof(*scratch));
    make_block(&block, scratch);
    block.uop[0].code = UOP_COUNT;
    ck_assert(!uop_block_validate(&block, NULL));
    make_block(&block, scratch);
    block.uop[0].size = 3;
    ck_assert(!uop_block_validate(&block, NULL));
    make_block(&block, scratch);
    block.uop[0].dst = UREG_AH; /* a high byte as a doubleword */
    ck_assert(!uop_block_validate(&block, NULL));
    make_block(&block, scratch);
    block.uop[0].dst_kind = UOPERAND_IMM;
    ck_assert(!uop_block_validate(&block, NULL));
    make_block(&block, scratch);
    block.uop[0].dst_kind = block.uop[0].src_kind = UOPERAND_MEM;
    ck_assert(!uop_block_validate(&block, NULL));
    make_block(&block, scratch);
    block.uop_count = 1; /* runs over its end */
    ck_assert(!uop_block_validate(&block, NULL));
    free(scratch);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("uop");
    TCase *tests = tcase_create("lifting");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, random_bytes_become_valid_micro_ops);
    tcase_add_test(tests, the_validator_sees_what_is_wrong);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

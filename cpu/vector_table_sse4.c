/* SSSE3, SSE4 and AES opcodes of the maps 0F 38 and 0F 3A: rows for no prefix and 66 (SDM vol. 2D
 * tables ). */
#include "vector_internal.h"
#include <stddef.h>

// clang-format off
const VectorRow vector_rows_0f38[256][2] = {
    [0x00] = {
        {vector_shuffle_8, NULL, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_shuffle_8, NULL, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x01] = {
        {vector_narrow, lanes_horizontal_add_16, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_narrow, lanes_horizontal_add_16, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x02] = {
        {vector_narrow, lanes_horizontal_add_32, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_narrow, lanes_horizontal_add_32, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x03] = {
        {vector_narrow, lanes_horizontal_add_signed_16, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_narrow, lanes_horizontal_add_signed_16, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x04] = {
        {vector_lanes, lanes_multiply_add_8, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_lanes, lanes_multiply_add_8, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x05] = {
        {vector_narrow, lanes_horizontal_subtract_16, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_narrow, lanes_horizontal_subtract_16, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x06] = {
        {vector_narrow, lanes_horizontal_subtract_32, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_narrow, lanes_horizontal_subtract_32, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x07] = {
        {vector_narrow, lanes_horizontal_subtract_signed_16, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_narrow, lanes_horizontal_subtract_signed_16, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x08] = {
        {vector_lanes, lanes_sign_8, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_lanes, lanes_sign_8, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x09] = {
        {vector_lanes, lanes_sign_16, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_lanes, lanes_sign_16, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x0A] = {
        {vector_lanes, lanes_sign_32, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_lanes, lanes_sign_32, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x0B] = {
        {vector_lanes, lanes_multiply_rounded_16, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_lanes, lanes_multiply_rounded_16, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x10] = {
        {0},
        {vector_blend_variable, NULL, 1, VECTOR_VW, FEATURE_SSE41},
    },
    [0x14] = {
        {0},
        {vector_blend_variable, NULL, 4, VECTOR_VW, FEATURE_SSE41},
    },
    [0x15] = {
        {0},
        {vector_blend_variable, NULL, 8, VECTOR_VW, FEATURE_SSE41},
    },
    [0x17] = {
        {0},
        {vector_test, NULL, 0, VECTOR_compare, FEATURE_SSE41},
    },
    [0x1C] = {
        {vector_lanes, lanes_absolute_8, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_lanes, lanes_absolute_8, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x1D] = {
        {vector_lanes, lanes_absolute_16, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_lanes, lanes_absolute_16, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x1E] = {
        {vector_lanes, lanes_absolute_32, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_lanes, lanes_absolute_32, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x20] = {
        {0},
        {vector_extend, NULL, 0x92, VECTOR_VWq, FEATURE_SSE41},
    },
    [0x21] = {
        {0},
        {vector_extend, NULL, 0x94, VECTOR_VWd, FEATURE_SSE41},
    },
    [0x22] = {
        {0},
        {vector_extend, NULL, 0x98, VECTOR_VWw, FEATURE_SSE41},
    },
    [0x23] = {
        {0},
        {vector_extend, NULL, 0xA4, VECTOR_VWq, FEATURE_SSE41},
    },
    [0x24] = {
        {0},
        {vector_extend, NULL, 0xA8, VECTOR_VWd, FEATURE_SSE41},
    },
    [0x25] = {
        {0},
        {vector_extend, NULL, 0xC8, VECTOR_VWq, FEATURE_SSE41},
    },
    [0x28] = {
        {0},
        {vector_lanes, lanes_multiply_even_signed_32, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x29] = {
        {0},
        {vector_lanes, lanes_equal_64, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x2A] = {
        {0},
        {vector_copy, NULL, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x2B] = {
        {0},
        {vector_narrow, lanes_pack_unsigned_32, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x30] = {
        {0},
        {vector_extend, NULL, 0x12, VECTOR_VWq, FEATURE_SSE41},
    },
    [0x31] = {
        {0},
        {vector_extend, NULL, 0x14, VECTOR_VWd, FEATURE_SSE41},
    },
    [0x32] = {
        {0},
        {vector_extend, NULL, 0x18, VECTOR_VWw, FEATURE_SSE41},
    },
    [0x33] = {
        {0},
        {vector_extend, NULL, 0x24, VECTOR_VWq, FEATURE_SSE41},
    },
    [0x34] = {
        {0},
        {vector_extend, NULL, 0x28, VECTOR_VWd, FEATURE_SSE41},
    },
    [0x35] = {
        {0},
        {vector_extend, NULL, 0x48, VECTOR_VWq, FEATURE_SSE41},
    },
    [0x37] = {
        {0},
        {vector_lanes, lanes_greater_64, 0, VECTOR_VW, FEATURE_SSE42},
    },
    [0x38] = {
        {0},
        {vector_lanes, lanes_min_signed_8, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x39] = {
        {0},
        {vector_lanes, lanes_min_signed_32, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x3A] = {
        {0},
        {vector_lanes, lanes_min_unsigned_16, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x3B] = {
        {0},
        {vector_lanes, lanes_min_unsigned_32, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x3C] = {
        {0},
        {vector_lanes, lanes_max_signed_8, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x3D] = {
        {0},
        {vector_lanes, lanes_max_signed_32, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x3E] = {
        {0},
        {vector_lanes, lanes_max_unsigned_16, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x3F] = {
        {0},
        {vector_lanes, lanes_max_unsigned_32, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x40] = {
        {0},
        {vector_lanes, lanes_multiply_low_32, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x41] = {
        {0},
        {vector_min_position, NULL, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0xDB] = {
        {0},
        {vector_aes, NULL, 0, VECTOR_VW, FEATURE_AES},
    },
    [0xDC] = {
        {0},
        {vector_aes, NULL, 0, VECTOR_VW, FEATURE_AES},
    },
    [0xDD] = {
        {0},
        {vector_aes, NULL, 0, VECTOR_VW, FEATURE_AES},
    },
    [0xDE] = {
        {0},
        {vector_aes, NULL, 0, VECTOR_VW, FEATURE_AES},
    },
    [0xDF] = {
        {0},
        {vector_aes, NULL, 0, VECTOR_VW, FEATURE_AES},
    },
};

const VectorRow vector_rows_0f3a[256][2] = {
    [0x08] = {
        {0},
        {vector_round, NULL, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x09] = {
        {0},
        {vector_round, NULL, VECTOR_DOUBLE, VECTOR_VW, FEATURE_SSE41},
    },
    [0x0A] = {
        {0},
        {vector_round, NULL, VECTOR_SCALAR, VECTOR_VWd, FEATURE_SSE41},
    },
    [0x0B] = {
        {0},
        {vector_round, NULL, VECTOR_DOUBLE | VECTOR_SCALAR, VECTOR_VWq, FEATURE_SSE41},
    },
    [0x0C] = {
        {0},
        {vector_blend_immediate, NULL, 4, VECTOR_VW, FEATURE_SSE41},
    },
    [0x0D] = {
        {0},
        {vector_blend_immediate, NULL, 8, VECTOR_VW, FEATURE_SSE41},
    },
    [0x0E] = {
        {0},
        {vector_blend_immediate, NULL, 2, VECTOR_VW, FEATURE_SSE41},
    },
    [0x0F] = {
        {vector_align, NULL, 0, VECTOR_PQ, FEATURE_SSSE3},
        {vector_align, NULL, 0, VECTOR_VW, FEATURE_SSSE3},
    },
    [0x14] = {
        {0},
        {vector_extract, NULL, 1, VECTOR_EVb, FEATURE_SSE41},
    },
    [0x15] = {
        {0},
        {vector_extract, NULL, 2, VECTOR_EVw, FEATURE_SSE41},
    },
    [0x16] = {
        {0},
        {vector_extract, NULL, 4, VECTOR_EV, FEATURE_SSE41},
    },
    [0x17] = {
        {0},
        {vector_extract, NULL, 4, VECTOR_EV, FEATURE_SSE41},
    },
    [0x20] = {
        {0},
        {vector_insert, NULL, 1, VECTOR_VEb, FEATURE_SSE41},
    },
    [0x21] = {
        {0},
        {vector_insert_float, NULL, 0, VECTOR_VWd, FEATURE_SSE41},
    },
    [0x22] = {
        {0},
        {vector_insert, NULL, 4, VECTOR_VE, FEATURE_SSE41},
    },
    [0x40] = {
        {0},
        {vector_dot_product, NULL, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x41] = {
        {0},
        {vector_dot_product, NULL, VECTOR_DOUBLE, VECTOR_VW, FEATURE_SSE41},
    },
    [0x42] = {
        {0},
        {vector_sums_of_differences, NULL, 0, VECTOR_VW, FEATURE_SSE41},
    },
    [0x44] = {
        {0},
        {vector_multiply_carryless, NULL, 0, VECTOR_VW, FEATURE_PCLMUL},
    },
    [0x60] = {
        {0},
        {vector_compare_strings, NULL, 0, VECTOR_compare_u, FEATURE_SSE42},
    },
    [0x61] = {
        {0},
        {vector_compare_strings, NULL, 0, VECTOR_compare_u, FEATURE_SSE42},
    },
    [0x62] = {
        {0},
        {vector_compare_strings, NULL, 0, VECTOR_compare_u, FEATURE_SSE42},
    },
    [0x63] = {
        {0},
        {vector_compare_strings, NULL, 0, VECTOR_compare_u, FEATURE_SSE42},
    },
    [0xDF] = {
        {0},
        {vector_aes_key, NULL, 0, VECTOR_VW, FEATURE_AES},
    },
};
// clang-format on

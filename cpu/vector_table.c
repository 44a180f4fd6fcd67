/* MMX and SSE opcodes of the 0F map: rows for no prefix, 66, F3, F2 (SDM vol. 2D table A-3). */
#include "vector_internal.h"
#include <stddef.h>

// clang-format off
const VectorRow vector_rows_0f[256][4] = {
    [0x0E] = {{vector_empty_mmx, NULL, 0, VECTOR_NONE, FEATURE_3DNOW}},
    [0x0F] = {{vector_3dnow, NULL, 0, VECTOR_PQ, FEATURE_3DNOW}},
    [0x10] = {
        {vector_copy, NULL, 0, VECTOR_VWu, FEATURE_SSE},
        {vector_copy, NULL, 0, VECTOR_VWu, FEATURE_SSE2},
        {vector_move_scalar, NULL, 4, VECTOR_VWd, FEATURE_SSE},
        {vector_move_scalar, NULL, 8, VECTOR_VWq, FEATURE_SSE2},
    },
    [0x11] = {
        {vector_copy, NULL, 0, VECTOR_WVu, FEATURE_SSE},
        {vector_copy, NULL, 0, VECTOR_WVu, FEATURE_SSE2},
        {vector_move_scalar, NULL, 4, VECTOR_WVd, FEATURE_SSE},
        {vector_move_scalar, NULL, 8, VECTOR_WVq, FEATURE_SSE2},
    },
    [0x12] = {
        {vector_move_low, NULL, 0, VECTOR_VWq, FEATURE_SSE},
        {vector_move_low, NULL, 0, VECTOR_VWq, FEATURE_SSE2},
        {vector_duplicate_low, NULL, 0, VECTOR_VW, FEATURE_SSE3},
        {vector_duplicate_64, NULL, 0, VECTOR_VWq, FEATURE_SSE3},
    },
    [0x13] = {
        {vector_copy, NULL, 0, VECTOR_WVq, FEATURE_SSE},
        {vector_copy, NULL, 0, VECTOR_WVq, FEATURE_SSE2},
    },
    [0x14] = {
        {vector_unpack_low, lanes_interleave_low_32, 4, VECTOR_VW, FEATURE_SSE},
        {vector_unpack_low, NULL, 8, VECTOR_VW, FEATURE_SSE2},
    },
    [0x15] = {
        {vector_unpack_high, lanes_interleave_low_32, 4, VECTOR_VW, FEATURE_SSE},
        {vector_unpack_high, NULL, 8, VECTOR_VW, FEATURE_SSE2},
    },
    [0x16] = {
        {vector_move_high, NULL, 0, VECTOR_VWq, FEATURE_SSE},
        {vector_move_high, NULL, 0, VECTOR_VWq, FEATURE_SSE2},
        {vector_duplicate_high, NULL, 0, VECTOR_VW, FEATURE_SSE3},
    },
    [0x17] = {
        {vector_store_high, NULL, 0, VECTOR_WVq, FEATURE_SSE},
        {vector_store_high, NULL, 0, VECTOR_WVq, FEATURE_SSE2},
    },
    [0x28] = {
        {vector_copy, NULL, 0, VECTOR_VW, FEATURE_SSE},
        {vector_copy, NULL, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x29] = {
        {vector_copy, NULL, 0, VECTOR_WV, FEATURE_SSE},
        {vector_copy, NULL, 0, VECTOR_WV, FEATURE_SSE2},
    },
    [0x2A] = {
        {vector_from_integers, NULL, 2, VECTOR_VQ, FEATURE_SSE},
        {vector_from_integers, NULL, VECTOR_DOUBLE | 2, VECTOR_VQ, FEATURE_SSE2},
        {vector_from_integers, NULL, 1, VECTOR_VE, FEATURE_SSE},
        {vector_from_integers, NULL, VECTOR_DOUBLE | 1, VECTOR_VE, FEATURE_SSE2},
    },
    [0x2B] = {
        {vector_copy, NULL, 0, VECTOR_WV, FEATURE_SSE},
        {vector_copy, NULL, 0, VECTOR_WV, FEATURE_SSE2},
    },
    [0x2C] = {
        {vector_to_integers, NULL, VECTOR_TRUNCATE | 2, VECTOR_PWq, FEATURE_SSE},
        {vector_to_integers, NULL, VECTOR_DOUBLE | VECTOR_TRUNCATE | 2, VECTOR_PW, FEATURE_SSE2},
        {vector_to_integers, NULL, VECTOR_TRUNCATE | 1, VECTOR_GWd, FEATURE_SSE},
        {vector_to_integers, NULL, VECTOR_DOUBLE | VECTOR_TRUNCATE | 1, VECTOR_GWq, FEATURE_SSE2},
    },
    [0x2D] = {
        {vector_to_integers, NULL, 2, VECTOR_PWq, FEATURE_SSE},
        {vector_to_integers, NULL, VECTOR_DOUBLE | 2, VECTOR_PW, FEATURE_SSE2},
        {vector_to_integers, NULL, 1, VECTOR_GWd, FEATURE_SSE},
        {vector_to_integers, NULL, VECTOR_DOUBLE | 1, VECTOR_GWq, FEATURE_SSE2},
    },
    [0x2E] = {
        {vector_compare_flags, NULL, VECTOR_QUIET, VECTOR_compare_d, FEATURE_SSE},
        {vector_compare_flags, NULL, VECTOR_DOUBLE | VECTOR_QUIET, VECTOR_compare_q, FEATURE_SSE2},
    },
    [0x2F] = {
        {vector_compare_flags, NULL, 0, VECTOR_compare_d, FEATURE_SSE},
        {vector_compare_flags, NULL, VECTOR_DOUBLE, VECTOR_compare_q, FEATURE_SSE2},
    },
    [0x50] = {
        {vector_move_mask, NULL, 4, VECTOR_GU, FEATURE_SSE},
        {vector_move_mask, NULL, 8, VECTOR_GU, FEATURE_SSE2},
    },
    [0x51] = {
        {vector_arithmetic, NULL, VECTOR_ROOT, VECTOR_VW, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_ROOT, VECTOR_VW, FEATURE_SSE2},
        {vector_arithmetic, NULL, VECTOR_SCALAR | VECTOR_ROOT, VECTOR_VWd, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_SCALAR | VECTOR_ROOT, VECTOR_VWq, FEATURE_SSE2},
    },
    [0x52] = {
        {vector_reciprocal_root, NULL, 0, VECTOR_VW, FEATURE_SSE},
        {0},
        {vector_reciprocal_root, NULL, VECTOR_SCALAR, VECTOR_VWd, FEATURE_SSE},
    },
    [0x53] = {
        {vector_reciprocal, NULL, 0, VECTOR_VW, FEATURE_SSE},
        {0},
        {vector_reciprocal, NULL, VECTOR_SCALAR, VECTOR_VWd, FEATURE_SSE},
    },
    [0x54] = {
        {vector_lanes, lanes_and, 0, VECTOR_VW, FEATURE_SSE},
        {vector_lanes, lanes_and, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x55] = {
        {vector_lanes, lanes_and_not, 0, VECTOR_VW, FEATURE_SSE},
        {vector_lanes, lanes_and_not, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x56] = {
        {vector_lanes, lanes_or, 0, VECTOR_VW, FEATURE_SSE},
        {vector_lanes, lanes_or, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x57] = {
        {vector_lanes, lanes_xor, 0, VECTOR_VW, FEATURE_SSE},
        {vector_lanes, lanes_xor, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x58] = {
        {vector_arithmetic, NULL, VECTOR_ADD, VECTOR_VW, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_ADD, VECTOR_VW, FEATURE_SSE2},
        {vector_arithmetic, NULL, VECTOR_SCALAR | VECTOR_ADD, VECTOR_VWd, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_SCALAR | VECTOR_ADD, VECTOR_VWq, FEATURE_SSE2},
    },
    [0x59] = {
        {vector_arithmetic, NULL, VECTOR_MULTIPLY, VECTOR_VW, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_MULTIPLY, VECTOR_VW, FEATURE_SSE2},
        {vector_arithmetic, NULL, VECTOR_SCALAR | VECTOR_MULTIPLY, VECTOR_VWd, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_SCALAR | VECTOR_MULTIPLY, VECTOR_VWq, FEATURE_SSE2},
    },
    [0x5A] = {
        {vector_change_precision, NULL, 2, VECTOR_VWq, FEATURE_SSE2},
        {vector_change_precision, NULL, VECTOR_DOUBLE | 2, VECTOR_VW, FEATURE_SSE2},
        {vector_change_precision, NULL, 1, VECTOR_VWd, FEATURE_SSE2},
        {vector_change_precision, NULL, VECTOR_DOUBLE | 1, VECTOR_VWq, FEATURE_SSE2},
    },
    [0x5B] = {
        {vector_from_integers, NULL, 4, VECTOR_VW, FEATURE_SSE2},
        {vector_to_integers, NULL, 4, VECTOR_VW, FEATURE_SSE2},
        {vector_to_integers, NULL, VECTOR_TRUNCATE | 4, VECTOR_VW, FEATURE_SSE2},
    },
    [0x5C] = {
        {vector_arithmetic, NULL, VECTOR_MINUS, VECTOR_VW, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_MINUS, VECTOR_VW, FEATURE_SSE2},
        {vector_arithmetic, NULL, VECTOR_SCALAR | VECTOR_MINUS, VECTOR_VWd, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_SCALAR | VECTOR_MINUS, VECTOR_VWq, FEATURE_SSE2},
    },
    [0x5D] = {
        {vector_arithmetic, NULL, VECTOR_MIN, VECTOR_VW, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_MIN, VECTOR_VW, FEATURE_SSE2},
        {vector_arithmetic, NULL, VECTOR_SCALAR | VECTOR_MIN, VECTOR_VWd, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_SCALAR | VECTOR_MIN, VECTOR_VWq, FEATURE_SSE2},
    },
    [0x5E] = {
        {vector_arithmetic, NULL, VECTOR_DIVIDE, VECTOR_VW, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_DIVIDE, VECTOR_VW, FEATURE_SSE2},
        {vector_arithmetic, NULL, VECTOR_SCALAR | VECTOR_DIVIDE, VECTOR_VWd, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_SCALAR | VECTOR_DIVIDE, VECTOR_VWq, FEATURE_SSE2},
    },
    [0x5F] = {
        {vector_arithmetic, NULL, VECTOR_MAX, VECTOR_VW, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_MAX, VECTOR_VW, FEATURE_SSE2},
        {vector_arithmetic, NULL, VECTOR_SCALAR | VECTOR_MAX, VECTOR_VWd, FEATURE_SSE},
        {vector_arithmetic, NULL, VECTOR_DOUBLE | VECTOR_SCALAR | VECTOR_MAX, VECTOR_VWq, FEATURE_SSE2},
    },
    [0x60] = {
        {vector_unpack_low, lanes_interleave_low_8, 1, VECTOR_PQd, FEATURE_MMX},
        {vector_unpack_low, lanes_interleave_low_8, 1, VECTOR_VW, FEATURE_SSE2},
    },
    [0x61] = {
        {vector_unpack_low, lanes_interleave_low_16, 2, VECTOR_PQd, FEATURE_MMX},
        {vector_unpack_low, lanes_interleave_low_16, 2, VECTOR_VW, FEATURE_SSE2},
    },
    [0x62] = {
        {vector_unpack_low, lanes_interleave_low_32, 4, VECTOR_PQd, FEATURE_MMX},
        {vector_unpack_low, lanes_interleave_low_32, 4, VECTOR_VW, FEATURE_SSE2},
    },
    [0x63] = {
        {vector_narrow, lanes_pack_signed_16, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_narrow, lanes_pack_signed_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x64] = {
        {vector_lanes, lanes_greater_8, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_greater_8, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x65] = {
        {vector_lanes, lanes_greater_16, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_greater_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x66] = {
        {vector_lanes, lanes_greater_32, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_greater_32, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x67] = {
        {vector_narrow, lanes_pack_unsigned_16, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_narrow, lanes_pack_unsigned_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x68] = {
        {vector_unpack_high, lanes_interleave_low_8, 1, VECTOR_PQ, FEATURE_MMX},
        {vector_unpack_high, lanes_interleave_low_8, 1, VECTOR_VW, FEATURE_SSE2},
    },
    [0x69] = {
        {vector_unpack_high, lanes_interleave_low_16, 2, VECTOR_PQ, FEATURE_MMX},
        {vector_unpack_high, lanes_interleave_low_16, 2, VECTOR_VW, FEATURE_SSE2},
    },
    [0x6A] = {
        {vector_unpack_high, lanes_interleave_low_32, 4, VECTOR_PQ, FEATURE_MMX},
        {vector_unpack_high, lanes_interleave_low_32, 4, VECTOR_VW, FEATURE_SSE2},
    },
    [0x6B] = {
        {vector_narrow, lanes_pack_signed_32, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_narrow, lanes_pack_signed_32, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x6C] = {
        {0},
        {vector_unpack_low, NULL, 8, VECTOR_VW, FEATURE_SSE2},
    },
    [0x6D] = {
        {0},
        {vector_unpack_high, NULL, 8, VECTOR_VW, FEATURE_SSE2},
    },
    [0x6E] = {
        {vector_copy, NULL, 0, VECTOR_PE, FEATURE_MMX},
        {vector_copy, NULL, 0, VECTOR_VE, FEATURE_SSE2},
    },
    [0x6F] = {
        {vector_copy, NULL, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_copy, NULL, 0, VECTOR_VW, FEATURE_SSE2},
        {vector_copy, NULL, 0, VECTOR_VWu, FEATURE_SSE2},
    },
    [0x70] = {
        {vector_shuffle_16, NULL, 0, VECTOR_PQ, FEATURE_MMX_INTEGER},
        {vector_shuffle_32, NULL, 0, VECTOR_VW, FEATURE_SSE2},
        {vector_shuffle_high_16, NULL, 0, VECTOR_VW, FEATURE_SSE2},
        {vector_shuffle_low_16, NULL, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x71] = {
        {vector_shift_immediate, NULL, 2, VECTOR_NI, FEATURE_MMX},
        {vector_shift_immediate, NULL, 2, VECTOR_UI, FEATURE_SSE2},
    },
    [0x72] = {
        {vector_shift_immediate, NULL, 4, VECTOR_NI, FEATURE_MMX},
        {vector_shift_immediate, NULL, 4, VECTOR_UI, FEATURE_SSE2},
    },
    [0x73] = {
        {vector_shift_immediate, NULL, 8, VECTOR_NI, FEATURE_MMX},
        {vector_shift_immediate, NULL, 8, VECTOR_UI, FEATURE_SSE2},
    },
    [0x74] = {
        {vector_lanes, lanes_equal_8, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_equal_8, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x75] = {
        {vector_lanes, lanes_equal_16, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_equal_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x76] = {
        {vector_lanes, lanes_equal_32, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_equal_32, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0x77] = {
        {vector_empty_mmx, NULL, 0, VECTOR_NONE, FEATURE_MMX},
    },
    [0x7C] = {
        {0},
        {vector_horizontal, NULL, VECTOR_DOUBLE, VECTOR_VW, FEATURE_SSE3},
        {0},
        {vector_horizontal, NULL, 0, VECTOR_VW, FEATURE_SSE3},
    },
    [0x7D] = {
        {0},
        {vector_horizontal, NULL, VECTOR_DOUBLE | VECTOR_SUBTRACT, VECTOR_VW, FEATURE_SSE3},
        {0},
        {vector_horizontal, NULL, VECTOR_SUBTRACT, VECTOR_VW, FEATURE_SSE3},
    },
    [0x7E] = {
        {vector_copy, NULL, 0, VECTOR_EP, FEATURE_MMX},
        {vector_copy, NULL, 0, VECTOR_EV, FEATURE_SSE2},
        {vector_copy, NULL, 0, VECTOR_VWq, FEATURE_SSE2},
    },
    [0x7F] = {
        {vector_copy, NULL, 0, VECTOR_QP, FEATURE_MMX},
        {vector_copy, NULL, 0, VECTOR_WV, FEATURE_SSE2},
        {vector_copy, NULL, 0, VECTOR_WVu, FEATURE_SSE2},
    },
    [0xAE] = {
        {vector_fx_group, NULL, 0, VECTOR_M, FEATURE_FXSR},
    },
    [0xC2] = {
        {vector_compare_mask, NULL, 0, VECTOR_VW, FEATURE_SSE},
        {vector_compare_mask, NULL, VECTOR_DOUBLE, VECTOR_VW, FEATURE_SSE2},
        {vector_compare_mask, NULL, VECTOR_SCALAR, VECTOR_VWd, FEATURE_SSE},
        {vector_compare_mask, NULL, VECTOR_DOUBLE | VECTOR_SCALAR, VECTOR_VWq, FEATURE_SSE2},
    },
    [0xC4] = {
        {vector_insert, NULL, 2, VECTOR_PEw, FEATURE_MMX_INTEGER},
        {vector_insert, NULL, 2, VECTOR_VEw, FEATURE_SSE2},
    },
    [0xC5] = {
        {vector_extract, NULL, 2, VECTOR_GN, FEATURE_MMX_INTEGER},
        {vector_extract, NULL, 2, VECTOR_GU, FEATURE_SSE2},
    },
    [0xC6] = {
        {vector_shuffle_float, NULL, 4, VECTOR_VW, FEATURE_SSE},
        {vector_shuffle_float, NULL, 8, VECTOR_VW, FEATURE_SSE2},
    },
    [0xD0] = {
        {0},
        {vector_add_subtract, NULL, VECTOR_DOUBLE, VECTOR_VW, FEATURE_SSE3},
        {0},
        {vector_add_subtract, NULL, 0, VECTOR_VW, FEATURE_SSE3},
    },
    [0xD1] = {
        {vector_shift, NULL, VECTOR_SHIFT_RIGHT | 2, VECTOR_PQ, FEATURE_MMX},
        {vector_shift, NULL, VECTOR_SHIFT_RIGHT | 2, VECTOR_VW, FEATURE_SSE2},
    },
    [0xD2] = {
        {vector_shift, NULL, VECTOR_SHIFT_RIGHT | 4, VECTOR_PQ, FEATURE_MMX},
        {vector_shift, NULL, VECTOR_SHIFT_RIGHT | 4, VECTOR_VW, FEATURE_SSE2},
    },
    [0xD3] = {
        {vector_shift, NULL, VECTOR_SHIFT_RIGHT | 8, VECTOR_PQ, FEATURE_MMX},
        {vector_shift, NULL, VECTOR_SHIFT_RIGHT | 8, VECTOR_VW, FEATURE_SSE2},
    },
    [0xD4] = {
        {vector_lanes, lanes_add_64, 0, VECTOR_PQ, FEATURE_SSE2},
        {vector_lanes, lanes_add_64, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xD5] = {
        {vector_lanes, lanes_multiply_low_16, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_multiply_low_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xD6] = {
        {0},
        {vector_copy, NULL, 0, VECTOR_WVq, FEATURE_SSE2},
        {vector_copy, NULL, 0, VECTOR_VN, FEATURE_SSE2},
        {vector_copy, NULL, 0, VECTOR_PU, FEATURE_SSE2},
    },
    [0xD7] = {
        {vector_move_mask, NULL, 1, VECTOR_GN, FEATURE_MMX_INTEGER},
        {vector_move_mask, NULL, 1, VECTOR_GU, FEATURE_SSE2},
    },
    [0xD8] = {
        {vector_lanes, lanes_subtract_unsigned_8, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_subtract_unsigned_8, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xD9] = {
        {vector_lanes, lanes_subtract_unsigned_16, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_subtract_unsigned_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xDA] = {
        {vector_lanes, lanes_min_unsigned_8, 0, VECTOR_PQ, FEATURE_MMX_INTEGER},
        {vector_lanes, lanes_min_unsigned_8, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xDB] = {
        {vector_lanes, lanes_and, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_and, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xDC] = {
        {vector_lanes, lanes_add_unsigned_8, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_add_unsigned_8, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xDD] = {
        {vector_lanes, lanes_add_unsigned_16, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_add_unsigned_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xDE] = {
        {vector_lanes, lanes_max_unsigned_8, 0, VECTOR_PQ, FEATURE_MMX_INTEGER},
        {vector_lanes, lanes_max_unsigned_8, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xDF] = {
        {vector_lanes, lanes_and_not, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_and_not, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xE0] = {
        {vector_lanes, lanes_average_8, 0, VECTOR_PQ, FEATURE_MMX_INTEGER},
        {vector_lanes, lanes_average_8, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xE1] = {
        {vector_shift, NULL, VECTOR_SHIFT_ARITHMETIC | 2, VECTOR_PQ, FEATURE_MMX},
        {vector_shift, NULL, VECTOR_SHIFT_ARITHMETIC | 2, VECTOR_VW, FEATURE_SSE2},
    },
    [0xE2] = {
        {vector_shift, NULL, VECTOR_SHIFT_ARITHMETIC | 4, VECTOR_PQ, FEATURE_MMX},
        {vector_shift, NULL, VECTOR_SHIFT_ARITHMETIC | 4, VECTOR_VW, FEATURE_SSE2},
    },
    [0xE3] = {
        {vector_lanes, lanes_average_16, 0, VECTOR_PQ, FEATURE_MMX_INTEGER},
        {vector_lanes, lanes_average_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xE4] = {
        {vector_lanes, lanes_multiply_high_unsigned_16, 0, VECTOR_PQ, FEATURE_MMX_INTEGER},
        {vector_lanes, lanes_multiply_high_unsigned_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xE5] = {
        {vector_lanes, lanes_multiply_high_16, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_multiply_high_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xE6] = {
        {0},
        {vector_to_integers, NULL, VECTOR_DOUBLE | VECTOR_TRUNCATE | 2, VECTOR_VW, FEATURE_SSE2},
        {vector_from_integers, NULL, VECTOR_DOUBLE | 2, VECTOR_VWq, FEATURE_SSE2},
        {vector_to_integers, NULL, VECTOR_DOUBLE | 2, VECTOR_VW, FEATURE_SSE2},
    },
    [0xE7] = {
        {vector_copy, NULL, 0, VECTOR_MP, FEATURE_MMX_INTEGER},
        {vector_copy, NULL, 0, VECTOR_WV, FEATURE_SSE2},
    },
    [0xE8] = {
        {vector_lanes, lanes_subtract_signed_8, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_subtract_signed_8, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xE9] = {
        {vector_lanes, lanes_subtract_signed_16, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_subtract_signed_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xEA] = {
        {vector_lanes, lanes_min_signed_16, 0, VECTOR_PQ, FEATURE_MMX_INTEGER},
        {vector_lanes, lanes_min_signed_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xEB] = {
        {vector_lanes, lanes_or, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_or, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xEC] = {
        {vector_lanes, lanes_add_signed_8, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_add_signed_8, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xED] = {
        {vector_lanes, lanes_add_signed_16, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_add_signed_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xEE] = {
        {vector_lanes, lanes_max_signed_16, 0, VECTOR_PQ, FEATURE_MMX_INTEGER},
        {vector_lanes, lanes_max_signed_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xEF] = {
        {vector_lanes, lanes_xor, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_xor, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xF0] = {
        {0},
        {0},
        {0},
        {vector_copy, NULL, 0, VECTOR_VWu, FEATURE_SSE3},
    },
    [0xF1] = {
        {vector_shift, NULL, VECTOR_SHIFT_LEFT | 2, VECTOR_PQ, FEATURE_MMX},
        {vector_shift, NULL, VECTOR_SHIFT_LEFT | 2, VECTOR_VW, FEATURE_SSE2},
    },
    [0xF2] = {
        {vector_shift, NULL, VECTOR_SHIFT_LEFT | 4, VECTOR_PQ, FEATURE_MMX},
        {vector_shift, NULL, VECTOR_SHIFT_LEFT | 4, VECTOR_VW, FEATURE_SSE2},
    },
    [0xF3] = {
        {vector_shift, NULL, VECTOR_SHIFT_LEFT | 8, VECTOR_PQ, FEATURE_MMX},
        {vector_shift, NULL, VECTOR_SHIFT_LEFT | 8, VECTOR_VW, FEATURE_SSE2},
    },
    [0xF4] = {
        {vector_lanes, lanes_multiply_even_unsigned_32, 0, VECTOR_PQ, FEATURE_SSE2},
        {vector_lanes, lanes_multiply_even_unsigned_32, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xF5] = {
        {vector_lanes, lanes_multiply_add_16, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_multiply_add_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xF6] = {
        {vector_lanes, lanes_sum_differences_8, 0, VECTOR_PQ, FEATURE_MMX_INTEGER},
        {vector_lanes, lanes_sum_differences_8, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xF7] = {
        {vector_masked_store, NULL, 0, VECTOR_masked_PN, FEATURE_MMX_INTEGER},
        {vector_masked_store, NULL, 0, VECTOR_masked_VU, FEATURE_SSE2},
    },
    [0xF8] = {
        {vector_lanes, lanes_subtract_8, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_subtract_8, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xF9] = {
        {vector_lanes, lanes_subtract_16, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_subtract_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xFA] = {
        {vector_lanes, lanes_subtract_32, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_subtract_32, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xFB] = {
        {vector_lanes, lanes_subtract_64, 0, VECTOR_PQ, FEATURE_SSE2},
        {vector_lanes, lanes_subtract_64, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xFC] = {
        {vector_lanes, lanes_add_8, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_add_8, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xFD] = {
        {vector_lanes, lanes_add_16, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_add_16, 0, VECTOR_VW, FEATURE_SSE2},
    },
    [0xFE] = {
        {vector_lanes, lanes_add_32, 0, VECTOR_PQ, FEATURE_MMX},
        {vector_lanes, lanes_add_32, 0, VECTOR_VW, FEATURE_SSE2},
    },
};
// clang-format on

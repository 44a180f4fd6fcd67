/* What the files of the MMX and SSE instructions (vector_*.c) share.
 *
 * The way of an instruction: vector.c finds its row, makes the checks that all have in common,
 * fetches the operands that the row's form names, calls the row's handler, which computes 'result'
 * from 'a' and 'b', and stores the result where the form says. */
#ifndef REPRISE_VECTOR_INTERNAL_H
#define REPRISE_VECTOR_INTERNAL_H

#include "cpu_feature.h"
#include "helpers.h"

/* 128 bits, or 64 in half[0]: lane 0 is the lowest. */
typedef struct Vector {
    uint64_t half[2];
} Vector;

/* Operand forms, named as in SDM vol. 2D A.2: P, Q, N are MMX (reg; rm or memory; rm register), V,
 * W, U likewise SSE, G and E general registers. The destination comes first; d, q, w, b are the
 * size of a memory operand where it is not the whole. */
typedef enum VectorForm {
    VECTOR_NONE,
    VECTOR_PQ,
    VECTOR_PQd,
    VECTOR_QP,
    VECTOR_MP, /* MMX and MMX */
    VECTOR_PE,
    VECTOR_PEw,
    VECTOR_EP,
    VECTOR_GN, /* MMX and general */
    VECTOR_NI,
    VECTOR_UI, /* shifts by an immediate: destination in rm */
    VECTOR_VW,
    VECTOR_VWu,
    VECTOR_VWq,
    VECTOR_VWd,
    VECTOR_VWw, /* SSE; u: may be unaligned */
    VECTOR_WV,
    VECTOR_WVu,
    VECTOR_WVq,
    VECTOR_WVd,
    VECTOR_VE,
    VECTOR_VEb,
    VECTOR_VEw,
    VECTOR_EV,
    VECTOR_EVb,
    VECTOR_EVw, /* SSE and general */
    VECTOR_GU,
    VECTOR_GWd,
    VECTOR_GWq,
    VECTOR_VQ,
    VECTOR_PW,
    VECTOR_PWq,
    VECTOR_VN,
    VECTOR_PU, /* SSE and MMX */
    VECTOR_compare,
    VECTOR_compare_u,
    VECTOR_compare_d,
    VECTOR_compare_q, /* V and W, no register is written */
    VECTOR_masked_PN,
    VECTOR_masked_VU, /* MASKMOVQ, MASKMOVDQU: the handler stores */
    VECTOR_M,         /* FXSAVE and its group: the handler accesses memory */
    VECTOR_FORM_COUNT
} VectorForm;

typedef struct VectorRow VectorRow;

typedef struct VectorOperation {
    const VectorRow *row;
    uint8_t opcode, modrm, segment, immediate;
    bool memory;     /* the rm operand is memory */
    bool wide;       /* 128-bit integers, not 64 */
    uint32_t offset; /* of the memory operand */
    Vector a;        /* the destination (or, for stores, the register that is stored) */
    Vector b;        /* the rm operand; a memory operand's missing bytes are 0 */
    Vector result;   /* 'a' at first */
} VectorOperation;

/* HELPER_FAULT only with nothing changed but MXCSR's flags. */
typedef HelperResult VectorHandler(Cpu *cpu, VectorOperation *operation);
/* An operation on the lanes of 64 bits, the same in both halves. */
typedef uint64_t LaneFunction(uint64_t a, uint64_t b);

struct VectorRow {
    VectorHandler *handler; /* NULL: no such instruction */
    LaneFunction *lane;
    uint8_t parameter;
    uint8_t form; /* VectorForm */
    uint8_t feature;
};

/* [opcode][prefix]: none, 66, F3, F2. vector_table.c, vector_table_sse4.c */
extern const VectorRow vector_rows_0f[256][4];
extern const VectorRow vector_rows_0f38[256][2];
extern const VectorRow vector_rows_0f3a[256][2];

/* Lanes: lane 'index' of 'size' bytes, zero-extended. */
static inline uint64_t vector_get(const Vector *vector, unsigned size, unsigned index) {
    uint64_t value = vector->half[index * size / 8] >> (index * size % 8 * 8);
    return size == 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

static inline void vector_set(Vector *vector, unsigned size, unsigned index, uint64_t value) {
    uint64_t *half = &vector->half[index * size / 8];
    unsigned shift = index * size % 8 * 8;
    uint64_t mask = size == 8 ? UINT64_MAX : ((UINT64_C(1) << 8 * size) - 1) << shift;
    *half = (*half & ~mask) | (value << shift & mask);
}

/* Integer lanes. vector_lanes.c */
LaneFunction lanes_add_8, lanes_add_16, lanes_add_32, lanes_add_64;
LaneFunction lanes_subtract_8, lanes_subtract_16, lanes_subtract_32, lanes_subtract_64;
LaneFunction lanes_add_signed_8, lanes_add_signed_16, lanes_add_unsigned_8, lanes_add_unsigned_16;
LaneFunction lanes_subtract_signed_8, lanes_subtract_signed_16;
LaneFunction lanes_subtract_unsigned_8, lanes_subtract_unsigned_16;
LaneFunction lanes_equal_8, lanes_equal_16, lanes_equal_32, lanes_equal_64;
LaneFunction lanes_greater_8, lanes_greater_16, lanes_greater_32, lanes_greater_64;
LaneFunction lanes_min_signed_8, lanes_min_signed_16, lanes_min_signed_32;
LaneFunction lanes_min_unsigned_8, lanes_min_unsigned_16, lanes_min_unsigned_32;
LaneFunction lanes_max_signed_8, lanes_max_signed_16, lanes_max_signed_32;
LaneFunction lanes_max_unsigned_8, lanes_max_unsigned_16, lanes_max_unsigned_32;
LaneFunction lanes_average_8, lanes_average_16;
LaneFunction lanes_multiply_low_16, lanes_multiply_low_32, lanes_multiply_high_16;
LaneFunction lanes_multiply_high_unsigned_16, lanes_multiply_rounded_16;
LaneFunction lanes_multiply_even_unsigned_32, lanes_multiply_even_signed_32;
LaneFunction lanes_multiply_add_16, lanes_multiply_add_8, lanes_sum_differences_8;
LaneFunction lanes_sign_8, lanes_sign_16, lanes_sign_32;
LaneFunction lanes_absolute_8, lanes_absolute_16, lanes_absolute_32;
LaneFunction lanes_and, lanes_and_not, lanes_or, lanes_xor;
/* The lower and upper halves of a and b interleaved. */
LaneFunction lanes_interleave_low_8, lanes_interleave_low_16, lanes_interleave_low_32;
LaneFunction lanes_interleave_high_8, lanes_interleave_high_16, lanes_interleave_high_32;
/* 128 bits (a low, b high) packed or added up horizontally to 64. */
LaneFunction lanes_pack_signed_16, lanes_pack_unsigned_16, lanes_pack_signed_32;
LaneFunction lanes_pack_unsigned_32;
LaneFunction lanes_horizontal_add_16, lanes_horizontal_add_32, lanes_horizontal_add_signed_16;
LaneFunction lanes_horizontal_subtract_16, lanes_horizontal_subtract_32;
LaneFunction lanes_horizontal_subtract_signed_16;

VectorHandler vector_lanes;  /* row->lane on each half */
VectorHandler vector_narrow; /* row->lane on the halves of a, and of b */
VectorHandler vector_unpack_low,
    vector_unpack_high; /* row->lane: lanes_interleave_low_*; 'parameter' is the lane size */

/* vector_shift.c. 'parameter': lane size, VECTOR_SHIFT_* */
enum { VECTOR_SHIFT_LEFT = 0x10, VECTOR_SHIFT_RIGHT = 0x20, VECTOR_SHIFT_ARITHMETIC = 0x40 };
VectorHandler vector_shift, vector_shift_immediate;

/* vector_move.c */
VectorHandler vector_copy, vector_move_low, vector_move_high, vector_move_scalar, vector_store_high;
VectorHandler vector_duplicate_low, vector_duplicate_high, vector_duplicate_64;
VectorHandler vector_move_mask, vector_masked_store, vector_extend;

/* vector_shuffle.c */
VectorHandler vector_shuffle_16, vector_shuffle_low_16, vector_shuffle_high_16, vector_shuffle_32;
VectorHandler vector_shuffle_float, vector_shuffle_8, vector_align;
VectorHandler vector_insert, vector_extract, vector_insert_float;
VectorHandler vector_blend_immediate, vector_blend_variable;
VectorHandler vector_min_position, vector_sums_of_differences;

/* Floats. 'parameter': VECTOR_DOUBLE and the like, with a FloatKind, or a number of lanes.
 * vector_float.c */
enum {
    VECTOR_DOUBLE = 0x10,
    VECTOR_SCALAR = 0x20,
    VECTOR_TRUNCATE = 0x40, /* conversions to integers */
    VECTOR_QUIET = 0x40,    /* UCOMISS */
    VECTOR_SUBTRACT = 0x40, /* HSUBPS */
};
typedef enum VectorArithmetic {
    VECTOR_ADD,
    VECTOR_MULTIPLY,
    VECTOR_MINUS,
    VECTOR_MIN,
    VECTOR_DIVIDE,
    VECTOR_MAX,
    VECTOR_ROOT,
} VectorArithmetic;
VectorHandler vector_arithmetic, vector_reciprocal, vector_reciprocal_root;
VectorHandler vector_horizontal, vector_add_subtract, vector_dot_product;

/* vector_float_compare.c */
VectorHandler vector_compare_mask, vector_compare_flags;

/* vector_convert.c */
VectorHandler vector_from_integers, vector_to_integers, vector_change_precision, vector_round;

/* vector_string.c */
VectorHandler vector_compare_strings;

/* vector_crypto.c */
VectorHandler vector_aes, vector_aes_key, vector_multiply_carryless;

/* vector_3dnow.c: the immediate is the opcode */
VectorHandler vector_3dnow;

/* vector_state.c */
VectorHandler vector_empty_mmx, vector_fx_group, vector_test;
/* MXCSR bits that may be set. */
uint32_t vector_mxcsr_mask(const Cpu *cpu);

#endif

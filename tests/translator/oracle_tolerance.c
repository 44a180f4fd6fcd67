/* See oracle_tolerance.h. */
#include "oracle_tolerance.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

bool oracle_is_transcendental(const Insn *insn) {
    switch (insn->code) {
    case INSN_FSIN:
    case INSN_FCOS:
    case INSN_FSINCOS:
    case INSN_FPTAN:
    case INSN_FPATAN:
    case INSN_F2XM1:
    case INSN_FYL2X:
    case INSN_FYL2XP1:
        return true;
    default:
        return false;
    }
}

bool oracle_is_estimate(const Insn *insn) {
    switch (insn->code) {
    case INSN_RCPPS:
    case INSN_RCPSS:
    case INSN_RSQRTPS:
    case INSN_RSQRTSS:
        return true;
    default:
        return false;
    }
}

/* A number's place in the order of all of its sign, saturated: neighbours differ by 1. */
static int64_t find_distance(const uint8_t *a, const uint8_t *b) {
    uint64_t significand_a, significand_b;
    uint16_t exponent_a, exponent_b;
    memcpy(&significand_a, a, 8);
    memcpy(&significand_b, b, 8);
    memcpy(&exponent_a, a + 8, 2);
    memcpy(&exponent_b, b + 8, 2);
    int difference = (int16_t)exponent_a - (int16_t)exponent_b;
    if (difference == 0)
        return (int64_t)(significand_a - significand_b);
    if (difference == 1) /* 8000... of the higher follows FFFF... of the lower */
        return (int64_t)((significand_a << 1) - significand_b);
    if (difference == -1)
        return (int64_t)(significand_a - (significand_b << 1));
    return INT64_MAX;
}

bool oracle_compare_transcendental(const OracleState *ours, const OracleState *hosts, char *text,
                                   size_t size) {
    enum { ULPS = 2 };
    for (unsigned i = 0; i < 8; i++) {
        int64_t distance = find_distance(ours->st[i], hosts->st[i]);
        if (distance > ULPS || distance < -ULPS) {
            snprintf(text, size, "ST(%u) is %lld ulps from the other's", i, (long long)distance);
            return false;
        }
    }
    return true;
}

bool oracle_compare_estimates(const OracleState *ours, const OracleState *hosts, char *text,
                              size_t size) {
    const float relative = 3.0F / 4096;
    for (unsigned i = 0; i < 32; i++) {
        float a, b;
        memcpy(&a, &ours->xmm[0][4 * i], 4);
        memcpy(&b, &hosts->xmm[0][4 * i], 4);
        bool is_same = memcmp(&a, &b, 4) == 0;
        if (!is_same && !(isfinite(a) && isfinite(b) && fabsf(a - b) <= relative * fabsf(b))) {
            snprintf(text, size, "XMM%u lane %u is %a, the other's %a", i / 4, i % 4, (double)a,
                     (double)b);
            return false;
        }
    }
    return true;
}

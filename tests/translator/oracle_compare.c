/* See oracle_compare.h. */
#include "oracle_compare.h"
#include "cpu.h"
#include "insn.h"
#include "oracle_tolerance.h"
#include <stdio.h>
#include <string.h>

enum { ERROR_FETCH = 16, PENDING = 0x80, FIRST_BYTES = 10 };

/* A part of an x87 image: from here, that many bytes. */
typedef struct ImagePart {
    uint16_t offset, size;
} ImagePart;

/* Of a selector that is pushed as 32 bits: Intel's processors leave it, AMD's clear it. Of x87
 * images reserved words and selectors, then what has FIP, FDP and FOP. */
static const ImagePart upper_half[] = {{2, 2}, {0, 0}};
static const ImagePart open_16[] = {{8, 2}, {12, 2}, {0, 0}};
static const ImagePart open_32[] = {{2, 2}, {6, 2}, {10, 2}, {16, 2}, {24, 4}, {0, 0}};
static const ImagePart open_fx[] = {{5, 1}, {12, 4}, {20, 4}, {28, 4}, {416, 96}, {0, 0}};
static const ImagePart data_pointer_16[] = {{10, 2}, {0, 0}};
static const ImagePart data_pointer_32[] = {{20, 4}, {0, 0}};
static const ImagePart opcode_32[] = {{18, 2}, {0, 0}};
static const ImagePart pointers_fx[] = {{6, 14}, {0, 0}};

static void copy_parts(const ImagePart *parts, const uint8_t *from, uint8_t *to, unsigned size) {
    for (; parts->size != 0; parts++)
        for (unsigned i = parts->offset; i < parts->offset + parts->size && i < size; i++)
            to[i] = from[i];
}

void oracle_take_open_image(const OracleHost *host, const OracleOpen *open, unsigned code,
                            const uint8_t *image, uint8_t *ours, unsigned size) {
    bool is_wide = size == 28 || size == 108;
    if (code == INSN_PUSH_SREG) {
        copy_parts(upper_half, image, ours, size);
        return;
    }
    if (code == INSN_FXSAVE) {
        copy_parts(open_fx, image, ours, size);
        if (!host->has_pointers || !host->has_opcode)
            copy_parts(pointers_fx, image, ours, size);
        return;
    }
    copy_parts(is_wide ? open_32 : open_16, image, ours, size);
    uint8_t *status = ours + (is_wide ? 5 : 3); /* its upper half, where all that is open lies */
    uint8_t mask = (uint8_t)(open->fpu_status >> 8);
    *status = (uint8_t)((*status & ~mask) | (image[status - ours] & mask));
    if (!host->has_data_pointer)
        copy_parts(is_wide ? data_pointer_32 : data_pointer_16, image, ours, size);
    if (!host->has_opcode && is_wide)
        copy_parts(opcode_32, image, ours, size);
}

bool oracle_compare_bytes(const char *what, const uint8_t *ours, const uint8_t *others, size_t size,
                          uint32_t address, char *text, size_t text_size) {
    if (memcmp(ours, others, size) == 0)
        return true;
    size_t i = 0;
    while (ours[i] == others[i])
        i++;
    int length = snprintf(text, text_size, "%s at %X is", what, address + (uint32_t)i);
    size_t shown = size - i < FIRST_BYTES ? size - i : FIRST_BYTES;
    for (size_t j = 0; j < shown; j++)
        length += snprintf(text + length, text_size - (size_t)length, " %02X", ours[i + j]);
    length += snprintf(text + length, text_size - (size_t)length, ", the other's");
    for (size_t j = 0; j < shown; j++)
        length += snprintf(text + length, text_size - (size_t)length, " %02X", others[i + j]);
    return false;
}

typedef struct Difference {
    char *text;
    size_t size;
} Difference;

static bool is_same(Difference *difference, const char *what, uint32_t ours, uint32_t others) {
    if (ours == others)
        return true;
    snprintf(difference->text, difference->size, "%s is %X, the other's %X", what, ours, others);
    return false;
}

/* The system's way back to a process makes every null selector 0. */
static uint16_t see_selector(uint16_t selector) {
    return selector < 4 ? 0 : selector;
}

static bool compare_integers(const OracleOpen *open, const OracleState *ours,
                             const OracleState *hosts, Difference *difference) {
    static const char *const registers[8] = {"EAX", "ECX", "EDX", "EBX",
                                             "ESP", "EBP", "ESI", "EDI"};
    static const char *const segments[6] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    uint32_t compared = ~open->eflags;
    uint32_t code = hosts->error_code & ~(hosts->vector == EXCEPTION_PF ? ERROR_FETCH : 0u);
    if (!is_same(difference, "exception", ours->vector, hosts->vector) ||
        !is_same(difference, "EIP", ours->eip, hosts->eip) ||
        !is_same(difference, "error code", ours->error_code, code) ||
        (!open->cr2 && !is_same(difference, "CR2", ours->cr2, hosts->cr2)))
        return false;
    for (unsigned i = 0; i < 8; i++)
        if (!is_same(difference, registers[i], ours->gpr[i], hosts->gpr[i]))
            return false;
    for (unsigned i = 0; i < 6; i++)
        if (!is_same(difference, segments[i], see_selector(ours->segment[i]),
                     see_selector(hosts->segment[i])))
            return false;
    return is_same(difference, "EFLAGS", ours->eflags & compared, hosts->eflags & compared);
}

static bool compare_pointers(const OracleHost *host, const OracleState *ours,
                             const OracleState *hosts, Difference *difference) {
    bool is_pending = (hosts->status & PENDING) != 0;
    bool has_ip = is_pending || host->has_pointers;
    bool has_dp = is_pending || (host->has_pointers && host->has_data_pointer);
    bool has_opcode = is_pending || (host->has_pointers && host->has_opcode);
    return (!has_ip || is_same(difference, "FIP", ours->ip, hosts->ip)) &&
           (!has_dp || is_same(difference, "FDP", ours->dp, hosts->dp)) &&
           (!has_opcode || is_same(difference, "FOP", ours->opcode, hosts->opcode));
}

static bool compare_fpu(const OracleHost *host, const OracleOpen *open, const OracleState *ours,
                        const OracleState *hosts, Difference *difference) {
    unsigned status = ~(unsigned)open->fpu_status;
    if (!is_same(difference, "FPU control word", ours->control, hosts->control) ||
        !is_same(difference, "FPU status word", ours->status & status, hosts->status & status) ||
        !is_same(difference, "FPU registers in use", ours->tags, hosts->tags) ||
        !compare_pointers(host, ours, hosts, difference))
        return false;
    return open->is_transcendental
               ? oracle_compare_transcendental(ours, hosts, difference->text, difference->size)
               : oracle_compare_bytes("ST, 10 bytes each,", ours->st[0], hosts->st[0],
                                      sizeof(ours->st), 0, difference->text, difference->size);
}

bool oracle_compare_states(const OracleHost *host, const OracleOpen *open, const OracleState *ours,
                           const OracleState *hosts, char *text, size_t size) {
    Difference difference = {text, size};
    return compare_integers(open, ours, hosts, &difference) &&
           compare_fpu(host, open, ours, hosts, &difference) &&
           is_same(&difference, "MXCSR", ours->mxcsr, hosts->mxcsr) &&
           (open->is_estimate
                ? oracle_compare_estimates(ours, hosts, text, size)
                : oracle_compare_bytes("XMM, 16 bytes each,", ours->xmm[0], hosts->xmm[0],
                                       sizeof(ours->xmm), 0, text, size));
}

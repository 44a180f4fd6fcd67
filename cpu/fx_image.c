/* See fx_image.h. */
#include "fx_image.h"
#include "little_endian.h"
#include "x87_internal.h"

enum {
    CONTROL = 0,
    STATUS = 2,
    TAGS = 4, /* one bit a register: not empty */
    OPCODE = 6,
    IP = 8,
    CS = 12,
    DP = 16,
    DS = 20,
    REGISTERS = 32, /* in stack order, 16 bytes each */
};

/* Whole words, since whoever reads the image next does so in words, and a processor that has to put
 * one together of several stores waits for all of them. */
void fx_image_write_x87(const FpuState *fpu, uint32_t mxcsr, uint32_t mxcsr_mask,
                        uint8_t image[FX_IMAGE_USED]) {
    unsigned tags = 0, top = x87_get_top(fpu);
    for (unsigned i = 0; i < 8; i++) {
        const struct FpuRegister *source = &fpu->st[(top + i) & 7];
        store_le64(image + REGISTERS + 16 * i, source->significand);
        store_le64(image + REGISTERS + 16 * i + 8, source->sign_exponent);
        tags |= (unsigned)(x87_get_tag(fpu, i) != X87_TAG_EMPTY) << i;
    }
    store_le64(image + CONTROL, fpu->control | (uint64_t)fpu->status << 16 | (uint64_t)tags << 32 |
                                    (uint64_t)fpu->opcode << 48);
    store_le64(image + IP, fpu->ip | (uint64_t)fpu->cs << 32);
    store_le64(image + DP, fpu->dp | (uint64_t)fpu->ds << 32);
    store_le64(image + FX_IMAGE_MXCSR, mxcsr | (uint64_t)mxcsr_mask << 32);
}

void fx_image_write_xmm(const FpuState *fpu, uint8_t image[FX_IMAGE_USED]) {
    for (unsigned i = 0; i < 8; i++) {
        store_le64(image + FX_IMAGE_XMM + 16 * i, load_le64(fpu->xmm[i]));
        store_le64(image + FX_IMAGE_XMM + 16 * i + 8, load_le64(fpu->xmm[i] + 8));
    }
}

void fx_image_read_x87(FpuState *fpu, const uint8_t image[FX_IMAGE_USED]) {
    fpu->control = (load_le16(image + CONTROL) & X87_CONTROL_MASK) | X87_CONTROL_FIXED;
    fpu->status = load_le16(image + STATUS);
    unsigned top = x87_get_top(fpu);
    for (unsigned i = 0; i < 8; i++) {
        struct FpuRegister *target = &fpu->st[(top + i) & 7];
        target->significand = load_le64(image + REGISTERS + 16 * i);
        target->sign_exponent = load_le16(image + REGISTERS + 16 * i + 8);
    }
    for (unsigned i = 0; i < 8; i++) {
        bool empty = (image[TAGS] >> i & 1) == 0;
        x87_set_tag(fpu, i, empty ? X87_TAG_EMPTY : X87_TAG_VALID);
    }
    x87_settle_tags(fpu);
}

void fx_image_read_pointers(FpuState *fpu, const uint8_t image[FX_IMAGE_USED]) {
    fpu->opcode = load_le16(image + OPCODE) & 0x7FF;
    fpu->ip = load_le32(image + IP);
    fpu->cs = load_le16(image + CS);
    fpu->dp = load_le32(image + DP);
    fpu->ds = load_le16(image + DS);
}

void fx_image_read_xmm(FpuState *fpu, const uint8_t image[FX_IMAGE_USED]) {
    for (unsigned i = 0; i < 8; i++) {
        store_le64(fpu->xmm[i], load_le64(image + FX_IMAGE_XMM + 16 * i));
        store_le64(fpu->xmm[i] + 8, load_le64(image + FX_IMAGE_XMM + 16 * i + 8));
    }
}

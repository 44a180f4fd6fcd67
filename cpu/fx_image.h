/* The area of FXSAVE and FXRSTOR (SDM vol. 1 table 10-2), for the instructions and for handing the
 * FPU's state to an x86 host's own. Touches general registers alone. */
#ifndef REPRISE_FX_IMAGE_H
#define REPRISE_FX_IMAGE_H

#include "cpu.h"

enum {
    FX_IMAGE_MXCSR = 24,
    FX_IMAGE_XMM = 160,
    FX_IMAGE_USED = 288, /* without XMM8 to XMM15 */
    FX_IMAGE_SIZE = 512,
};

/* Control, status, tags, pointers, registers in stack order, and MXCSR with its mask as given. */
void fx_image_write_x87(const FpuState *fpu, uint32_t mxcsr, uint32_t mxcsr_mask,
                        uint8_t image[FX_IMAGE_USED]);
/* XMM0 to XMM7. */
void fx_image_write_xmm(const FpuState *fpu, uint8_t image[FX_IMAGE_USED]);

/* Control, status, tags and registers of the x87; not its pointers. */
void fx_image_read_x87(FpuState *fpu, const uint8_t image[FX_IMAGE_USED]);
/* FIP, FDP, FOP and their selectors. */
void fx_image_read_pointers(FpuState *fpu, const uint8_t image[FX_IMAGE_USED]);
/* XMM0 to XMM7. MXCSR is not read. */
void fx_image_read_xmm(FpuState *fpu, const uint8_t image[FX_IMAGE_USED]);

#endif

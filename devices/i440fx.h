/* The 82441FX host bridge: PCI device 0, with the PAM registers that shadow the BIOS and the SMRAM
 * register. (Intel 440FX data sheet 290549, 3.2.) */
#ifndef REPRISE_I440FX_H
#define REPRISE_I440FX_H

#include "pci.h"

typedef struct I440fx I440fx;

/* 'bios' is the firmware image, up to where memory ends; its last part shows through between C0000h
 * and FFFFFh where the PAM registers do not send accesses to RAM. It must be aligned to pages, be a
 * multiple of PAGE_SIZE and outlive the bridge. From now on the bridge lays out A0000h to FFFFFh.
 */
I440fx *i440fx_create(const DeviceContext *context, PciBus *bus, uint8_t *bios, uint32_t bios_size,
                      Error *error);
/* The processor's SMIACT#: accesses are system management mode's, which sees SMRAM. Fits a Wire,
 * 'line' is ignored. */
void i440fx_set_smiact(void *bridge, int line, int level);
void i440fx_destroy(I440fx *bridge);

#endif

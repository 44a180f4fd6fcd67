/* QEMU's 'pc-testdev' (its hw/misc/pc-testdev): what suites of test kernels poke at. A register at
 * port E0h and again at E8h, a port E4h that asks to forget a page, a port for each request line
 * from 2000h on, and 64 KB at FF000000h that keep what is written. */
#ifndef REPRISE_PC_TESTDEV_H
#define REPRISE_PC_TESTDEV_H

#include "device_context.h"

typedef struct PcTestdev PcTestdev;

enum { PC_TESTDEV_LINES = 24 };

/* 'lines': where a byte written to port 2000h + n leads, level 0 or 1. */
PcTestdev *pc_testdev_create(const DeviceContext *context, const Wire lines[PC_TESTDEV_LINES],
                             Error *error);
void pc_testdev_destroy(PcTestdev *device);

#endif

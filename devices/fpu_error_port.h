/* Port F0h: how the handler of IRQ 13 tells that it saw the FPU's error. A write asserts the
 * processor's IGNNE#, so that the handler can use x87 instructions before it clears the exception
 * (82371FB PIIX data sheet, coprocessor error register; the PC/AT's F1h, coprocessor reset, has
 * nothing to reset here). */
#ifndef REPRISE_FPU_ERROR_PORT_H
#define REPRISE_FPU_ERROR_PORT_H

#include "device_context.h"

typedef struct FpuErrorPort FpuErrorPort;

/* 'ignne' is raised by a write; the processor drops it itself when FERR# goes inactive, so that
 * there is no state here. */
FpuErrorPort *fpu_error_port_create(const DeviceContext *context, const Wire *ignne, Error *error);
void fpu_error_port_destroy(FpuErrorPort *port);

#endif

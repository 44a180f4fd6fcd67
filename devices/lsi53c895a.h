/* LSI 53C895A, a SCSI host adapter on the PCI bus that runs programs of its own, SCRIPTS
 * (LSI53C895A PCI to Ultra2 SCSI Controller technical manual). */
#ifndef REPRISE_LSI53C895A_H
#define REPRISE_LSI53C895A_H

#include "device_context.h"
#include "pci.h"
#include "scsi_target.h"

#define LSI_TARGETS 16 /* the adapter itself is one of them, 7 as a rule */

typedef struct Lsi Lsi;

typedef struct LsiOptions {
    const char *id;                   /* in the device list */
    unsigned slot;                    /* on the PCI bus */
    ScsiTarget *targets[LSI_TARGETS]; /* NULL: nothing has that number. They stay the caller's */
} LsiOptions;

Lsi *lsi_create(const DeviceContext *context, PciBus *bus, const LsiOptions *options, Error *error);
void lsi_destroy(Lsi *lsi);

#endif

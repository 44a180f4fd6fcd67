/* The port by which guests of VMware talk to what runs them: an absolute pointer, and the
 * clipboard. (VMware, 'VMMouse' driver and 'backdoor' interface, as its open drivers publish them.)
 *
 * A call is an IN from the port with a magic number in EAX, a command in CX and a parameter in EBX;
 * answers come in all registers. Who reads the port is the board's affair. The pointer's events lie
 * in a queue here, and the PS/2 mouse is made to send an empty packet for its interrupt. */
#ifndef REPRISE_VMWARE_PORT_H
#define REPRISE_VMWARE_PORT_H

#include "device_context.h"
#include "ps2_mouse.h"

#define VMWARE_PORT 0x5658
#define VMWARE_MAGIC 0x564D5868u
#define VMWARE_PLACE_MOST 0xFFFFu
#define VMWARE_SELECTION_BYTES 4096

typedef struct VmwarePort VmwarePort;

typedef struct VmwareRegisters {
    uint32_t eax, ebx, ecx, edx, esi, edi;
} VmwareRegisters;

typedef struct VmwarePortOptions {
    Ps2Mouse *mouse;
    uint64_t ram_bytes;
    uint64_t tsc_hz;
    uint32_t apic_hz;
    bool no_clipboard;
    /* The guest has put a text into its clipboard. */
    void (*copied)(void *opaque, const uint8_t *text, size_t size);
    void *opaque;
} VmwarePortOptions;

VmwarePort *vmware_port_create(const DeviceContext *context, const VmwarePortOptions *options);
void vmware_port_destroy(VmwarePort *port);

/* A call whose EAX was right. */
void vmware_port_call(VmwarePort *port, VmwareRegisters *registers);

/* A driver listens for places. From any thread. */
bool vmware_port_is_used(const VmwarePort *port);
/* It has taken all events. */
bool vmware_port_is_idle(const VmwarePort *port);
void vmware_port_place(VmwarePort *port, uint32_t x, uint32_t y); /* 0 to VMWARE_PLACE_MOST */
void vmware_port_move(VmwarePort *port, int32_t dx, int32_t dy, int32_t dz);
void vmware_port_set_buttons(VmwarePort *port, uint32_t buttons); /* 1 left, 2 right, 4 middle */

uint32_t vmware_port_buttons(const VmwarePort *port); /* that are down */

/* The guest has looked for a text of the host's. From any thread. */
bool vmware_port_wants_text(const VmwarePort *port);
/* A text that the guest may take; longer ones are cut. */
void vmware_port_offer(VmwarePort *port, const uint8_t *text, size_t size);

#endif

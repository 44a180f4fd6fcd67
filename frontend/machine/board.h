/* The board: which chips there are and what is plugged where. An i440FX with a PIIX3, as QEMU's
 * 'pc'. */
#ifndef REPRISE_BOARD_H
#define REPRISE_BOARD_H

#include "block.h"
#include "byte_buffer.h"
#include "display_surface.h"
#include "error.h"
#include "keyboard_keys.h"
#include "machine_config.h"
#include "shared_bytes.h"
#include "wire.h"
#include <stdbool.h>
#include <stdint.h>

struct Machine;
struct IdeChannel;

/* A place for a medium: a floppy drive, disk or CD drive, by the name that 'info block' and
 * 'change' use. */
typedef struct BoardDrive {
    char id[32];
    bool present, is_floppy, is_cd;
    unsigned unit; /* floppy 0 or 1, IDE 0 to 3, number of the disk on the PCI bus */
    bool is_on_pci;
    BlockNode *medium;
    /* How the medium was asked for: what 'change' keeps. */
    bool snapshot, read_only;
    /* Names that QMP has for the device, for the node in it and for a -drive that both were made
     * of; "" where nobody gave one. */
    char device_id[64], node_name[64], backend[64];
} BoardDrive;

/* A network card with its cable. */
typedef struct BoardNetworkCard {
    char id[32];
    const struct NetworkCardModel *model;
    void *card;               /* NULL: none */
    struct NetworkLink *link; /* to whatever is at its other end */
    SharedBytes *rom;         /* to boot by, or NULL */
    /* What that is; its options are NULL where nothing is. */
    const NetworkBackEndOptions *back_end;
    struct NetworkUser *user;
    struct NetworkSocket *socket;
    struct NetworkTap *tap;
    unsigned slot; /* on the PCI bus */
} BoardNetworkCard;

#define BOARD_DRIVES MACHINE_DRIVES
#define BOARD_IDE_CHANNELS (MACHINE_IDE_DRIVES / 2)

typedef struct Board {
    struct Machine *machine;
    /* In the order in which they are made. */
    struct PciBus *pci; /* NULL on an ISA board, as the chips on it */
    struct A20Gate *a20_gate;
    struct I440fx *host_bridge;
    struct I8259 *pic;
    /* NULL if the processors have none: those of all, the first one's, and (not on an ISA board)
     * the I/O APIC. */
    struct LocalApicGroup *local_apics;
    struct LocalApic *local_apic[MACHINE_PROCESSORS];
    struct IoApic *io_apic;
    struct IrqLines *irq_lines;
    struct Piix3 *isa_bridge;
    struct Piix4Pm *power_management;
    struct Hpet *hpet; /* NULL without */
    struct I8254 *pit;
    struct PcSpeaker *speaker;
    struct Mc146818 *rtc;
    Wire clock_irq; /* where the clock chip's request goes on to */
    struct I8237 *dma;
    struct AudioThread *audio_thread[MACHINE_AUDIO_SINKS]; /* NULL where nobody listens */
    struct AudioMixer *mixer[MACHINE_AUDIO_SINKS];
    struct Opl3 *opl; /* NULL without, as the cards */
    struct Sb16 *sb16;
    struct Mpu401 *midi;
    struct Gameport *gameport;
    struct Ac97 *ac97;
    struct Es1370 *es1370;
    struct Ps2Keyboard *keyboard;
    struct Ps2Mouse *mouse;
    struct VmwarePort *vmware_port; /* NULL without */
    struct Uhci *usb;               /* NULL without, as what is plugged into it */
    struct UsbBus *usb_bus;
    struct UsbTablet *usb_tablet;
    struct UsbKeyboard *usb_keyboard;
    struct UsbMouse *usb_mouse;
    struct UsbHub *usb_hub[MACHINE_USB_HUBS];
    struct UsbStorage *usb_storage[MACHINE_PCI_DISKS]; /* NULL: another kind of disk is there */
    struct I8042 *keyboard_controller;
    struct Port92 *port92;
    struct FpuErrorPort *fpu_error_port;
    struct FwCfg *fw_cfg;
    struct Vga *vga;
    struct I82077 *floppy;
    struct Piix3Ide *ide;                               /* NULL on an ISA board */
    struct IdeChannel *ide_channel[BOARD_IDE_CHANNELS]; /* its own, or an ISA board's */
    struct VirtioBlk *virtio_disk[MACHINE_PCI_DISKS];   /* NULL: not of this kind, or not there */
    struct Nvme *nvme_disk[MACHINE_PCI_DISKS];
    struct Ahci *ahci; /* NULL without */
    unsigned ahci_slot;
    struct Lsi *scsi; /* likewise */
    unsigned scsi_slot;
    struct ScsiDisk *scsi_disk[MACHINE_PCI_DISKS];
    struct ScsiCd *scsi_cd[MACHINE_PCI_DISKS];
    unsigned pci_disk_slot[MACHINE_PCI_DISKS];
    BoardNetworkCard network_card[MACHINE_NETWORK_CARDS];
    struct NetworkDump *network_dump[MACHINE_NETWORK_DUMPS];
    struct NetworkHost *network_host; /* NULL: nothing of the host can wake the machine */
    struct Uart16550 *serial[MACHINE_SERIAL_PORTS];
    struct ParallelPort *parallel[MACHINE_PARALLEL_PORTS];
    struct DebugConsole *debug_console, *firmware_log;
    struct IsaDebugExit *debug_exit;
    struct PostLog *post_log;
    struct Pvpanic *pvpanic;
    struct PcTestdev *pc_testdev;
    struct PciTestdev *pci_testdev;

    BoardDrive drive[BOARD_DRIVES]; /* floppy A and B, the four of IDE, those on PCI */
    struct DiskLogs *disk_logs;     /* what images held at snapshots */
    struct DiskPoint *disk_points;  /* all that were taken and not freed yet */
    SharedBytes *bios, *vga_bios;   /* the second is NULL without an adapter */
} Board;

/* Builds the board into machine->board, from machine->config, and resets it. On error what was made
 * is freed by board_destroy(), as ever. */
bool board_create(struct Machine *machine, Error *error);
void board_destroy(Board *board);

/* The RESET line: every chip and the processor. RAM keeps its content. */
void board_reset(Board *board);

void board_key(Board *board, int key, bool down);
void board_mouse_move(Board *board, int32_t dx, int32_t dy, int32_t dz);
void board_mouse_buttons(Board *board, uint32_t buttons);
/* For a tablet: a place on its surface, 0 to 32767 each. */
void board_mouse_absolute(Board *board, uint32_t x, uint32_t y);
/* There is a tablet, and the guest listens to it. From any thread. */
bool board_has_tablet(const Board *board);
/* Axes of the gameport, then its buttons. */
void board_joystick(Board *board, uint32_t control, int32_t value);
void board_power_button(Board *board);
void board_sleep_button(Board *board);
/* The file that has the display adapter's BIOS. */
const char *board_vga_bios_name(const Board *board);
/* The same for the BIOS. */
const char *board_bios_name(const Board *board);

/* Suspended to RAM, no instruction may run; board_wake() resets the chips, and the firmware goes on
 * where the system wants it. */
bool board_is_asleep(const Board *board);
void board_wake(Board *board);
void board_set_nmi(Board *board, int level);

/* Draws the screen; false if nothing changed. The text screen as UTF-8; false in graphics modes. */
bool board_render(Board *board, DisplaySurface *surface);
bool board_get_text(Board *board, ByteBuffer *text);
/* How large a character of the text screen is, in dots of the picture. */
void board_get_text_cell(Board *board, uint32_t *width, uint32_t *height);

/* Drives by name; NULL if there is none. A removable drive's medium is replaced or taken out. */
BoardDrive *board_find_drive(Board *board, const char *id);
/* 'force': also where the guest has locked the tray. */
bool board_change_medium(Board *board, BoardDrive *drive, const BlockOptions *options, bool force,
                         Error *error);
bool board_eject(Board *board, BoardDrive *drive, bool force, Error *error);
/* The tray of a CD drive alone; a floppy drive has none, and that is no error. */
bool board_move_tray(Board *board, BoardDrive *drive, bool open, bool force, Error *error);
/* Another medium (NULL: none), which the drive holds too from now on, into a floppy drive or into
 * the open tray of a CD drive. The name is its node's. */
bool board_place_medium(Board *board, BoardDrive *drive, BlockNode *medium, const char *node_name,
                        Error *error);
/* A node over the medium takes its place, and the guest is told nothing: it has the same bytes. The
 * drive holds it too. */
void board_cover_medium(Board *board, BoardDrive *drive, BlockNode *over, const char *node_name);
/* Of a CD drive; false for others. */
bool board_tray_is_open(const Board *board, const BoardDrive *drive);
bool board_tray_is_locked(const Board *board, const BoardDrive *drive);

#endif

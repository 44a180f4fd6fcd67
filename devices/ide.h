/* An IDE channel: two drives, each a disk (ATA-7) or a CD-ROM (ATAPI), behind one set of ports and
 * one interrupt line.
 *
 * ide.c holds the registers that both drives share, ide_transfer.c the movement of data by PIO and
 * DMA, ide_disk.c, ide_disk_modes.c, ide_smart.c (its logs: ide_smart_log.c) and ide_cdrom.c the
 * commands, ide_identify.c what drives say of themselves,
 * ide_geometry.c how cylinders are counted; piix3_ide.c is the PCI function that owns two channels
 * and masters the bus for them. */
#ifndef REPRISE_IDE_H
#define REPRISE_IDE_H

#include "block.h"
#include "device_context.h"

#define IDE_SECTOR_BYTES 512
#define IDE_CHANNEL_DRIVES 2
#define IDE_QUEUE_DEPTH 32 /* of serial disks, whose controller runs queued commands itself */

typedef struct IdeChannel IdeChannel;

typedef enum IdeDriveKind { IDE_DRIVE_NONE, IDE_DRIVE_DISK, IDE_DRIVE_CDROM } IdeDriveKind;

/* How firmware shall convert its cylinders to the drive's; the values of CMOS byte 39h, two bits a
 * drive. */
typedef enum IdeTranslation {
    IDE_TRANSLATION_NONE = 0,
    IDE_TRANSLATION_LBA = 1,
    IDE_TRANSLATION_LARGE = 2,
} IdeTranslation;

typedef struct IdeGeometry {
    uint32_t cylinders;
    uint32_t heads, sectors;
    IdeTranslation translation;
} IdeGeometry;

typedef struct IdeDriveOptions {
    IdeDriveKind kind;
    BlockNode *medium;    /* needed for a disk; NULL: an empty CD drive. It stays the caller's */
    const char *serial;   /* NULL: made up from the drive's place */
    const char *model;    /* NULL: a default */
    IdeGeometry geometry; /* of a disk; 0 cylinders: guessed */
} IdeDriveOptions;

/* The controller that moves data between drives and memory, if there is one. */
typedef struct IdeBusMaster {
    /* Moves up to 'size' bytes ('to_memory': the drive was read) and returns how many: fewer while
     * it is not started, or when its table of regions ends early. */
    size_t (*transfer)(void *opaque, uint8_t *data, size_t size, bool to_memory);
    /* The interrupt line went up. */
    void (*interrupted)(void *opaque);
    /* The drive wants data to be moved by PIO (ide_channel_data_request). Called in the middle of
     * what the drive does: note it, and do it later. May be NULL. */
    void (*data_requested)(void *opaque);
    void *opaque;
} IdeBusMaster;

typedef struct IdeChannelOptions {
    const char *id;                      /* in the device list: "ide0" */
    unsigned number;                     /* 0 is the primary channel */
    uint16_t command_port, control_port; /* 0: no ports, the controller speaks for the host */
    bool serial;                         /* drives of Serial ATA, which are quicker, too */
    IdeDriveOptions drives[IDE_CHANNEL_DRIVES];
    Wire irq;
    IdeBusMaster bus_master; /* transfer NULL: DMA commands are aborted */
} IdeChannelOptions;

IdeChannel *ide_channel_create(const DeviceContext *context, const IdeChannelOptions *options,
                               Error *error);
void ide_channel_destroy(IdeChannel *channel);

/* ide_serial.c: for a controller without ports, whose only drive is drive 0.
 *
 * Gives the drive the registers of a frame from host to device (Serial ATA specification 10.3.4),
 * IDE_FRAME_BYTES bytes: a command, or what goes into the device control register. */
#define IDE_FRAME_BYTES 20
void ide_channel_take_frame(IdeChannel *channel, const uint8_t *frame);
/* The registers as a frame from device to host; the interrupt is acknowledged by that. */
void ide_channel_fill_frame(IdeChannel *channel, uint8_t *frame);
uint8_t ide_channel_status(const IdeChannel *channel);
uint8_t ide_channel_error(const IdeChannel *channel);
/* The link was reset: so is the drive, at once. */
void ide_channel_reset_link(IdeChannel *channel);

typedef struct IdeDataRequest {
    uint32_t bytes; /* 0: none */
    bool to_host;
    bool is_packet; /* the bytes of a packet command, not data */
} IdeDataRequest;
IdeDataRequest ide_channel_data_request(const IdeChannel *channel);
/* Moves all of it. */
void ide_channel_move_data(IdeChannel *channel, uint8_t *data);

/* The bus master was started: a drive that waits for it goes on. */
void ide_channel_bus_master_started(IdeChannel *channel);

IdeDriveKind ide_channel_drive_kind(const IdeChannel *channel, unsigned drive);

/* How many sectors of a disk the host may use: it can hide some. */
uint64_t ide_channel_sectors(const IdeChannel *channel, unsigned drive);
/* A controller that runs queued commands itself uses the disk, whose standby timer starts again. */
void ide_channel_note_access(IdeChannel *channel, unsigned drive);

/* What the firmware is to be told of a disk; all zero for anything else. */
IdeGeometry ide_channel_geometry(const IdeChannel *channel, unsigned drive);

BlockNode *ide_channel_media(const IdeChannel *channel, unsigned drive);

/* Puts another disc into a CD drive and closes its tray, or takes the disc out (NULL) and leaves
 * the tray open, as somebody who presses the button. If the guest has locked the tray this is an
 * error unless 'force'. The caller closes the old node after this. */
bool ide_channel_change_media(IdeChannel *channel, unsigned drive, BlockNode *medium, bool force,
                              Error *error);
/* Puts the medium into a drive whose State is restored from elsewhere: the guest is told nothing,
 * as the State says what it knows. The caller closes the old node after this. */
void ide_channel_restore_medium(IdeChannel *channel, unsigned drive, BlockNode *medium);
/* The same for what it knows of a disk's geometry. */
void ide_channel_restore_geometry(IdeChannel *channel, unsigned drive, IdeGeometry geometry);
/* Moves the tray of a CD drive without touching the disc in it: opening is an error where the guest
 * has locked it, but with 'force'. */
bool ide_channel_move_tray(IdeChannel *channel, unsigned drive, bool open, bool force,
                           Error *error);
/* Puts another disc, or none, into the tray that is open. The caller closes the old node. */
void ide_channel_place_medium(IdeChannel *channel, unsigned drive, BlockNode *medium);
bool ide_channel_tray_is_open(const IdeChannel *channel, unsigned drive);
bool ide_channel_tray_is_locked(const IdeChannel *channel, unsigned drive);

/* The geometry by the partition table, if there is one that says so, else by size. */
IdeGeometry ide_geometry_guess(BlockNode *disk);

#endif

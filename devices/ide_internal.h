/* What the files of the IDE channel share. */
#ifndef REPRISE_IDE_INTERNAL_H
#define REPRISE_IDE_INTERNAL_H

#include "block_cd.h"
#include "cd_sector.h"
#include "ide.h"

/* Status register. */
enum {
    STATUS_ERROR = 0x01, /* CHECK CONDITION of a packet command */
    STATUS_DATA_REQUEST = 0x08,
    STATUS_SEEK_COMPLETE = 0x10,
    STATUS_DEVICE_FAULT = 0x20,
    STATUS_READY = 0x40,
    STATUS_BUSY = 0x80,
    STATUS_IDLE = STATUS_READY | STATUS_SEEK_COMPLETE,
};

/* Error register. */
enum {
    ERROR_ABORTED = 0x04,
    ERROR_ID_NOT_FOUND = 0x10,
    ERROR_UNCORRECTABLE = 0x40,
};

/* Device register. */
enum { DEVICE_DRIVE_1 = 0x10, DEVICE_LBA = 0x40, DEVICE_HEAD_MASK = 0x0F };

/* Interrupt reason of packet commands, in the sector count register. */
enum { REASON_COMMAND = 0x01, REASON_TO_HOST = 0x02 };

/* Registers of the command block. */
enum {
    REGISTER_DATA = 0,
    REGISTER_ERROR = 1, /* written: features */
    REGISTER_COUNT = 2,
    REGISTER_LBA_LOW = 3,
    REGISTER_LBA_MID = 4,
    REGISTER_LBA_HIGH = 5,
    REGISTER_DEVICE = 6,
    REGISTER_STATUS = 7, /* written: command */
};

/* Device control register. */
enum { CONTROL_NO_INTERRUPT = 0x02, CONTROL_RESET = 0x04, CONTROL_HIGH_ORDER = 0x80 };

#define DIAGNOSTIC_PASSED 0x01
#define IDE_MULTIPLE_MAXIMUM 16 /* sectors in a block of READ MULTIPLE */
#define IDE_BUFFER_BYTES (IDE_MULTIPLE_MAXIMUM * IDE_SECTOR_BYTES)
#define PACKET_BYTES 12

/* Model times. Far quicker than drives of the time, but never none: drivers expect to be able to
 * prepare for the interrupt after they have given the command. */
#define COMMAND_NS 5000
#define ACCESS_NS 30000
#define SECTOR_NS 4000
#define DMA_SECTOR_NS 500 /* by bus master: as fast as hosts' disks are */
#define SERIAL_ACCESS_NS 10000
#define SERIAL_SECTOR_NS 128
#define NEXT_BLOCK_NS 5000
#define RESET_NS 100000

typedef enum DrivePhase {
    DRIVE_IDLE,
    DRIVE_BUSY,        /* until due_ns, then 'step' */
    DRIVE_DATA_IN,     /* the host reads the data register up to drq_end */
    DRIVE_DATA_OUT,    /* the host writes it */
    DRIVE_DMA_WAITING, /* for the bus master */
    DRIVE_RESET_HELD,  /* SRST is set */
} DrivePhase;

typedef enum DriveStep {
    STEP_FINISH,  /* the command is over */
    STEP_LOAD,    /* fill the buffer, then show it to the host */
    STEP_PRESENT, /* show the host more of the buffer */
    STEP_ACCEPT,  /* ask the host to fill the buffer */
    STEP_STORE,   /* the buffer is full: do with it what is to be done */
    STEP_DMA,
    STEP_RESET,
} DriveStep;

/* What the data in the buffer is, which tells where it comes from and goes to. */
typedef enum TransferKind {
    TRANSFER_NONE,
    TRANSFER_DISK_READ,
    TRANSFER_DISK_WRITE,
    TRANSFER_DISK_TRIM, /* a list of what is needed no longer */
    TRANSFER_DATA_IN,   /* just the buffer, of an ATA command */
    TRANSFER_DATA_OUT,
    TRANSFER_PACKET,         /* the twelve bytes of a packet command */
    TRANSFER_PACKET_READ,    /* sectors of a CD */
    TRANSFER_PACKET_DATA_IN, /* just the buffer */
    TRANSFER_PACKET_DATA_OUT,
    TRANSFER_KINDS,
} TransferKind;

typedef struct CdromState {
    uint8_t sense_key, sense_code, sense_qualifier;
    uint8_t unit_attention; /* the medium changed, and nobody was told yet */
    uint8_t tray_open, tray_locked;
    uint8_t present;
    uint8_t event; /* of the media class, for GET EVENT STATUS NOTIFICATION */
    int64_t play_started_ns;
    uint32_t play_lba; /* where it was then; where the head is, if nothing is played */
    uint32_t play_end;
    uint8_t audio_status;
    uint8_t recovery_flags, retries, inactivity; /* of mode pages 01h and 0Dh */
    uint8_t audio_ports[8];                      /* channels and volumes, of page 0Eh */
    uint8_t padding[4];
} CdromState;

/* Audio status as READ SUB-CHANNEL tells it. */
enum { AUDIO_PLAYS = 0x11, AUDIO_PAUSED = 0x12, AUDIO_COMPLETED = 0x13, AUDIO_NONE = 0x15 };

/* Power modes as CHECK POWER MODE tells them; it cannot tell of sleep. */
enum { POWER_STANDBY = 0x00, POWER_SLEEP = 0x01, POWER_IDLE = 0x80, POWER_ACTIVE = 0xFF };

#define SMART_ERRORS 5 /* that the log remembers */
#define SMART_TESTS 21

typedef struct SmartErrorState {
    int64_t time_ns;
    uint64_t lba, given_lba;     /* which failed; where the command began */
    uint16_t count, given_count; /* sectors left, and all */
    uint8_t features, device, command, error, status;
    uint8_t padding[7];
} SmartErrorState;

typedef struct SmartTestState {
    uint64_t lba; /* which failed; all ones: none */
    uint16_t hours;
    uint8_t kind, status;
    uint8_t padding[4];
} SmartTestState;

typedef struct SmartState {
    int64_t test_end_ns;
    uint64_t test_lba;      /* of the test that runs: how it will end */
    uint32_t errors, tests; /* ever; the logs are rings */
    uint8_t test_runs, test_kind, test_result, test_status;
    uint8_t autosave, offline_status;
    uint8_t padding[2];
    SmartErrorState error_log[SMART_ERRORS];
    SmartTestState test_log[SMART_TESTS];
} SmartState;

typedef struct IdeDriveState {
    int64_t due_ns;
    int64_t active_ns;      /* when the disk was used last */
    int64_t standby_ns;     /* after which it stops; 0: never */
    uint64_t shown_sectors; /* by SET MAX ADDRESS; 0: all */
    uint64_t kept_sectors;  /* the same, after power was off */
    uint64_t given_lba;     /* what the command wants */
    uint32_t given_count;
    uint32_t padding;
    uint64_t lba;             /* of the next sector to load or store */
    uint32_t sectors_left;    /* to load or store after the buffer */
    uint32_t buffer_position; /* what the host has taken or given */
    uint32_t buffer_size;     /* bytes of the buffer that belong to this transfer */
    uint32_t drq_end;         /* where the present data request ends */
    uint32_t block_bytes;     /* of one data request, at most */
    uint32_t current_heads;   /* by INITIALIZE DEVICE PARAMETERS */
    uint32_t current_sectors;
    uint16_t cd_sector_first; /* byte of a raw sector that the command asked for, */
    uint16_t cd_sector_bytes; /* and how many from there */
    uint8_t phase;            /* DrivePhase */
    uint8_t step;             /* DriveStep */
    uint8_t transfer;         /* TransferKind */
    uint8_t by_dma;
    uint8_t interrupt_pending;
    uint8_t extended; /* the command takes 48-bit addresses */
    uint8_t through;  /* the write is not over before it is safe */
    uint8_t command, status, error, device;
    /* The command block registers: the last value written, and the one before. */
    uint8_t features[2], count[2], lba_low[2], lba_mid[2], lba_high[2];
    uint8_t multiple;      /* sectors a block; 0: READ MULTIPLE is off */
    uint8_t transfer_mode; /* as SET FEATURES 03h was given it */
    uint8_t write_cache, look_ahead, smart;
    uint8_t power_mode; /* as CHECK POWER MODE tells it */
    uint8_t previous_command;
    uint8_t cd_is_audio; /* what is read from the CD */
    uint8_t padding_2[3];
    SmartState smart_state;
    CdromState cdrom;
    uint8_t buffer[IDE_BUFFER_BYTES];
} IdeDriveState;

typedef struct IdeChannelState {
    IdeDriveState drives[IDE_CHANNEL_DRIVES];
    uint8_t selected;
    uint8_t device_control;
    uint8_t irq_level;
    uint8_t padding[5];
} IdeChannelState;

/* Sectors of an image that pass at once: ide_batch.c. */
typedef struct IdeBatch {
    uint8_t *data;
    uint64_t first;   /* sector */
    uint32_t sectors; /* that were read, or are to be written */
    bool is_open;
} IdeBatch;

typedef struct IdeDrive {
    IdeChannel *channel;
    IdeDriveState *state;
    IdeDriveKind kind;
    BlockNode *medium;
    Timer timer;
    IdeGeometry geometry; /* of a disk, as it comes from the factory */
    uint64_t sectors;     /* of a disk: 512 bytes; of a CD: 2048 */
    char serial[21], model[41];
    IdeBatch batch;
} IdeDrive;

struct IdeChannel {
    IdeChannelState state;
    IdeDrive drives[IDE_CHANNEL_DRIVES];
    Wire irq;
    IdeBusMaster bus_master;
    bool serial;
    VirtualClock *clock;
    Trace *trace;
};

/* How long a disk takes for so many sectors, beside the way to them. */
static inline int64_t ide_sectors_ns(const IdeDrive *drive, uint32_t sectors) {
    return (int64_t)sectors * (drive->channel->serial ? SERIAL_SECTOR_NS : SECTOR_NS);
}

static inline int64_t ide_access_ns(const IdeDrive *drive) {
    return drive->channel->serial ? SERIAL_ACCESS_NS : ACCESS_NS;
}

/* ide.c */
void ide_write_register(IdeChannel *channel, uint32_t offset, uint8_t value);
void ide_write_device_control(IdeChannel *channel, uint8_t value);
void ide_update_irq(IdeChannel *channel);
void ide_raise_interrupt(IdeDrive *drive);
/* Busy for so long, then the step. */
void ide_busy(IdeDrive *drive, DriveStep step, int64_t ns);
/* Ends the command: after COMMAND_NS, with an interrupt. 'error' 0 is success. */
void ide_finish_later(IdeDrive *drive, uint8_t error);
/* Ends the command now. */
void ide_finish(IdeDrive *drive, uint8_t error);
/* What the registers hold after a reset, by which drivers tell disks and packet devices apart. */
void ide_set_signature(IdeDrive *drive);
/* The drive as after a reset. */
void ide_reset_drive(IdeDrive *drive);
/* EXECUTE DEVICE DIAGNOSTIC: both drives answer. */
void ide_run_diagnostic(IdeChannel *channel);

/* ide_transfer.c */
/* The first data request comes after 'ns'; that of a write by PIO at once, since some drivers (xv6)
 * do not look before they write. */
void ide_begin_transfer(IdeDrive *drive, TransferKind kind, bool by_dma, int64_t ns);
void ide_continue_transfer(IdeDrive *drive, DriveStep step);
uint32_t ide_read_data(IdeDrive *drive, unsigned size);
void ide_write_data(IdeDrive *drive, unsigned size, uint32_t value);
void ide_run_dma(IdeDrive *drive);

/* ide_disk.c */
void ide_disk_execute(IdeDrive *drive);
bool ide_disk_load(IdeDrive *drive);
bool ide_disk_store(IdeDrive *drive);
/* What was stored so far is in the image. False: it is not, and the command is over. */
bool ide_disk_settle(IdeDrive *drive);
bool ide_disk_trim(IdeDrive *drive);
/* Sets up the buffer for the next block of a write. */
void ide_disk_prepare_block(IdeDrive *drive);
/* The address registers as a sector number. False for a place that the geometry does not have. */
bool ide_disk_read_address(const IdeDriveState *state, uint64_t *lba);
void ide_disk_write_address(IdeDriveState *state, uint64_t lba);
/* Sends the first sector of the buffer by PIO. */
void ide_disk_send_sector(IdeDrive *drive);

/* ide_batch.c */
void ide_batch_begin(IdeDrive *drive);
void ide_batch_end(IdeDrive *drive);
/* Fills the buffer; false: the image is to be read directly. */
bool ide_batch_read(IdeDrive *drive, uint64_t lba, uint32_t count);
/* Takes the buffer, now or by the next flush at the latest. False: 'failed' tells from where on
 * nothing was written. */
bool ide_batch_write(IdeDrive *drive, uint64_t lba, uint32_t count, uint64_t *failed, Error *error);
bool ide_batch_flush(IdeDrive *drive, uint64_t *failed, Error *error);

/* ide_disk_modes.c: commands (the flags are ide_disk.c's), and what follows from them. */
void ide_disk_read_native_maximum(IdeDrive *drive, unsigned flags);
void ide_disk_set_maximum(IdeDrive *drive, unsigned flags);
void ide_disk_set_features(IdeDrive *drive, unsigned flags);
void ide_disk_set_power_mode(IdeDrive *drive, unsigned flags);
void ide_disk_sleep(IdeDrive *drive, unsigned flags);
void ide_disk_check_power_mode(IdeDrive *drive, unsigned flags);
/* How many sectors the host may use. */
uint64_t ide_disk_sectors(const IdeDrive *drive);
/* The disk turns, and the standby timer starts again. */
void ide_disk_note_access(IdeDrive *drive);

/* ide_smart.c */
void ide_smart_execute(IdeDrive *drive, unsigned flags);
/* A reset breaks a self-test off. */
void ide_smart_reset(IdeDrive *drive);
/* Logs a self-test whose time is over. */
void ide_smart_catch_up(IdeDrive *drive);
uint16_t ide_smart_hours(const IdeDrive *drive);

/* ide_smart_log.c */
void ide_smart_read_log(IdeDrive *drive);
void ide_smart_read_log_extended(IdeDrive *drive, unsigned flags);
/* Remembers a sector that could not be read or written; 'status' and 'error' as the host sees. */
void ide_smart_log_error(IdeDrive *drive, uint64_t lba, uint8_t error, uint8_t status);

/* ide_cdrom.c */
void ide_cdrom_execute(IdeDrive *drive);        /* an ATA command */
void ide_cdrom_execute_packet(IdeDrive *drive); /* the packet in the buffer */
bool ide_cdrom_load(IdeDrive *drive);
/* Takes the pages of MODE SELECT from the buffer; false if the command is over with an error. */
bool ide_cdrom_store_modes(IdeDrive *drive);
/* Ends a packet command with success, a little later. */
void ide_cdrom_finish(IdeDrive *drive);
/* The drive has a disc and its tray is in. */
bool ide_cdrom_is_ready(const IdeDrive *drive);
void ide_cdrom_reset(IdeDrive *drive);

/* ide_identify.c: 512 bytes into the buffer. */
/* The last of 512 bytes makes the sum of all zero. */
void ide_store_checksum(uint8_t *data);
void ide_identify_disk(const IdeDrive *drive, uint8_t *data);
void ide_identify_cdrom(const IdeDrive *drive, uint8_t *data);

/* ide_cdrom_toc.c: the tracks of the disc; a disc without a list has a plain one. */
typedef struct CdTracks {
    const BlockCdTrack *list;
    unsigned count; /* 0: the plain one */
    BlockCdTrack plain;
} CdTracks;
CdTracks ide_cdrom_tracks(const IdeDrive *drive);
const BlockCdTrack *cd_track(const CdTracks *tracks, unsigned index);
unsigned cd_track_count(const CdTracks *tracks);
/* The index of the track that holds the sector; gaps belong to the track before them. */
unsigned cd_find_track(const CdTracks *tracks, uint32_t lba);
uint32_t ide_cdrom_sectors(const IdeDrive *drive);

/* ide_cdrom_audio.c */
typedef enum AudioResult { AUDIO_GOOD, AUDIO_OUT_OF_RANGE, AUDIO_WRONG_TRACK } AudioResult;
AudioResult ide_cdrom_play(IdeDrive *drive, uint32_t first, uint32_t end);
/* Pauses or resumes; false if nothing is played. */
bool ide_cdrom_pause(IdeDrive *drive, bool resumes);
void ide_cdrom_stop_audio(IdeDrive *drive);
/* Notes that what is played has come to its end. */
void ide_cdrom_catch_up(IdeDrive *drive);
uint32_t ide_cdrom_play_position(const IdeDrive *drive);

/* ide_cdrom_data.c: the settings of MODE SELECT; false if a page cannot be set. */
void ide_cdrom_reset_modes(CdromState *cdrom);
bool ide_cdrom_take_modes(CdromState *cdrom, const uint8_t *data, size_t size);

/* ide_cdrom_data.c and ide_cdrom_toc.c: what the drive tells of itself and its disc. Each answers
 * one packet command: fills 'data', IDE_BUFFER_BYTES bytes of zeros, and returns how many of them
 * are the answer; 0 if the packet asks for something that there is not. */
size_t ide_cdrom_read_capacity(const IdeDrive *drive, const uint8_t *packet, uint8_t *data);
size_t ide_cdrom_inquiry(const IdeDrive *drive, const uint8_t *packet, uint8_t *data);
size_t ide_cdrom_mode_sense(const IdeDrive *drive, const uint8_t *packet, uint8_t *data);
size_t ide_cdrom_read_toc(const IdeDrive *drive, const uint8_t *packet, uint8_t *data);
size_t ide_cdrom_get_configuration(const IdeDrive *drive, const uint8_t *packet, uint8_t *data);
size_t ide_cdrom_disc_information(const IdeDrive *drive, const uint8_t *packet, uint8_t *data);
size_t ide_cdrom_track_information(const IdeDrive *drive, const uint8_t *packet, uint8_t *data);
size_t ide_cdrom_mechanism_status(const IdeDrive *drive, const uint8_t *packet, uint8_t *data);
size_t ide_cdrom_read_subchannel(const IdeDrive *drive, const uint8_t *packet, uint8_t *data);

#endif

/* A folder of the host as a disk with a FAT file system (Microsoft's "FAT: General Overview of
 * On-Disk Format", 1.03).
 *
 * The tree is looked at once, when the disk is opened. Tables and directories are made from that
 * whenever they are read, and a file's clusters are read from the file itself, so that the disk
 * takes no room. Every file and folder lies in one run of clusters, in the order of the tree. What
 * the guest writes goes to an overlay; block_folder_writer.c brings it back to the folder. */
#ifndef REPRISE_BLOCK_FOLDER_H
#define REPRISE_BLOCK_FOLDER_H

#include "block_driver.h"
#include "host_file.h"
#include <pthread.h>

#define FOLDER_SECTOR 512u
#define FOLDER_SLOT_BYTES 32u /* of an entry of a directory */
#define FOLDER_SHORT_BYTES 11
#define FOLDER_NAME_UNITS 255 /* of a long name, UTF-16 */
#define FOLDER_NAME_BYTES (3 * FOLDER_NAME_UNITS + 1)
#define FOLDER_DEPTH_MAXIMUM 32 /* folders within folders */
#define FOLDER_ENTRIES_MAXIMUM 1000000u
#define FOLDER_SLOTS_MAXIMUM 65536u /* of one directory */
#define FOLDER_NONE UINT32_MAX

enum { FAT_READ_ONLY = 0x01, FAT_LABEL = 0x08, FAT_FOLDER = 0x10, FAT_ARCHIVE = 0x20 };
enum { FAT_LONG_NAME = 0x0F };
/* Places in an entry of a directory. */
enum { SLOT_ATTRIBUTES = 11, SLOT_CASE = 12, SLOT_CREATED_TIME = 14, SLOT_CREATED_DATE = 16 };
enum { SLOT_CLUSTER_HIGH = 20, SLOT_TIME = 22, SLOT_DATE = 24, SLOT_CLUSTER = 26, SLOT_SIZE = 28 };

typedef struct FolderSpec {
    const char *path; /* of the folder, in the text that was parsed */
    bool writable, floppy;
    unsigned fat_bits; /* 12, 16 or 32; 0: what suits the contents */
} FolderSpec;

/* A file or a folder; number 0 is the folder that was named. */
typedef struct FolderEntry {
    char *name;                                /* on the host; "" for number 0 */
    uint32_t parent, first_child, child_count; /* as they were found; children follow each other */
    uint32_t first_cluster, cluster_count, bytes; /* as they were found; 0 clusters: none */
    uint8_t short_name[FOLDER_SHORT_BYTES];
    bool is_folder, has_long_name, gone;
    bool in_overlay; /* its clusters are no longer read from the host */
    uint16_t time, date;
    mode_t mode;
    uint64_t device, inode, host_bytes; /* to find out whether somebody else changed it */
    int64_t changed_ns;
    uint8_t *slots; /* a folder's directory, slot_bytes long */
    size_t slot_bytes;
    /* What the guest last made of it (block_folder_writer.c). */
    uint32_t known_cluster, known_bytes;
    uint64_t known_chain;
    uint16_t known_time, known_date;
} FolderEntry;

typedef struct FolderGeometry {
    unsigned fat_bits;
    uint32_t sectors, start; /* of the disk; where the volume starts, 0 without partitions */
    uint32_t cluster_sectors, clusters;
    uint32_t reserved, fat_sectors, root_slots; /* root_slots 0: the root lies in clusters */
    uint32_t fat_start, root_start, data_start; /* sectors of the disk */
    uint32_t heads, track_sectors;
    uint8_t media;
} FolderGeometry;

typedef struct Folder {
    char *title; /* for messages: the folder's path */
    int root;    /* a descriptor of the folder */
    FolderSpec spec;
    FolderGeometry geometry;
    FolderEntry *entries;
    size_t count, capacity;
    uint32_t *runs; /* numbers of entries with clusters, by cluster */
    uint32_t run_count;
    uint32_t serial;
    unsigned left_out; /* names that are not on the disk, and the first of them */
    char first_left_out[256];
    pthread_mutex_t lock; /* of the file that is open: clones read on several threads */
    uint32_t open_entry;
    int open_file;
} Folder;

/* block_folder_spec.c: "fat:[rw:][floppy:][12:|16:|32:]PATH"; false if it is something else. */
bool folder_spec_parse(const char *text, FolderSpec *spec);
/* One line to stderr, for what no caller can be told. */
void folder_warn(const Folder *folder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* block_folder_scan.c: reads the tree. */
bool folder_scan(Folder *folder, Error *error);
/* Counts a name that is left out; 'entry' is the folder that it is in. */
void folder_leave_out(Folder *folder, uint32_t entry, const char *name, const char *reason);
/* The path below the folder; false: too long. */
bool folder_path(const Folder *folder, uint32_t entry, char *path, size_t size);
/* Opens a file or folder of the tree, through no symbolic link; -1 with errno. */
int folder_open_entry(const Folder *folder, uint32_t entry, int flags);
/* Keeps what a later look is compared with. */
void folder_keep_status(FolderEntry *entry, const struct stat *status);
bool folder_same_status(const FolderEntry *entry, const struct stat *status);

/* block_folder_names.c */
/* The UTF-16 units of a name; 0: it cannot be told on FAT. */
size_t folder_name_units(const char *name, uint16_t units[FOLDER_NAME_UNITS]);
/* The name of up to FOLDER_NAME_UNITS units; false: it cannot be one of the host. */
bool folder_name_from_units(const uint16_t *units, size_t count, char name[FOLDER_NAME_BYTES]);
/* The name that a short one stands for. */
bool folder_name_from_short(const uint8_t *slot, char name[FOLDER_NAME_BYTES]);
bool folder_name_is_safe(const char *name);
/* Gives all children of a folder their short names. */
void folder_name_children(Folder *folder, uint32_t parent);
uint8_t folder_short_checksum(const uint8_t *short_name);
/* Slots of a directory that an entry takes. */
unsigned folder_slot_count(const FolderEntry *entry);

/* block_folder_layout.c: chooses the volume's size, and gives everything its clusters. */
bool folder_layout(Folder *folder, Error *error);
uint32_t folder_run_at(const Folder *folder, uint32_t cluster); /* or FOLDER_NONE */

/* block_folder_tables.c: a sector of the disk before the first cluster; and directories. */
void folder_make_sector(const Folder *folder, uint32_t sector, uint8_t *data);
bool folder_make_directories(Folder *folder);

/* block_folder.c: a node with the disk, that is only read; NULL on error. */
BlockNode *folder_node_open(const FolderSpec *spec, const BlockOptions *options, Error *error);
Folder *folder_of_node(const BlockNode *node);

/* block_folder_writer.c: over folder_node_open()'s node, which it owns from now on. */
BlockNode *folder_writer_create(BlockNode *base);

#endif

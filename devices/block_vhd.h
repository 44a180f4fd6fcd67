/* VHD images, as Microsoft's "Virtual Hard Disk Image Format Specification" (2006) has them; all
 * numbers are big-endian. Fixed: the disk, then a footer. Dynamic: a copy of the footer, a header,
 * a table with the sector of each block, the blocks (each behind a bitmap of its sectors), the
 * footer. Differencing: as dynamic, and sectors without a bit are the parent's. */
#ifndef REPRISE_BLOCK_VHD_H
#define REPRISE_BLOCK_VHD_H

#include "block_driver.h"

#define VHD_FOOTER_BYTES 512u
#define VHD_HEADER_BYTES 1024u
#define VHD_SECTOR_BYTES 512u
#define VHD_UUID_BYTES 16u
#define VHD_UNALLOCATED 0xFFFFFFFFu

typedef enum VhdType { VHD_FIXED = 2, VHD_DYNAMIC = 3, VHD_DIFFERENCING = 4 } VhdType;

typedef struct Vhd {
    uint8_t footer[VHD_FOOTER_BYTES];
    uint8_t header[VHD_HEADER_BYTES]; /* not of a fixed image; nor is what follows */
    VhdType type;
    uint64_t header_offset;
    uint64_t table_offset;
    uint32_t table_entries; /* as the header says */
    uint32_t block_bytes;
    uint32_t bitmap_bytes;
    uint32_t block_count; /* as the disk needs */
    uint32_t *table;      /* the sector of each block's bitmap */
    uint64_t next;        /* where the next block goes, and the footer is now */
    BlockNode *parent;
} Vhd;

/* Reads footer and header, whose checksums must be right. '*has_end': the footer is where it
 * belongs. */
bool vhd_read_headers(Vhd *vhd, BlockNode *node, bool *has_end, Error *error);
uint64_t vhd_disk_bytes(const Vhd *vhd);
bool vhd_is_footer(const uint8_t *sector);

/* Reads the table, whose blocks must be in the file and apart. */
bool vhd_read_table(Vhd *vhd, const BlockNode *node, uint64_t blocks_end, Error *error);

/* Opens the image that a differencing one lies over. */
bool vhd_open_parent(Vhd *vhd, const BlockNode *node, const BlockOptions *options, Error *error);

/* block_vhd_create.c: the driver's operation. */
extern const BlockCreateOption vhd_create_options[];
bool vhd_create(const BlockCreateRequest *request, Error *error);

/* The identity that a differencing image knows its parent by. */
const uint8_t *vhd_uuid(const Vhd *vhd);

#endif

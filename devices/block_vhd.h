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
#define VHD_EPOCH 946684800ll /* 2000-01-01 */

/* Offsets in the footer and in the header that more than one file needs. */
enum {
    VHD_FOOTER_AT_GEOMETRY = 56,
    VHD_FOOTER_AT_TYPE = 60,
    VHD_FOOTER_AT_CHECKSUM = 64,
    VHD_HEADER_AT_CHECKSUM = 36,
    VHD_HEADER_AT_PARENT_UUID = 40,
    VHD_HEADER_AT_PARENT_TIME = 56,
    VHD_HEADER_AT_PARENT_NAME = 64,
    VHD_HEADER_AT_LOCATORS = 576,
};

#define VHD_PARENT_NAME_BYTES 512u
#define VHD_LOCATOR_COUNT 8
#define VHD_LOCATOR_BYTES 24
#define VHD_LOCATOR_TEXT_MAXIMUM 4096u
#define VHD_PATH_BYTES                                                                             \
    (3 * VHD_LOCATOR_TEXT_MAXIMUM / 2 + 1) /* UTF-16 takes half as much again                      \
                                            */

#define VHD_PLATFORM_RELATIVE 0x57327275u /* W2ru: UTF-16, relative to the image */
#define VHD_PLATFORM_ABSOLUTE 0x57326B75u /* W2ku: UTF-16 */
#define VHD_PLATFORM_MAC 0x4D616358u      /* MacX: a URL, UTF-8 */

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

/* The path of the parent, for free(); NULL: it is not there. 'name' has room for VHD_PATH_BYTES and
 * becomes what the image calls it. */
char *vhd_find_parent(const Vhd *vhd, const BlockNode *node, char *name);
/* The path of a name that counts from the image's folder; for free(). */
char *vhd_join(const char *image_path, const char *name);

typedef struct VhdParentName {
    const char *name, *format;
} VhdParentName;

typedef struct VhdLocatorTexts {
    uint8_t bytes[2 * VHD_LOCATOR_TEXT_MAXIMUM];
    uint32_t size; /* in whole sectors */
} VhdLocatorTexts;

/* Makes a header name this parent, whose footer is read for that, by locators with texts that are
 * to stand at 'offset' of the file. 'disk_bytes' is what the image has and the parent must have. */
bool vhd_set_parent(uint8_t *header, const char *image_path, const VhdParentName *parent,
                    uint64_t disk_bytes, uint64_t offset, VhdLocatorTexts *texts, Error *error);
void vhd_clear_parent(uint8_t *header);
/* As the file at 'path' was last changed. */
bool vhd_set_parent_time(uint8_t *header, const char *path);
/* Where the texts that the header names end; 0: there are none. */
uint64_t vhd_locators_end(const uint8_t *header);
/* Stores the checksum at 'at'. */
void vhd_seal(uint8_t *data, size_t size, size_t at);

/* Inside of a block whose bitmap stands at 'place': whether the sector is there, and in '*run' how
 * many from it on are the same, up to 'count'. */
bool vhd_find_run(const Vhd *vhd, const BlockNode *node, uint64_t place, uint32_t sector,
                  uint32_t count, bool *present, uint32_t *run, Error *error);
bool vhd_set_bits(const BlockNode *node, uint64_t place, uint32_t sector, uint32_t count,
                  Error *error);
bool vhd_write_footer(const Vhd *vhd, const BlockNode *node, uint64_t offset, Error *error);

/* block_vhd_difference.c: the driver's operations for images that lie over others. */
bool vhd_map(BlockNode *node, uint64_t offset, uint64_t length, BlockExtent *extent, Error *error);
bool vhd_info(BlockNode *node, BlockInfo *info, Error *error);
bool vhd_set_backing(BlockNode *node, const char *name, const char *format, Error *error);
void vhd_attach_backing(BlockNode *node, BlockNode *backing);
BlockNode *vhd_backing(const BlockNode *node);
/* Gives up all that a differencing image holds. */
bool vhd_make_empty(BlockNode *node, Error *error);

bool vhd_geometry(const BlockNode *node, BlockGeometry *geometry);
/* By the appendix "CHS Calculation"; as the footer has it: 16 bits, 8, and 8. */
uint32_t vhd_usual_geometry(uint64_t sectors);

/* block_vhd_create.c: the driver's operation. */
extern const BlockCreateOption vhd_create_options[];
bool vhd_create(const BlockCreateRequest *request, Error *error);

/* The identity that a differencing image knows its parent by. */
const uint8_t *vhd_uuid(const Vhd *vhd);

#endif

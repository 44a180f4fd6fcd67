/* Inside the VHDX driver (Microsoft's MS-VHDX). Images are only read; what a writer that was killed
 * left in the log is applied in memory. */
#ifndef REPRISE_BLOCK_VHDX_H
#define REPRISE_BLOCK_VHDX_H

#include "block_driver.h"
#include "block_unit_map.h"

#define VHDX_PAGE_BYTES 4096u

/* Pages of the file that the log has in a newer state. */
typedef struct VhdxLog {
    BlockUnitMap
        pages; /* page of the file to its place: 0 is zeros, else one more than in 'data' */
    uint8_t *data;
    size_t page_count, page_capacity;
    uint64_t file_bytes; /* that the file would have */
} VhdxLog;

typedef struct Vhdx {
    int file;
    uint64_t file_bytes; /* with what the log adds */
    uint64_t there;      /* really */
    VhdxLog log;

    uint64_t table_offset, metadata_offset;
    uint32_t table_bytes, metadata_bytes;
    uint64_t disk_bytes;
    uint32_t block_bytes;
    uint32_t sector_bytes;
    uint32_t blocks;
    uint64_t chunk_blocks; /* after so many entries of the table one of another kind follows */
    uint64_t *table;       /* of the blocks alone */
} Vhdx;

/* block_vhdx_log.c: finds and applies the newest whole sequence of entries. */
bool vhdx_log_read(Vhdx *vhdx, uint64_t offset, uint32_t size, const uint8_t guid[16],
                   Error *error);
void vhdx_log_free(VhdxLog *log);

/* Bytes of the file as the log says they should be. */
bool vhdx_read_file(const Vhdx *vhdx, uint64_t offset, void *data, size_t size, Error *error);

#endif

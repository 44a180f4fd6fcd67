/* A sector of data as it stands on a CD, in 2352 bytes (ECMA-130, clause 14 and annexes A and B).
 */
#ifndef REPRISE_CD_SECTOR_H
#define REPRISE_CD_SECTOR_H

#include <stdint.h>

#define CD_SECTOR_BYTES 2048
#define CD_RAW_SECTOR_BYTES 2352
#define CD_FRAMES_BEFORE_FIRST 150 /* two seconds of lead-in before sector 0 */

/* Where the parts of a sector in mode 1 begin. */
enum { CD_SYNC_AT = 0, CD_HEADER_AT = 12, CD_DATA_AT = 16, CD_CORRECTION_AT = 2064 };

/* Minute, second and frame of a sector, three bytes. */
void cd_store_msf(uint8_t *data, uint32_t lba);

/* Makes a sector of mode 1 around the data that stands at CD_DATA_AT already: sync pattern,
 * address, error detection and correction. */
void cd_sector_complete(uint8_t sector[CD_RAW_SECTOR_BYTES], uint32_t lba);

#endif

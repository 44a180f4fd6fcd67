/* Images of CDs with tracks. As bytes such a node holds the data of all sectors, 2048 each; where
 * there is audio, zeros. */
#ifndef REPRISE_BLOCK_CD_H
#define REPRISE_BLOCK_CD_H

#include "block.h"

#define BLOCK_CD_TRACKS 99

typedef struct BlockCdTrack {
    uint32_t start, end; /* sectors; between two tracks there may be a gap */
    uint8_t number, session;
    bool is_audio;
} BlockCdTrack;

/* How many tracks the image tells of; 0: it is of plain sectors, one track of data. */
unsigned block_cd_tracks(const BlockNode *node, const BlockCdTrack **tracks);

/* Reads an audio sector, of 2352 bytes. */
bool block_cd_read_audio(BlockNode *node, uint32_t lba, uint8_t *data, Error *error);

#endif

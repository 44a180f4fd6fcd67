/* Files and folders of a FAT volume by their paths.
 *
 * A path names folders and a file with / or \ between them, in any case, by long or short names.
 * Changes are made in such an order that at each moment the volume is whole, or has clusters taken
 * that belong to no file: contents first, then the table, then the folder's entry. */
#ifndef REPRISE_FAT_FILE_H
#define REPRISE_FAT_FILE_H

#include "byte_buffer.h"
#include "fat_folder.h"

/* Adds a file's contents to 'contents'. */
bool fat_file_read(FatVolume *volume, const char *path, ByteBuffer *contents, Error *error);

/* Makes a file, or replaces the contents of one. */
bool fat_file_write(FatVolume *volume, const char *path, const void *data, size_t size,
                    Error *error);

/* Deletes a file or an empty folder. */
bool fat_file_delete(FatVolume *volume, const char *path, Error *error);

bool fat_file_make_folder(FatVolume *volume, const char *path, Error *error);

/* Tells of each file in a folder, and of each folder. "" or "/" is the root. */
bool fat_file_list(FatVolume *volume, const char *path,
                   void (*tell)(void *opaque, const FatEntry *entry), void *opaque, Error *error);

/* Whether there is a file or folder of this name. */
bool fat_file_find(FatVolume *volume, const char *path, FatEntry *entry, Error *error);

#endif

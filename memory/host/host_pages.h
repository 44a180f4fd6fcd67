/* Host memory by pages: large areas that cost nothing until they are touched, files of memory that
 * are mapped, code. */
#ifndef REPRISE_HOST_PAGES_H
#define REPRISE_HOST_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a page of the host. */
size_t host_pages_size(void);

/* Zeroed memory, aligned to the host's pages; NULL when there is none. */
void *host_pages_map(size_t size);
/* The same, in large pages where the host has some: for what is touched soon and all over. */
void *host_pages_map_large(size_t size);
/* The same, in a file of memory mapped shared; '*file' gets it, to be closed by the caller. */
void *host_pages_map_shared(const char *name, size_t size, int *file);
/* The file's first 'size' bytes, shared; 'writable': stores reach the file. NULL: impossible. */
void *host_pages_map_file(int file, size_t size, bool writable);
/* Puts a private, copy-on-write mapping of the file's first 'size' bytes at 'area', all of what a
 * function above gave, in place of what was there. */
bool host_pages_map_copy(void *area, size_t size, int file);
/* Puts 'value' into every 8 bytes of [area, area + size); where the host can, as a private,
 * copy-on-write mapping of one small file, however large the area is. */
bool host_pages_fill(void *area, size_t size, int64_t value);
/* Gives back all of what one of the functions here gave; nothing for NULL. */
void host_pages_unmap(void *memory, size_t size);

/* An empty file of memory, which grows with what is written; -1: impossible. */
int host_pages_create_file(const char *name);
/* Nobody can change the file any more, where the host knows such files: no shared mapping of it may
 * be left. */
bool host_pages_seal(int file);
/* The next part of the file, from 'at' on, that was ever written: [*begin, *end). False: none. */
bool host_pages_find_data(int file, uint64_t at, uint64_t *begin, uint64_t *end);

/* Can translated code run on this system? It calls C as the System V ABI has it. */
bool host_pages_run_code(void);
/* Memory for code, mapped twice, writable and executable, never both at once in one mapping. NULL
 * for what is refused. */
void host_pages_map_code(size_t size, void **writable, void **executable);
/* Makes memory of the function above writable and executable through one address. */
bool host_pages_make_executable(void *writable, size_t size);
/* The first page of a file, executable: a mapping that profilers notice. NULL: impossible. */
void *host_pages_map_marker(int file);

#endif

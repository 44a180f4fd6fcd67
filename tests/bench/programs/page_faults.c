/* Memory mapped, touched page by page, and unmapped. */
#include "program_runtime.h"

enum { PAGE_BYTES = 4096, PAGES = 2048, REPETITIONS = 72 };

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        uint8_t *memory = map_memory((size_t)PAGES * PAGE_BYTES, MAP_READ | MAP_WRITE);
        for (size_t page = 0; page < PAGES; page++) {
            memory[page * PAGE_BYTES + page % PAGE_BYTES] = (uint8_t)page;
        }
        for (size_t page = 0; page < PAGES; page += 16) {
            sum = checksum_add(sum, memory[page * PAGE_BYTES + page % PAGE_BYTES]);
        }
        system_call(CALL_MUNMAP, (long)memory, (long)PAGES * PAGE_BYTES, 0, 0);
    }
    return sum;
}

/* Hoare's quicksort of random words, recursive, with an insertion sort at the bottom. */
#include "program_runtime.h"

enum { COUNT = 32768, REPETITIONS = 320, SMALL = 12 };

static uint32_t words[COUNT];

static void insertion_sort(uint32_t *first, uint32_t *last) {
    for (uint32_t *next = first + 1; next <= last; next++) {
        uint32_t word = *next;
        uint32_t *place = next;
        while (place > first && place[-1] > word) {
            *place = place[-1];
            place--;
        }
        *place = word;
    }
}

static void quick_sort(uint32_t *first, uint32_t *last) {
    if (last - first < SMALL) {
        insertion_sort(first, last);
        return;
    }
    uint32_t pivot = first[(last - first) / 2];
    uint32_t *low = first;
    uint32_t *high = last;
    while (low <= high) {
        while (*low < pivot) {
            low++;
        }
        while (*high > pivot) {
            high--;
        }
        if (low <= high) {
            uint32_t word = *low;
            *low++ = *high;
            *high-- = word;
        }
    }
    quick_sort(first, high);
    quick_sort(low, last);
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t sum = CHECKSUM_START;
    uint32_t seed = 1;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        for (size_t i = 0; i < COUNT; i++) {
            words[i] = random_next(&seed);
        }
        quick_sort(words, words + COUNT - 1);
        for (size_t i = 0; i < COUNT; i += 64) {
            sum = checksum_add(sum, words[i]);
        }
    }
    return sum;
}

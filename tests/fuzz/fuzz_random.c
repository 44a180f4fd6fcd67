/* Drives a fuzz target with random bytes, where there is no libFuzzer:
 *
 *   fuzz_TARGET [SECONDS [SEED]]     then prints how many inputs there were
 *   fuzz_TARGET -one SEED NUMBER     runs that one again
 *   fuzz_TARGET -files FILE...       runs inputs that were kept
 */
#include "fuzz_input.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INPUT_BYTES_MAX 200

static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void run(uint64_t seed, uint64_t number) {
    uint8_t data[INPUT_BYTES_MAX];
    uint64_t state = seed * 1000003 + number * 0xD1342543DE82EF95u;
    size_t size = next_random(&state) % sizeof(data);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)next_random(&state);
    fuzz_one(data, size);
}

static bool run_file(const char *path) {
    static uint8_t data[65536];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    size_t size = fread(data, 1, sizeof(data), file);
    fclose(file);
    fuzz_one(data, size);
    return true;
}

static int run_files(int count, char **paths) {
    for (int i = 0; i < count; i++) {
        if (run_file(paths[i]))
            continue;
        fprintf(stderr, "cannot read %s\n", paths[i]);
        return 1;
    }
    fuzz_clean_up();
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "-files") == 0)
        return run_files(argc - 2, argv + 2);
    if (argc == 4 && strcmp(argv[1], "-one") == 0) {
        run(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
        fuzz_clean_up();
        return 0;
    }
    time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1, number = 0;
    const char *progress = getenv("FUZZ_PROGRESS"); /* the file to write the number to */
    for (; time(NULL) < end; number++) {
        FILE *file = progress != NULL ? fopen(progress, "w") : NULL;
        if (file != NULL) {
            fprintf(file, "-one %llu %llu\n", (unsigned long long)seed, (unsigned long long)number);
            fclose(file);
        }
        run(seed, number);
    }
    printf("%llu inputs, seed %llu\n", (unsigned long long)number, (unsigned long long)seed);
    fuzz_clean_up();
    return 0;
}

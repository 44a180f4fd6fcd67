#define _CRT_RAND_S
#include "host_random.h"
#include <stdlib.h>
#include <string.h>

bool host_random_fill(void *bytes, size_t size) {
    unsigned number;
    for (size_t at = 0; at < size; at += sizeof(number)) {
        if (rand_s(&number) != 0)
            return false;
        size_t left = size - at;
        memcpy((char *)bytes + at, &number, left < sizeof(number) ? left : sizeof(number));
    }
    return true;
}

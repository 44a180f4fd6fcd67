/* Calls through tables of functions, as languages with objects make them: the target depends on
 * data, and the callee calls on. */
#include "program_runtime.h"

enum { OBJECTS = 512, REPETITIONS = 22000 };

typedef struct Shape Shape;

typedef struct {
    uint32_t (*measure)(const Shape *shape);
    void (*grow)(Shape *shape, uint32_t by);
} ShapeClass;

struct Shape {
    const ShapeClass *class;
    uint32_t first;
    uint32_t second;
    Shape *inner;
};

static uint32_t measure_square(const Shape *shape) {
    return shape->first * shape->first;
}

static uint32_t measure_box(const Shape *shape) {
    return shape->first * shape->second;
}

static uint32_t measure_frame(const Shape *shape) {
    return shape->first * shape->second - shape->inner->class->measure(shape->inner);
}

static uint32_t measure_group(const Shape *shape) {
    return shape->inner->class->measure(shape->inner) + shape->first;
}

static void grow_first(Shape *shape, uint32_t by) {
    shape->first += by;
}

static void grow_both(Shape *shape, uint32_t by) {
    shape->first += by;
    shape->second ^= by;
}

static void grow_inner(Shape *shape, uint32_t by) {
    shape->inner->first += by;
}

static const ShapeClass classes[] = {
    {measure_square, grow_first}, {measure_box, grow_both},    {measure_frame, grow_both},
    {measure_group, grow_inner},  {measure_square, grow_both}, {measure_box, grow_first},
};

static Shape shapes[OBJECTS];

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t seed = 1;
    for (size_t i = 0; i < OBJECTS; i++) {
        size_t kind = i < 16 ? random_next(&seed) % 2
                             : random_next(&seed) % (sizeof classes / sizeof classes[0]);
        shapes[i] = (Shape){&classes[kind], random_next(&seed) % 100, random_next(&seed) % 100,
                            &shapes[random_next(&seed) % 16]};
    }
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        for (size_t i = 0; i < OBJECTS; i++) {
            Shape *shape = &shapes[i];
            sum = sum * 31 + shape->class->measure(shape);
            if ((left + i) % 8 == 0) {
                shape->class->grow(shape, left & 7);
            }
        }
    }
    return sum;
}

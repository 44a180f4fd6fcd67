/* Gravitation between five bodies, integrated in small steps, in double. */
#include "program_runtime.h"

enum { BODIES = 5, STEPS = 160000 };

typedef struct {
    double position[3];
    double velocity[3];
    double mass;
} Body;

static void place_bodies(Body *bodies) {
    uint32_t seed = 1;
    for (size_t i = 0; i < BODIES; i++) {
        for (int axis = 0; axis < 3; axis++) {
            bodies[i].position[axis] = (double)(random_next(&seed) >> 16) / 4096.0 - 8.0;
            bodies[i].velocity[axis] = (double)(random_next(&seed) >> 16) / 65536.0 - 0.5;
        }
        bodies[i].mass = (double)(random_next(&seed) >> 16) / 65536.0 + 0.5;
    }
}

static void attract(Body *first, Body *second, double step) {
    double distance[3];
    double square = 0.01; /* softened, so that close encounters stay finite */
    for (int axis = 0; axis < 3; axis++) {
        distance[axis] = first->position[axis] - second->position[axis];
        square += distance[axis] * distance[axis];
    }
    double magnitude = step / (square * __builtin_sqrt(square));
    for (int axis = 0; axis < 3; axis++) {
        first->velocity[axis] -= distance[axis] * second->mass * magnitude;
        second->velocity[axis] += distance[axis] * first->mass * magnitude;
    }
}

static void advance(Body *bodies, double step) {
    for (size_t i = 0; i < BODIES; i++) {
        for (size_t j = i + 1; j < BODIES; j++) {
            attract(&bodies[i], &bodies[j], step);
        }
    }
    for (size_t i = 0; i < BODIES; i++) {
        for (int axis = 0; axis < 3; axis++) {
            bodies[i].position[axis] += step * bodies[i].velocity[axis];
        }
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    Body bodies[BODIES];
    place_bodies(bodies);
    for (uint32_t left = scaled(STEPS, scale); left; left--) {
        advance(bodies, 0.001);
    }
    uint32_t sum = CHECKSUM_START;
    for (size_t i = 0; i < BODIES; i++) {
        sum = checksum_add_real(sum, bodies[i].position[0]);
        sum = checksum_add_real(sum, bodies[i].velocity[2]);
    }
    return sum;
}

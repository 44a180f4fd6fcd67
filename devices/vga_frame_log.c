/* What registers held while the beam drew the picture.
 *
 * Software changes the palette, the split or the panning while the picture is drawn, to show more
 * colours or another part of memory from some line on. A picture of ours is drawn at one moment,
 * when somebody wants it. So changes are noted with their time, the latest some thousands of them,
 * and that is all that is done while nobody looks.
 *
 * A frame begins for us with the vertical retrace, where the CRT controller takes over the start
 * address. The picture shows the present frame down to where the beam is; below it, what the frame
 * before did there: an effect that is repeated every frame is seen whole, and one that is set in
 * the retrace or set once is seen at once. Video memory is not followed. */
#include "vga_internal.h"
#include <string.h>

/* ---- Registers by their numbers ---- */

static uint8_t *find_register(VgaState *state, unsigned file, unsigned index, unsigned *size) {
    *size = file == REGISTER_DAC ? 3 : 1;
    switch (file) {
    case REGISTER_DAC:
        return state->dac[index % 256];
    case REGISTER_DAC_MASK:
        return &state->dac_mask;
    case REGISTER_ATTRIBUTE:
        return &state->attribute[index % ATTRIBUTE_REGISTERS];
    case REGISTER_ATTRIBUTE_INDEX:
        return &state->attribute_index;
    case REGISTER_CRTC:
        return &state->crtc[index % CRTC_REGISTERS];
    case REGISTER_GRAPHICS:
        return &state->graphics[index % GRAPHICS_REGISTERS];
    default:
        return &state->sequencer[index % SEQUENCER_REGISTERS];
    }
}

static void apply(VgaState *state, const VgaChange *change, const uint8_t *value) {
    unsigned size;
    uint8_t *target = find_register(state, change->file, change->index, &size);
    memcpy(target, value, size);
}

void vga_change_register(Vga *vga, VgaRegister file, unsigned index, const uint8_t *after) {
    unsigned size;
    uint8_t *target = find_register(&vga->state, file, index, &size);
    if (memcmp(target, after, size) == 0)
        return;
    VgaFrameLog *log = &vga->log;
    VgaChange *change = &log->changes[log->count++ % VGA_LOG_CHANGES];
    if (log->count - log->first > VGA_LOG_CHANGES)
        log->first = log->count - VGA_LOG_CHANGES;
    *change = (VgaChange){.time_ns = clock_now_ns(vga->context.clock),
                          .file = (uint8_t)file,
                          .index = (uint8_t)index};
    memcpy(change->before, target, size);
    memcpy(change->after, after, size);
    memcpy(target, after, size);
    vga->picture_changed = true;
}

void vga_frame_log_clear(Vga *vga) {
    vga->log.first = vga->log.count;
}

/* ---- Lines ---- */

static const VgaChange *change_at(const Vga *vga, uint64_t number) {
    return &vga->log.changes[number % VGA_LOG_CHANGES];
}

/* Taken over at the retrace alone. */
static bool is_latched(const VgaChange *change) {
    return change->file == REGISTER_CRTC &&
           (change->index == CRTC_PRESET_ROW_SCAN || change->index == CRTC_START_ADDRESS_HIGH ||
            change->index == CRTC_START_ADDRESS_LOW);
}

/* The first line of the picture that a change affects, for a frame that began at 'start'. What
 * comes within a line counts from the next one on. */
static int32_t line_of(const Vga *vga, const VgaChange *change, uint64_t start) {
    const VgaTiming *timing = &vga->timing;
    uint64_t distance = vga_characters_at(vga, change->time_ns) - start;
    uint64_t line = (distance + timing->characters - 1) / timing->characters;
    return (int32_t)line - (int32_t)(timing->lines - timing->retrace_start);
}

/* The number of the first change at 'start' or later. Times ascend. */
static uint64_t find_change(const Vga *vga, uint64_t start) {
    uint64_t low = vga->log.first, high = vga->log.count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (vga_characters_at(vga, change_at(vga, middle)->time_ns) < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void find_frames(const Vga *vga, VgaReplay *replay) {
    const VgaTiming *timing = &vga->timing;
    uint64_t frame = (uint64_t)timing->characters * timing->lines;
    uint64_t now = vga_characters_at(vga, clock_now_ns(vga->context.clock));
    uint64_t shift = (uint64_t)(timing->lines - timing->retrace_start) * timing->characters;
    uint64_t into_frame = (now + shift) % frame;
    replay->frame_start = now > into_frame ? now - into_frame : 0;
    replay->previous_start = replay->frame_start > frame ? replay->frame_start - frame : 0;
    replay->beam = (int32_t)(into_frame / timing->characters) -
                   (int32_t)(timing->lines - timing->retrace_start);
    replay->last = vga->log.count;
    replay->next = find_change(vga, replay->frame_start);
    replay->previous_last = replay->next;
    replay->previous_next = find_change(vga, replay->previous_start);
}

/* Leaves out what the frame before did above the beam. */
static void skip_above_beam(VgaReplay *replay) {
    const Vga *vga = replay->vga;
    int32_t least = replay->beam < 0 ? 0 : replay->beam;
    while (replay->previous_next < replay->previous_last &&
           line_of(vga, change_at(vga, replay->previous_next), replay->previous_start) <= least)
        replay->previous_next++;
}

static bool matters(const VgaReplay *replay) {
    const Vga *vga = replay->vga;
    int32_t shown = (int32_t)vga->timing.lines_shown;
    for (uint64_t i = replay->next; i < replay->last; i++) {
        const VgaChange *change = change_at(vga, i);
        int32_t line = line_of(vga, change, replay->frame_start);
        if (is_latched(change) || (line > 0 && line < shown))
            return true;
    }
    for (uint64_t i = replay->previous_next; i < replay->previous_last; i++) {
        const VgaChange *change = change_at(vga, i);
        if (!is_latched(change) && line_of(vga, change, replay->previous_start) < shown)
            return true;
    }
    return false;
}

bool vga_replay_start(const Vga *vga, VgaReplay *replay) {
    const VgaTiming *timing = &vga->timing;
    replay->vga = vga;
    if (vga->log.first == vga->log.count || timing->retrace_start >= timing->lines ||
        clock_now_ns(vga->context.clock) <= vga_frame_ns(vga))
        return false;
    find_frames(vga, replay);
    skip_above_beam(replay);
    if (!matters(replay))
        return false;
    replay->state = vga->state;
    for (uint64_t i = replay->last; i > replay->next; i--)
        apply(&replay->state, change_at(vga, i - 1), change_at(vga, i - 1)->before);
    return true;
}

bool vga_replay_go_to(VgaReplay *replay, uint32_t line) {
    const Vga *vga = replay->vga;
    bool changed = false;
    for (; replay->next < replay->last; replay->next++, changed = true) {
        const VgaChange *change = change_at(vga, replay->next);
        if (line_of(vga, change, replay->frame_start) > (int32_t)line)
            return changed;
        apply(&replay->state, change, change->after);
    }
    for (; replay->previous_next < replay->previous_last; replay->previous_next++) {
        const VgaChange *change = change_at(vga, replay->previous_next);
        if (line_of(vga, change, replay->previous_start) > (int32_t)line)
            return changed;
        if (is_latched(change))
            continue;
        apply(&replay->state, change, change->after);
        changed = true;
    }
    return changed;
}

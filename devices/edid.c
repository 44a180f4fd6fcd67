/* What the display says of itself to whoever reads it through the adapter. */
#include "edid.h"
#include "little_endian.h"
#include <string.h>

// clang-format off
/* VESA Enhanced EDID standard, release A revision 1. */
static const uint8_t usual_block[EDID_SIZE] = {
    /* Header (3.3). */
    0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00,
    /* Manufacturer RPR, product 1111h, no serial number, no week, 2020 (3.4). */
    0x4A, 0x12, 0x11, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1E,
    /* Version 1.3 (3.5). */
    0x01, 0x03,
    /* Analogue input with separate syncs, 26 by 20 cm, gamma 2.2, RGB, preferred timing first (3.6). */
    0x08, 0x1A, 0x14, 0x78, 0x0A,
    /* Chromaticity of sRGB (3.7). */
    0xEE, 0x91, 0xA3, 0x54, 0x4C, 0x99, 0x26, 0x0F, 0x50, 0x54,
    /* 720x400 at 70 Hz, 640x480, 800x600 and 1024x768 at 60 Hz (3.8). */
    0xA1, 0x08, 0x00,
    /* 1280x960 and 1280x1024 at 60 Hz (3.9). */
    0x81, 0x40, 0x81, 0x80, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01,
    /* 1024x768 at 60 Hz, 65 MHz, syncs negative (3.10.2, VESA DMT). */
    0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 0x18, 0x88, 0x36, 0x00, 0x04, 0xC3, 0x10, 0x00,
    0x00, 0x18,
    /* 50 to 85 Hz, 30 to 90 kHz, up to 200 MHz (3.10.3). */
    0x00, 0x00, 0x00, 0xFD, 0x00, 0x32, 0x55, 0x1E, 0x5A, 0x14, 0x00, 0x0A, 0x20, 0x20, 0x20, 0x20,
    0x20, 0x20,
    /* Name. */
    0x00, 0x00, 0x00, 0xFC, 0x00, 0x52, 0x65, 0x70, 0x72, 0x69, 0x73, 0x65, 0x0A, 0x20, 0x20, 0x20,
    0x20, 0x20,
    /* Nothing. */
    0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00,
    /* No extension, checksum (3.11). */
    0x00, 0x80,
};
// clang-format on

/* A detailed timing (3.10.2) by the rules of VESA's reduced blanking (CVT 1.1, 3.4): 160 pixels and
 * at least 460 microseconds. */
static void put_preferred_mode(uint8_t *timing, uint32_t width, uint32_t height) {
    enum { BLANK = 160, FRONT_PORCH = 48, SYNC = 32, SYNC_LINES = 8, FRONT_PORCH_LINES = 3 };
    enum { FRAMES = 60, BLANK_US = 460 };
    uint32_t blank_lines = height * BLANK_US / (1000000 / FRAMES - BLANK_US) + 1;
    if (blank_lines < FRONT_PORCH_LINES + SYNC_LINES + 6)
        blank_lines = FRONT_PORCH_LINES + SYNC_LINES + 6;
    uint64_t clock = (uint64_t)(width + BLANK) * (height + blank_lines) * FRAMES / 10000;
    memset(timing, 0, 18);
    store_le16(timing, (uint16_t)(clock < UINT16_MAX ? clock : UINT16_MAX)); /* 10 kHz */
    timing[2] = (uint8_t)width;
    timing[3] = BLANK;
    timing[4] = (uint8_t)(width >> 8 << 4);
    timing[5] = (uint8_t)height;
    timing[6] = (uint8_t)blank_lines;
    timing[7] = (uint8_t)(height >> 8 << 4 | blank_lines >> 8);
    timing[8] = FRONT_PORCH;
    timing[9] = SYNC;
    timing[10] = FRONT_PORCH_LINES << 4 | SYNC_LINES;
    timing[17] = 0x1A; /* separate syncs, vertical negative, horizontal positive */
}

void edid_build(uint8_t block[EDID_SIZE], uint32_t width, uint32_t height) {
    enum { FIRST_TIMING = 54, CHECKSUM = EDID_SIZE - 1 };
    memcpy(block, usual_block, EDID_SIZE);
    if (width != 0 && height != 0)
        put_preferred_mode(block + FIRST_TIMING, width, height);
    uint8_t sum = 0;
    for (unsigned i = 0; i < CHECKSUM; i++)
        sum = (uint8_t)(sum + block[i]);
    block[CHECKSUM] = (uint8_t)-sum;
}

/* CUE sheets: a text that tells which tracks a CD has and in which files their sectors are. The
 * files lie beside the text; those of sound are raw samples (BINARY). The image is only read. */
#include "allocate.h"
#include "block_cd.h"
#include "block_driver.h"
#include "cd_sector.h"
#include "host_string.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUE_BYTES_MAXIMUM 65536
#define SESSION_GAP 11400 /* frames of lead-out, lead-in and pregap between two sessions */
#define FRAMES_MAXIMUM (100 * 60 * 75)

typedef struct CueTrack {
    uint32_t first;      /* the first sector that is in the file, which may be before the start */
    uint32_t file_frame; /* and how many are before it there */
    uint32_t sector_bytes, data_at;
    uint64_t offset; /* in the file */
    unsigned part;
} CueTrack;

typedef struct Cue {
    BlockNode *parts[BLOCK_CD_TRACKS];
    BlockCdTrack tracks[BLOCK_CD_TRACKS];
    CueTrack places[BLOCK_CD_TRACKS];
    unsigned part_count, track_count;
    /* While it is read: where the file begins on the disc, the session, and what the track has. */
    uint32_t base;
    uint8_t session;
    bool has_place, has_start;
} Cue;

static const struct {
    const char *name;
    uint16_t sector_bytes, data_at;
    bool is_audio;
} modes[] = {{"AUDIO", CD_RAW_SECTOR_BYTES, 0, true},
             {"MODE1/2048", CD_SECTOR_BYTES, 0, false},
             {"MODE1/2352", CD_RAW_SECTOR_BYTES, 16, false},
             {"MODE2/2336", 2336, 8, false},
             {"MODE2/2352", CD_RAW_SECTOR_BYTES, 24, false}};

static int cue_probe(const uint8_t *head, uint64_t length) {
    static const char *const words[] = {"FILE ", "REM ", "CATALOG ", "TITLE ", "PERFORMER "};
    char text[BLOCK_PROBE_BYTES + 1] = {0};
    if (length == 0 || length > CUE_BYTES_MAXIMUM)
        return 0;
    memcpy(text, head, BLOCK_PROBE_BYTES);
    const char *start = strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(start, words[i], strlen(words[i])) == 0 && strstr(text, "FILE \"") != NULL)
            return 90;
    return 0;
}

static bool open_part(BlockNode *node, Cue *cue, const char *line, Error *error) {
    char name[256] = "", kind[16] = "";
    if (sscanf(line, "FILE \"%255[^\"]\" %15s", name, kind) != 2 || strchr(name, '/') != NULL ||
        strcmp(name, "..") == 0)
        return error_set(
            error, "has a file '%.100s', which is none beside it; only such are opened", name);
    if (strcmp(kind, "BINARY") != 0)
        return error_set(error, "has a file of the kind %s; only BINARY is known", kind);
    if (cue->part_count == BLOCK_CD_TRACKS)
        return error_set(error, "has too many files");
    const char *slash = strrchr(node->path, '/');
    int folder = slash != NULL ? (int)(slash - node->path) + 1 : 0;
    size_t room = (size_t)folder + strlen(name) + 1;
    char *path = allocate_zeroed(room);
    snprintf(path, room, "%.*s%s", folder, node->path, name);
    BlockOptions options = {.path = path, .format = "raw", .read_only = true, .any_content = true};
    BlockNode *part = block_open_part(node, &options, error);
    free(path);
    if (part == NULL)
        return false;
    cue->parts[cue->part_count++] = part;
    return true;
}

/* Where the file of the last track ends on the disc: the track ends there, too. */
static bool end_file(Cue *cue, Error *error) {
    if (cue->track_count == 0)
        return true;
    BlockCdTrack *track = &cue->tracks[cue->track_count - 1];
    const CueTrack *place = &cue->places[cue->track_count - 1];
    uint64_t bytes = cue->parts[place->part]->length;
    if (!cue->has_start || bytes < place->offset)
        return error_set(error, "has a track %u that does not lie in its file", track->number);
    uint64_t frames = (bytes - place->offset) / place->sector_bytes;
    if (frames > FRAMES_MAXIMUM || place->first + frames <= track->start)
        return error_set(error, "has a track %u that does not lie in its file", track->number);
    track->end = place->first + (uint32_t)frames;
    return true;
}

static bool begin_file(BlockNode *node, Cue *cue, const char *line, Error *error) {
    if (!end_file(cue, error))
        return false;
    if (cue->track_count > 0) {
        const BlockCdTrack *last = &cue->tracks[cue->track_count - 1];
        cue->base = last->end + (last->session != cue->session ? SESSION_GAP : 0);
    }
    return open_part(node, cue, line, error);
}

static bool begin_track(Cue *cue, const char *line, Error *error) {
    unsigned number, mode;
    char name[16];
    if (sscanf(line, "TRACK %u %15s", &number, name) != 2 || cue->part_count == 0 ||
        cue->track_count == BLOCK_CD_TRACKS || (cue->track_count > 0 && !cue->has_start))
        return error_set(error, "has a line '%.40s' that cannot be", line);
    unsigned before = cue->track_count > 0 ? cue->tracks[cue->track_count - 1].number : number - 1;
    if (number != before + 1 || number == 0 || number > BLOCK_CD_TRACKS)
        return error_set(error, "has tracks that are not in order");
    for (mode = 0; mode < sizeof(modes) / sizeof(modes[0]); mode++)
        if (strcmp(modes[mode].name, name) == 0)
            break;
    if (mode == sizeof(modes) / sizeof(modes[0]))
        return error_set(error, "has a track of the kind %s, which is not known", name);
    cue->tracks[cue->track_count] = (BlockCdTrack){
        .number = (uint8_t)number, .session = cue->session, .is_audio = modes[mode].is_audio};
    cue->places[cue->track_count++] = (CueTrack){.sector_bytes = modes[mode].sector_bytes,
                                                 .data_at = modes[mode].data_at,
                                                 .part = cue->part_count - 1};
    cue->has_place = cue->has_start = false;
    return true;
}

/* The track's sectors begin here in the file; those of the one before end. */
static void place_track(Cue *cue, uint32_t file_frame) {
    CueTrack *place = &cue->places[cue->track_count - 1];
    place->first = cue->base + file_frame;
    place->file_frame = file_frame;
    cue->has_place = true;
    if (cue->track_count < 2 || place[-1].part != place->part) {
        place->offset = (uint64_t)file_frame * place->sector_bytes;
        return;
    }
    uint32_t before = place[-1].file_frame;
    uint32_t frames = file_frame > before ? file_frame - before : 0;
    place->offset = place[-1].offset + (uint64_t)frames * place[-1].sector_bytes;
    cue->tracks[cue->track_count - 2].end = place[-1].first + frames;
}

static bool set_index(Cue *cue, const char *line, Error *error) {
    unsigned index, minute, second, frame;
    if (sscanf(line, "INDEX %u %u:%u:%u", &index, &minute, &second, &frame) != 4 || minute > 99 ||
        second > 59 || frame > 74 || cue->track_count == 0)
        return error_set(error, "has a line '%.40s' that cannot be", line);
    uint32_t file_frame = (minute * 60 + second) * 75 + frame;
    BlockCdTrack *track = &cue->tracks[cue->track_count - 1];
    if (index <= 1 && !cue->has_place)
        place_track(cue, file_frame);
    uint32_t at = cue->base + file_frame;
    if (cue->track_count > 1 && at <= track[-1].start)
        return error_set(error, "has tracks that are not in order");
    if (index == 1) {
        track->start = at;
        cue->has_start = true;
    }
    return true;
}

/* A gap that is on the disc but in no file moves all that follows. */
static bool add_gap(Cue *cue, const char *line, Error *error) {
    unsigned minute, second, frame;
    if (sscanf(line, "%*s %u:%u:%u", &minute, &second, &frame) != 3 || minute > 99 || second > 59 ||
        frame > 74)
        return error_set(error, "has a line '%.40s' that cannot be", line);
    cue->base += (minute * 60 + second) * 75 + frame;
    return true;
}

static bool read_line(BlockNode *node, Cue *cue, const char *line, Error *error) {
    unsigned session;
    if (strncmp(line, "FILE ", 5) == 0)
        return begin_file(node, cue, line, error);
    if (strncmp(line, "TRACK ", 6) == 0)
        return begin_track(cue, line, error);
    if (strncmp(line, "INDEX ", 6) == 0)
        return set_index(cue, line, error);
    if (strncmp(line, "PREGAP ", 7) == 0)
        return add_gap(cue, line, error);
    if (sscanf(line, "REM SESSION %u", &session) == 1 && session == cue->session + 1u &&
        cue->track_count > 0 && session <= BLOCK_CD_TRACKS) {
        cue->session = (uint8_t)session;
        cue->base += SESSION_GAP;
    }
    return true; /* titles and the like */
}

static bool read_sheet(BlockNode *node, Cue *cue, char *text, Error *error) {
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\r\n")) != NULL;) {
        if (strncmp(line, "\xEF\xBB\xBF", 3) == 0)
            line += 3;
        if (!read_line(node, cue, line + strspn(line, " \t"), error))
            return false;
    }
    if (cue->track_count == 0)
        return error_set(error, "has no tracks");
    if (!end_file(cue, error))
        return false;
    node->length = (uint64_t)cue->tracks[cue->track_count - 1].end * CD_SECTOR_BYTES;
    return cue->tracks[cue->track_count - 1].end <= FRAMES_MAXIMUM ||
           error_set(error, "is of a disc that is longer than there can be");
}

static void cue_close(BlockNode *node) {
    Cue *cue = node->driver_state;
    for (unsigned i = 0; i < cue->part_count; i++)
        block_close(cue->parts[i]);
    free(cue);
}

static bool cue_open(BlockNode *node, const BlockOptions *options, Error *error) {
    if (!node->read_only && !options->snapshot && !options->auto_read_only)
        return error_set(error, "is a CUE sheet, which is only read; add media=cdrom");
    if (node->length > CUE_BYTES_MAXIMUM)
        return error_set(error, "is too long for a CUE sheet");
    char *text = allocate_zeroed(node->length + 1);
    Cue *cue = allocate_zeroed(sizeof(*cue));
    cue->session = 1;
    node->driver_state = cue;
    node->read_only = true;
    bool good = block_file_read(node->file, 0, text, node->length, error) &&
                read_sheet(node, cue, text, error);
    free(text);
    if (!good)
        cue_close(node);
    return good;
}

/* The track in whose file the sector is; NULL in a gap. */
static const CueTrack *find_place(const Cue *cue, uint32_t lba, bool audio) {
    for (unsigned i = 0; i < cue->track_count; i++)
        if (lba >= cue->places[i].first && lba < cue->tracks[i].end)
            return cue->tracks[i].is_audio == audio ? &cue->places[i] : NULL;
    return NULL;
}

static bool read_place(Cue *cue, const CueTrack *place, uint32_t lba, uint32_t at, void *data,
                       size_t size, Error *error) {
    uint64_t offset = place->offset + (uint64_t)(lba - place->first) * place->sector_bytes;
    return block_read(cue->parts[place->part], offset + place->data_at + at, data, size, error);
}

static bool cue_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    Cue *cue = node->driver_state;
    for (uint8_t *to = data; size > 0;) {
        uint32_t lba = (uint32_t)(offset / CD_SECTOR_BYTES), at = offset % CD_SECTOR_BYTES;
        size_t part = size < CD_SECTOR_BYTES - at ? size : CD_SECTOR_BYTES - at;
        const CueTrack *place = find_place(cue, lba, false);
        if (place == NULL)
            memset(to, 0, part);
        else if (!read_place(cue, place, lba, at, to, part, error))
            return false;
        to += part;
        offset += part;
        size -= part;
    }
    return true;
}

static bool cue_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                      Error *error) {
    (void)node;
    (void)offset;
    (void)data;
    (void)size;
    return error_set(error, "is a CUE sheet, which is only read");
}

const BlockDriver block_cue_driver = {
    .name = "cue",
    .probe = cue_probe,
    .open = cue_open,
    .close = cue_close,
    .read = cue_read,
    .write = cue_write,
};

static const BlockNode *find_sheet(const BlockNode *node) {
    while (node != NULL && node->driver != &block_cue_driver)
        node = node->below;
    return node;
}

unsigned block_cd_tracks(const BlockNode *node, const BlockCdTrack **tracks) {
    const BlockNode *sheet = find_sheet(node);
    if (sheet == NULL)
        return 0;
    const Cue *cue = sheet->driver_state;
    *tracks = cue->tracks;
    return cue->track_count;
}

bool block_cd_read_audio(BlockNode *node, uint32_t lba, uint8_t *data, Error *error) {
    const BlockNode *sheet = find_sheet(node);
    const CueTrack *place = sheet != NULL ? find_place(sheet->driver_state, lba, true) : NULL;
    memset(data, 0, CD_RAW_SECTOR_BYTES);
    return place == NULL ||
           read_place(sheet->driver_state, place, lba, 0, data, CD_RAW_SECTOR_BYTES, error);
}

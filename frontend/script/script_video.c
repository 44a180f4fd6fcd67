/* m:record() and m:stop_recording(): the screen as a video, in guest time. */
#include "allocate.h"
#include "machine_observer.h"
#include "script_screen.h"
#include "script_wait.h"
#include "video_write.h"

#include <stdlib.h>
#include <string.h>

enum { FRAMES_A_SECOND = 25, FRAMES_A_SECOND_MAX = 1000 };

typedef struct VideoRecorder {
    ScriptMachine *machine;
    ScreenWatch *watch;
    VideoFrames *frames;
    const VideoFormat *format;
    char *path;
    uint64_t number; /* of the picture that was recorded last */
} VideoRecorder;

static void record_frame(void *opaque) {
    VideoRecorder *recorder = opaque;
    const DisplaySurface *screen = screen_watch_look(recorder->watch);
    if (recorder->number == recorder->watch->number && recorder->number != 0)
        video_frames_repeat(recorder->frames);
    else
        video_frames_add(recorder->frames, screen);
    recorder->number = recorder->watch->number;
}

/* Ends the recording and writes the file. */
static bool finish(ScriptMachine *machine, VideoSize *size, Error *error) {
    VideoRecorder *recorder = machine->recorder;
    machine_observe(machine->machine, 0, NULL, NULL);
    video_frames_size(recorder->frames, size);
    bool good = video_write(recorder->format, recorder->frames, recorder->path, error);
    video_frames_free(recorder->frames);
    free(recorder->path);
    free(recorder);
    machine->recorder = NULL;
    return good;
}

/* m:record(file [, {fps=}]): from now on, until stop_recording() or the machine goes. */
static int start_recording(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    const char *name = luaL_checkstring(L, 2);
    Error error = {.set = false};
    lua_settop(L, 3);
    double fps = script_option_number(L, 3, "fps", FRAMES_A_SECOND);
    if (!(fps >= 1 && fps <= FRAMES_A_SECOND_MAX))
        script_fail(L, KIND_USAGE, "'fps' is a whole number from 1 to %d", FRAMES_A_SECOND_MAX);
    if (machine->recorder != NULL)
        script_fail(L, KIND_USAGE, "this machine is being recorded to %s", machine->recorder->path);
    const VideoFormat *format = video_format_find(name, &error);
    VideoFrames *frames = format != NULL ? video_frames_create((unsigned)fps, &error) : NULL;
    if (frames == NULL)
        script_fail(L, KIND_USAGE, "%s", error.message);
    VideoRecorder *recorder = allocate_zeroed(sizeof(*recorder));
    *recorder = (VideoRecorder){
        machine, machine->screen, frames, format, script_find_file(machine->script, name), 0};
    machine->recorder = recorder;
    script_log(machine->script, machine, "record %s", name);
    record_frame(recorder);
    machine_observe(machine->machine, NS_PER_SECOND / (unsigned)fps, record_frame, recorder);
    return 0;
}

/* m:stop_recording() -> frames, seconds */
static int stop_recording(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    Error error = {.set = false};
    VideoSize size;
    if (machine->recorder == NULL)
        script_fail(L, KIND_USAGE, "this machine is not being recorded");
    if (!finish(machine, &size, &error))
        script_fail(L, KIND_USAGE, "%s", error.message);
    lua_pushinteger(L, (lua_Integer)size.frames);
    lua_pushnumber(L, (double)size.frames / size.per_second);
    return 2;
}

/* A test that failed before it stopped the recording wants it most. */
static void end_recording(ScriptMachine *machine) {
    Error error = {.set = false};
    VideoSize size;
    if (machine->recorder != NULL && !finish(machine, &size, &error))
        script_log(machine->script, machine, "%s", error.message);
}

static const luaL_Reg video_methods[] = {
    {"record", start_recording},
    {"stop_recording", stop_recording},
    {NULL, NULL},
};
const ScriptPart script_video_part = {.methods = video_methods, .freed = end_recording};

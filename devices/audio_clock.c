#include "audio_clock.h"

static const Field audio_clock_rows[] = {
    FIELD(AudioClock, U64, start_ns),
    FIELD(AudioClock, U64, done),
    FIELD(AudioClock, U32, per_second),
    FIELD(AudioClock, U32, divisor),
    FIELD_END,
};

const FieldTable audio_clock_fields = {"audio-clock", 1, sizeof(AudioClock), audio_clock_rows};

void audio_clock_start(AudioClock *clock, int64_t now_ns, uint32_t per_second, uint32_t divisor) {
    *clock = (AudioClock){now_ns, 0, per_second != 0 ? per_second : 1, divisor != 0 ? divisor : 1};
}

uint32_t audio_clock_due(AudioClock *clock, int64_t now_ns) {
    __int128 elapsed = (__int128)now_ns - clock->start_ns;
    if (clock->per_second == 0 || clock->divisor == 0 || elapsed < 0)
        return 0;
    __int128 over = elapsed * clock->per_second / ((__int128)NS_PER_SECOND * clock->divisor);
    __int128 due = over - clock->done;
    if (due > clock->per_second / clock->divisor + 1) {
        audio_clock_start(clock, now_ns, clock->per_second, clock->divisor);
        return 0;
    }
    return due > 0 ? (uint32_t)due : 0;
}

int64_t audio_clock_when(const AudioClock *clock, uint32_t frames) {
    if (clock->per_second == 0)
        return TIMER_NEVER;
    __int128 count = (__int128)clock->done + frames;
    __int128 ns =
        (count * clock->divisor * NS_PER_SECOND + clock->per_second - 1) / clock->per_second +
        clock->start_ns;
    return ns > TIMER_NEVER / 2 ? TIMER_NEVER / 2 : (int64_t)ns;
}

double audio_clock_step_ns(const AudioClock *clock) {
    return 1e9 * clock->divisor / clock->per_second;
}

double audio_clock_next_ns(const AudioClock *clock) {
    return (double)clock->start_ns + (double)clock->done * audio_clock_step_ns(clock);
}

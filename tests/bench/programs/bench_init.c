/* The first process of the benchmark's Linux guest: bench_init SCALE NAME,NAME,...
 *
 * Before and after each program it writes a line on the console and waits for a line from there:
 * while it waits, the emulator is idle, and the script outside reads its processor time. */
#include "program_runtime.h"

enum { MOST_PATH = 64 };

/* struct ktermios of IA-32 Linux (asm-generic/termbits.h). */
typedef struct {
    uint32_t input_flags;
    uint32_t output_flags;
    uint32_t control_flags;
    uint32_t local_flags;
    uint8_t line_discipline;
    uint8_t control_characters[19];
} TerminalSettings;

/* No echo, and lines that end in the single byte that was written. */
static void quieten_console(void) {
    enum { GET_SETTINGS = 0x5401, SET_SETTINGS = 0x5402, POST_PROCESS = 1, ECHO = 8 };
    TerminalSettings settings;
    if (system_call(CALL_IOCTL, 0, GET_SETTINGS, (long)&settings, 0) < 0) {
        return; /* not a terminal: so it is outside a guest */
    }
    settings.output_flags &= ~(uint32_t)POST_PROCESS;
    settings.local_flags &= ~(uint32_t)ECHO;
    system_call(CALL_IOCTL, 0, SET_SETTINGS, (long)&settings, 0);
}

static void wait_for_line(void) {
    char byte;
    do {
        if (system_call(CALL_READ, 0, (long)&byte, 1, 0) != 1) {
            fail("the console is closed\n");
        }
    } while (byte != '\n');
}

static void write_marker(const char *marker, const char *name) {
    write_text(marker);
    write_text(" ");
    write_text(name);
    write_text("\n");
    wait_for_line();
}

static void run_program(char *path, char *scale) {
    long child = system_call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        char *arguments[] = {path, scale, NULL};
        system_call(CALL_EXECVE, (long)path, (long)arguments, (long)(arguments + 2), 0);
        fail("execve failed\n");
    }
    int status = 0;
    system_call(CALL_WAIT4, child, (long)&status, 0, 0);
    if (status != 0) {
        write_text("the program failed\n");
    }
}

_Noreturn static void power_off(void) {
    enum { MAGIC = (int)0xfee1dead, SECOND_MAGIC = 0x28121969, POWER_OFF = 0x4321fedc };
    for (;;) {
        system_call(CALL_REBOOT, MAGIC, SECOND_MAGIC, POWER_OFF, 0);
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)scale;
    quieten_console();
    write_marker("ready", "");
    char path[MOST_PATH] = "/programs/";
    for (const char *list = argv[2]; *list;) {
        char *name = path + sizeof "/programs/" - 1;
        char *end = name;
        while (*list && *list != ',' && end < path + sizeof path - 1) {
            *end++ = *list++;
        }
        *end = 0;
        if (*list) {
            list++;
        }
        write_marker("start", name);
        run_program(path, argv[1]);
        write_marker("stop", name);
    }
    write_text("end\n");
    power_off();
}

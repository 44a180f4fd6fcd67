/* See test_run.h. */
#define _GNU_SOURCE
#include "test_run.h"
#include "allocate.h"
#include "flake_hunt.h"
#include "guest_symbols.h"
#include "host_file.h"
#include "host_thread.h"
#include "machine_time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A script looks at the host's clock itself; one that does not come to it is ended from outside so
 * much later. */
#define GRACE_NS (5 * 1000000000LL)

unsigned test_run_jobs(const TestOptions *options) {
    if (options->hashes != NULL)
        return 1; /* its lines are to come in the same order in each run */
    if (options->jobs > 0)
        return (unsigned)options->jobs;
    return host_thread_allowed_processors();
}

/* --- one script --- */

/* "tests/dos.lua" is the test "dos". */
static char *name_after_file(const char *file) {
    const char *slash = strrchr(file, '/');
    char *name = strdup(slash != NULL ? slash + 1 : file);
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot != name && strcmp(dot, ".lua") == 0)
        *dot = '\0';
    return name;
}

/* --fail-fast ends a script by an error that is no failure. */
static bool was_stopped(lua_State *L) {
    bool stopped = false;
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "kind");
        stopped = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), KIND_STOP) == 0;
        lua_pop(L, 1);
    }
    return stopped;
}

/* A script with test() counts by its tests, unless what stands outside of them fails. */
static bool is_worth_telling(struct TestContext *context, const TestResult *result) {
    const TestOptions *options = context->run->options;
    if (result->status != SCRIPT_PASSED)
        return true;
    return !context->has_tests && !options->list &&
           test_filter_allows(context->script->lua, options->filter, result->name);
}

static void run_loaded(struct TestContext *context, const char *name) {
    TestFrame frame;
    ByteBuffer message = {.data = NULL};
    test_begin(context, &frame, name);
    ScriptStatus status = script_run(context->script, &message);
    if (message.size > 0 && was_stopped(context->script->lua))
        message.size = 0;
    TestResult *result = test_end(context, status, &message);
    if (context->run->options->list && !context->has_tests)
        test_list(context, result, name);
    if (is_worth_telling(context, result))
        test_report(context, result);
    else
        test_result_free(result);
    byte_buffer_free(&message);
}

static void report_unreadable(TestRun *run, unsigned source, const char *name, const char *file,
                              const Error *error) {
    TestResult *result = test_result_new(name, file);
    result->status = SCRIPT_USAGE;
    result->kind = strdup(KIND_USAGE);
    result->message = strdup(error->message);
    report_add(run->report, source, result);
}

ClockPerturbation test_run_perturbation(const TestOptions *options, unsigned source) {
    ClockPerturbation perturbation = options->perturbation;
    if (perturbation.then_ns == TIMER_NEVER)
        perturbation.seed += source / (unsigned)options->file_count;
    return perturbation;
}

static void run_source(TestRun *run, unsigned source) {
    const TestOptions *options = run->options;
    const char *file = options->files[source % (unsigned)options->file_count];
    char *name = name_after_file(file);
    Error error = {.set = false};
    Script *script = script_create(options, file, &error);
    struct TestContext *context = NULL;
    if (script != NULL)
        script->perturbation = test_run_perturbation(options, source);
    if (script != NULL && script_load(script, &error)) {
        context = test_context_create(run, script, source);
        if (options->repeat > 1)
            context->repetition = source / (unsigned)options->file_count + 1;
        run_loaded(context, name);
    } else {
        report_unreadable(run, source, name, file, &error);
    }
    script_destroy(script);
    test_context_free(context);
    free(name);
}

/* --- all of them --- */

typedef struct SourceQueue {
    TestRun *run;
    unsigned count;
    atomic_uint next;
} SourceQueue;

static void *work(void *opaque) {
    SourceQueue *queue = opaque;
    for (;;) {
        unsigned source = atomic_fetch_add(&queue->next, 1);
        if (source >= queue->count)
            return NULL;
        job_slots_take(&queue->run->slots);
        if (!queue->run->stop)
            run_source(queue->run, source);
        report_end_source(queue->run->report, source);
        job_slots_give(&queue->run->slots);
    }
}

static void run_sources(SourceQueue *queue, unsigned jobs) {
    unsigned count = jobs < queue->count ? jobs : queue->count, started = 0;
    pthread_t *threads = allocate_zeroed((count + 1) * sizeof(*threads));
    while (started + 1 < count && pthread_create(&threads[started], NULL, work, queue) == 0)
        started++;
    work(queue); /* this thread too */
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

/* Every script is looked at before the first one runs: a slip in the last need not wait for it. */
static bool check_scripts(const TestOptions *options, Error *error) {
    bool good = true;
    for (int i = 0; good && i < options->file_count; i++) {
        lua_State *L = luaL_newstate();
        good = L != NULL || error_set(error, "no memory for Lua");
        if (good && luaL_loadfile(L, options->files[i]) != LUA_OK)
            good = error_set(error, "%s", lua_tostring(L, -1));
        if (L != NULL)
            lua_close(L);
    }
    return good;
}

/* Every file is looked at now, rather than when a test has failed. */
static bool check_symbols(const TestOptions *options, Error *error) {
    for (unsigned i = 0; i < options->coverage.symbols_count; i++) {
        GuestSymbols symbols;
        if (!guest_symbols_read(&symbols, options->coverage.symbols[i], error))
            return error_prefix(error, "--symbols: ");
        guest_symbols_free(&symbols);
    }
    return true;
}

/* --- the host's time limit --- */

typedef struct Watchdog {
    pthread_mutex_t lock;
    pthread_cond_t done;
    pthread_t thread;
    TestRun *run;
    int64_t deadline_ns;
    bool ended, has_thread;
} Watchdog;

/* What was found out is told, whatever the scripts' threads are at. */
static void give_up(Watchdog *dog) {
    ReportTotals totals;
    Error error = {.set = false};
    report_finish(dog->run->report, &totals, &error);
    fprintf(stderr, "reprise: the host's time limit is over, and a test does not end\n");
    _exit(SCRIPT_HOST_LIMIT);
}

static void *watch(void *opaque) {
    Watchdog *dog = opaque;
    pthread_mutex_lock(&dog->lock);
    while (!dog->ended && host_clock_ns() < dog->deadline_ns) {
        struct timespec until;
        int64_t left_ns = dog->deadline_ns - host_clock_ns();
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += left_ns / 1000000000 + 1;
        pthread_cond_timedwait(&dog->done, &dog->lock, &until);
    }
    bool ended = dog->ended;
    pthread_mutex_unlock(&dog->lock);
    if (!ended)
        give_up(dog);
    return NULL;
}

static void watchdog_start(Watchdog *dog, TestRun *run) {
    *dog = (Watchdog){.run = run};
    if (run->options->deadline_ns == INT64_MAX)
        return;
    dog->deadline_ns = run->options->deadline_ns + GRACE_NS;
    pthread_mutex_init(&dog->lock, NULL);
    pthread_cond_init(&dog->done, NULL);
    dog->has_thread = pthread_create(&dog->thread, NULL, watch, dog) == 0;
}

static void watchdog_end(Watchdog *dog) {
    if (!dog->has_thread)
        return;
    pthread_mutex_lock(&dog->lock);
    dog->ended = true;
    pthread_cond_signal(&dog->done);
    pthread_mutex_unlock(&dog->lock);
    pthread_join(dog->thread, NULL);
    pthread_mutex_destroy(&dog->lock);
    pthread_cond_destroy(&dog->done);
}

static bool is_empty(const ReportTotals *totals) {
    return totals->passed + totals->failed + totals->skipped == 0;
}

bool test_run_scripts(const TestOptions *options, ScriptStatus *status, Error *error) {
    TestRun run = {.options = options};
    unsigned repeat = options->repeat > 1 ? (unsigned)options->repeat : 1;
    SourceQueue queue = {.run = &run, .count = (unsigned)options->file_count * repeat};
    unsigned jobs = test_run_jobs(options);
    ReportTotals totals;
    Watchdog dog;
    *status = SCRIPT_USAGE;
    if (!check_scripts(options, error) || !check_symbols(options, error))
        return false;
    run.report = report_create(options, queue.count, error);
    if (run.report == NULL)
        return false;
    run.outcomes = allocate_zeroed(queue.count * sizeof(*run.outcomes));
    job_slots_init(&run.slots, jobs);
    watchdog_start(&dog, &run);
    run_sources(&queue, jobs);
    watchdog_end(&dog);
    flake_hunt(&run, queue.count);
    bool good = report_finish(run.report, &totals, error);
    report_free(run.report);
    free(run.outcomes);
    job_slots_destroy(&run.slots);
    *status = good ? totals.worst : SCRIPT_ERROR;
    if (good && options->filter != NULL && !options->list && is_empty(&totals)) {
        /* A slip in the pattern must not look like success. */
        *status = SCRIPT_USAGE;
        return error_set(error, "--filter: no test has a name with '%s'", options->filter);
    }
    return good;
}

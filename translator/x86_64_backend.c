/* The x86-64 backend: its buffer, from lifted block to host code, running it and joining blocks. */
#define _GNU_SOURCE
#include "x86_64_backend.h"
#include "x86_64_internal.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { DEFAULT_BUFFER_BYTES = 64 << 20, MINIMUM_BUFFER_BYTES = 1 << 20, BLOCK_BYTES_MAX = 256 << 10, VARIANTS_MAX = 12 };

/* The buffer is mapped twice, writable here and executable there: never both at once in one mapping. */
static bool map_buffer(X86Backend *backend, size_t bytes, Error *error) {
    int file = memfd_create("reprise-code", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, (off_t)bytes) != 0) {
        if (file >= 0)
            close(file);
        return error_set(error, "cannot make the translation buffer");
    }
    void *writable = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    void *executable = mmap(NULL, bytes, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    close(file);
    backend->buffer_bytes = bytes;
    backend->writable = writable == MAP_FAILED ? NULL : writable;
    backend->executable = executable == MAP_FAILED ? NULL : executable;
    if (backend->writable == NULL || backend->executable == NULL)
        return error_set(error, "cannot map the translation buffer (is executable memory forbidden?): try -accel interp");
    return true;
}

static void *map_table(size_t bytes) {
    void *table = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return table == MAP_FAILED ? NULL : table;
}

static bool make_tables(X86Backend *backend, Error *error) {
    backend->flag_states = flag_state_table_create();
    backend->sites = map_table(SITE_COUNT * sizeof(Site));
    backend->links = map_table(LINK_COUNT * sizeof(LinkRecord));
    backend->indirect = map_table(INDIRECT_ENTRIES * sizeof(IndirectEntry));
    backend->indirect_used = map_table(INDIRECT_ENTRIES * sizeof(uint32_t));
    if (backend->flag_states == NULL || backend->sites == NULL || backend->links == NULL || backend->indirect == NULL ||
        backend->indirect_used == NULL)
        return error_set(error, "out of memory for the tables of the translator");
    return true;
}

X86Backend *x86_backend_create(Translator *translator, Error *error) {
#if !defined(__x86_64__)
    error_set(error, "-accel jit needs an x86-64 host here: use -accel interp");
    return NULL;
#endif
    X86Backend *backend = calloc(1, sizeof(*backend));
    if (backend == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    size_t bytes = translator->options.buffer_bytes;
    if (bytes == 0)
        bytes = DEFAULT_BUFFER_BYTES;
    if (bytes < MINIMUM_BUFFER_BYTES)
        bytes = MINIMUM_BUFFER_BYTES;
    backend->translator = translator;
    if (!map_buffer(backend, bytes, error) || !make_tables(backend, error)) {
        x86_backend_destroy(backend);
        return NULL;
    }
    Assembler assembler = {.code = backend->writable, .end = backend->writable + bytes};
    x86_emit_trampolines(backend, &assembler);
    backend->start = backend->next = assembler.code;
    translator->cpu->indirect_table = backend->indirect;
    return backend;
}

static void unmap(void *address, size_t bytes) {
    if (address != NULL)
        munmap(address, bytes);
}

void x86_backend_destroy(X86Backend *backend) {
    if (backend == NULL)
        return;
    unmap(backend->writable, backend->buffer_bytes);
    unmap((void *)backend->executable, backend->buffer_bytes);
    unmap(backend->sites, SITE_COUNT * sizeof(Site));
    unmap(backend->links, LINK_COUNT * sizeof(LinkRecord));
    unmap(backend->indirect, INDIRECT_ENTRIES * sizeof(IndirectEntry));
    unmap(backend->indirect_used, INDIRECT_ENTRIES * sizeof(uint32_t));
    flag_state_table_destroy(backend->flag_states);
    free(backend);
}

void x86_backend_forget_indirect(X86Backend *backend) {
    for (uint32_t i = 0; i < backend->indirect_used_count; i++)
        backend->indirect[backend->indirect_used[i]] = (IndirectEntry){0};
    backend->indirect_used_count = 0;
}

void x86_backend_reset(X86Backend *backend) {
    backend->next = backend->start;
    backend->site_count = backend->link_count = 0;
    flag_state_table_clear(backend->flag_states);
    x86_backend_forget_indirect(backend);
}

size_t x86_backend_buffer_used(const X86Backend *backend) { return (size_t)(backend->next - backend->writable); }

/* --- translating --- */

static void begin(Translation *translation, X86Backend *backend, const BlockKey *key) {
    memset(translation, 0, offsetof(Translation, slow));
    translation->slow_count = translation->stub_count = translation->link_count = 0;
    translation->failed = false;
    translation->backend = backend;
    translation->lifted = &backend->translator->lifted;
    translation->context = context_table_get(backend->translator->contexts, key->context);
    translation->key = *key;
    translation->assembler = (Assembler){.code = backend->next, .end = backend->writable + backend->buffer_bytes};
    translation->link_first = backend->link_count;
    translation->flags = *flag_state_get(backend->flag_states, key->flag_state);
    translation->located = FLAG_GROUP_ALL;
    translation->uop = &translation->lifted->uop[0];
}

static void emit_block(Translation *translation) {
    x86_emit_poll(translation);
    const UopBlock *lifted = translation->lifted;
    for (unsigned i = 0; i < lifted->uop_count && !translation->failed; i++) {
        translation->uop = &lifted->uop[i];
        x86_emit_uop(translation, translation->uop);
    }
    x86_emit_slow_paths(translation);
    x86_emit_stubs(translation);
}

static Block *enter_block(Translation *translation) {
    X86Backend *backend = translation->backend;
    Translator *translator = backend->translator;
    const UopBlock *lifted = translation->lifted;
    bool page_is_new;
    Block *block = block_cache_add(translator->cache, &translation->key, lifted->next_eip - lifted->eip,
                                   translation->link_count, &page_is_new);
    if (page_is_new)
        tlb_drop_page_writes(&translator->cpu->tlb, translation->key.physical >> PAGE_BITS);
    block->insn_count = lifted->insn_count;
    block->host_code = x86_executable(backend, backend->next);
    for (unsigned i = 0; i < translation->link_count; i++)
        backend->links[translation->link_first + i].block = block;
    for (unsigned i = 0; i < translation->stub_count; i++) {
        const Stub *stub = &translation->stub[i];
        if ((stub->leave & 0xFF) == LEAVE_LINK)
            block->links[backend->links[stub->leave >> 8].index].site = stub->jump_site;
    }
    translator->counters.host_bytes += (uint64_t)(translation->assembler.code - backend->next);
    backend->next = translation->assembler.code;
    return block;
}

static bool is_nearly_full(const X86Backend *backend) {
    return backend->next + BLOCK_BYTES_MAX > backend->writable + backend->buffer_bytes ||
           backend->site_count + SLOW_PATH_MAX > SITE_COUNT || backend->link_count + STUB_MAX > LINK_COUNT;
}

Block *x86_backend_translate(Translator *translator, const BlockKey *key) {
    X86Backend *backend = translator->x86;
    Translation *translation = &translator->x86_translation->translation;
    if (is_nearly_full(backend)) {
        backend->full = true;
        return NULL;
    }
    begin(translation, backend, key);
    emit_block(translation);
    if (translation->failed || translation->assembler.overflow) {
        backend->full = true;
        return NULL;
    }
    return enter_block(translation);
}

; What kernels do with address spaces: CR3 loaded in turns of two page directories, with global pages for
; the kernel; page-table entries changed and INVLPG; pages touched after each.

%define BENCHMARK_NAME "address_spaces"
%include "bench32.inc"
        cpu     686

SECOND_DIRECTORY        equ     1F0000h
FIRST_TABLE             equ     1F1000h         ; for the user's pages in each directory
SECOND_TABLE            equ     1F2000h
USER                    equ     40000000h
USER_PAGES              equ     16
PAGE_GLOBAL             equ     100h
CR4_GLOBAL              equ     80h
ROUNDS                  equ     REPETITIONS(130000)

benchmark:
        call    make_directories
        xor     ebx, ebx
        mov     edi, ROUNDS
.round:
        mov     eax, PAGE_DIRECTORY
        mov     cr3, eax
        call    touch_user
        mov     eax, SECOND_DIRECTORY
        mov     cr3, eax
        call    touch_user
        call    change_pages
        dec     edi
        jnz     .round
        mov     eax, ebx
        ret

make_directories:
        mov     edi, PAGE_TABLES                ; of the kernel's 16 MiB: global
        mov     ecx, IDENTITY_PAGES
.global:
        or      dword [edi], PAGE_GLOBAL
        add     edi, 4
        dec     ecx
        jnz     .global
        mov     esi, PAGE_DIRECTORY
        mov     edi, SECOND_DIRECTORY
        mov     ecx, PAGE_SIZE / 4
        rep movsd
        mov     dword [PAGE_DIRECTORY + (USER >> 20)], FIRST_TABLE | PAGE_PRESENT | PAGE_WRITABLE
        mov     dword [SECOND_DIRECTORY + (USER >> 20)], SECOND_TABLE | PAGE_PRESENT | PAGE_WRITABLE
        mov     edi, FIRST_TABLE
        mov     eax, ARENA | PAGE_PRESENT | PAGE_WRITABLE
        call    .fill
        mov     edi, SECOND_TABLE
        call    .fill
        mov     eax, cr4
        or      eax, CR4_GLOBAL
        mov     cr4, eax
        ret
.fill:  mov     ecx, PAGE_SIZE / 4
.entry: stosd
        add     eax, PAGE_SIZE
        dec     ecx
        jnz     .entry
        ret

; Reads and writes user pages and some of the kernel's.
touch_user:
        mov     esi, USER
        mov     ecx, USER_PAGES
.page:  mov     eax, [esi + ecx * 4]
        add     eax, edi
        mov     [esi + ecx * 4], eax
        add     ebx, eax
        add     esi, PAGE_SIZE
        dec     ecx
        jnz     .page
        mov     eax, [kernel_counter]
        add     [ARENA + 900000h], eax
        inc     dword [kernel_counter]
        rol     ebx, 1
        ret

; Exchanges the frames of two pages, four times.
change_pages:
        mov     ecx, 4
.pair:  lea     edx, [ecx + ecx]
        mov     eax, [SECOND_TABLE + edx * 4]
        xchg    eax, [SECOND_TABLE + edx * 4 + 4]
        mov     [SECOND_TABLE + edx * 4], eax
        mov     esi, edx
        shl     esi, 12
        invlpg  [USER + esi]
        invlpg  [USER + PAGE_SIZE + esi]
        add     ebx, [USER + esi]
        dec     dword [USER + PAGE_SIZE + esi]
        dec     ecx
        jnz     .pair
        ret

        NEW_PAGE
kernel_counter          dd      0

%include "image_end.inc"

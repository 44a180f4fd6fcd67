; Real mode: insertion sort and Shell sort of words that lie on the page of the code.

%define BENCHMARK_NAME "real_sort"
%include "bench16.inc"

COUNT                   equ     1024
ROUNDS                  equ     REPETITIONS(125)

        bits    16
benchmark:
        mov     word [rounds_left], ROUNDS
        mov     dword [seed], 4711
        mov     dword [checksum], 0
.round:
        call    fill
        call    shell_sort
        call    add_checksum
        dec     word [rounds_left]
        jnz     .round
        mov     eax, [checksum]
        ret

fill:
        xor     bx, bx
.next:  mov     eax, [seed]
        RANDOM_NEXT eax
        mov     [seed], eax
        shr     eax, 16
        mov     [numbers + bx], ax
        add     bx, 2
        cmp     bx, COUNT * 2
        jb      .next
        ret

; Gaps of 512, 256 ... 1 numbers; the last pass is a plain insertion sort.
shell_sort:
        mov     word [gap], COUNT
.pass:  mov     si, [gap]                       ; byte offset of the first number to insert
.insert:
        mov     di, si
        mov     ax, [numbers + si]
.shift: mov     bx, di
        sub     bx, [gap]
        jc      .place
        mov     dx, [numbers + bx]
        cmp     dx, ax
        jbe     .place
        mov     [numbers + di], dx
        mov     di, bx
        jmp     .shift
.place: mov     [numbers + di], ax
        add     si, 2
        cmp     si, COUNT * 2
        jb      .insert
        shr     word [gap], 1
        cmp     word [gap], 1
        ja      .pass
        ret

add_checksum:
        mov     eax, [checksum]
        mov     si, numbers
        mov     cx, COUNT
.next:  movzx   edx, word [si]
        rol     eax, 3
        add     eax, edx
        add     si, 2
        loop    .next
        mov     [checksum], eax
        ret

        align   4
seed                    dd      0
checksum                dd      0
gap                     dw      0
rounds_left             dw      0
numbers                 times   COUNT dw 0
        times   STACK_LIMIT - BOOT_SECTOR_ADDRESS - ($ - $$) db 0

%include "image_end.inc"

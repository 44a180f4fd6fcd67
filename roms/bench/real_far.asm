; Real mode: a program in several code segments. Far calls, direct, through a table and through a
; pointer, with arguments that the callee removes, frames by ENTER and LEAVE, and recursion.

%define BENCHMARK_NAME "real_far"
%include "bench16.inc"

; The module's code is copied to these segments: three copies, each with its own address.
MODULES                 equ     3
MODULE_SEGMENT          equ     3000h
MODULE_STEP             equ     100h
ROUNDS                  equ     REPETITIONS(9000)

        bits    16
benchmark:
        call    load_modules
        mov     dword [rounds_left], ROUNDS
        xor     ebp, ebp                        ; checksum
.round:
        mov     bx, [rounds_left]
        push    bx
        push    word 77
        call    MODULE_SEGMENT:module_mix - module
        movzx   eax, ax
        add     ebp, eax
        push    ax
        push    bx
        call    far [far_table + 4]
        movzx   eax, ax
        rol     ebp, 3
        xor     ebp, eax
        mov     si, bx
        and     si, 1
        shl     si, 2
        push    word 9
        call    far [far_table + 8 + si]        ; to either of two
        movzx   eax, ax
        add     ebp, eax
        dec     dword [rounds_left]
        jnz     .round
        mov     eax, ebp
        ret

load_modules:
        push    es
        mov     ax, MODULE_SEGMENT
        mov     dx, MODULES
.module:
        mov     es, ax
        mov     si, module
        xor     di, di
        mov     cx, module_end - module
        rep movsb
        add     ax, MODULE_STEP
        dec     dx
        jnz     .module
        pop     es
        ret

; Functions of words on the stack, far, that remove their arguments.
module:
module_mix:
        enter   4, 0
        push    bx
        mov     ax, [bp + 6]
        mov     bx, [bp + 8]
        mov     [bp - 2], ax
        imul    ax, bx
        mov     [bp - 4], ax
        push    cs
        call    module_rotate                   ; near, and returns far
        xor     ax, [bp - 2]
        pop     bx
        leave
        retf    4

; AX = AX rotated by 5.
module_rotate:
        rol     ax, 5
        retf

; Fibonacci numbers by calls within the segment that push CS, as compilers made them.
module_fibonacci:
        push    bp
        mov     bp, sp
        mov     ax, [bp + 6]
        cmp     ax, 2
        jb      .done
        dec     ax
        push    ax
        push    cs
        call    module_fibonacci
        push    ax
        mov     ax, [bp + 6]
        sub     ax, 2
        push    ax
        push    cs
        call    module_fibonacci
        pop     dx
        add     ax, dx
.done:  pop     bp
        retf    2
module_end:

        align   4
rounds_left             dd      0
far_table               dw      module_mix - module, MODULE_SEGMENT
                        dw      module_mix - module, MODULE_SEGMENT + MODULE_STEP
                        dw      module_fibonacci - module, MODULE_SEGMENT + MODULE_STEP
                        dw      module_fibonacci - module, MODULE_SEGMENT + 2 * MODULE_STEP
        times   STACK_LIMIT - BOOT_SECTOR_ADDRESS - ($ - $$) db 0

%include "image_end.inc"

; Real mode: software interrupts, to a handler of our own beside the code and to the BIOS, far
; calls, PUSHF/POPF, and flags returned on the interrupt's stack frame. What the BIOS answers is not
; part of the checksum, since it depends on the machine.

%define BENCHMARK_NAME "real_calls"
%include "bench16.inc"

OWN_VECTOR              equ     60h
ROUNDS                  equ     REPETITIONS(15000)

        bits    16
benchmark:
        cli
        mov     word [OWN_VECTOR * 4], own_handler
        mov     word [OWN_VECTOR * 4 + 2], 0
        sti
        mov     dword [rounds_left], ROUNDS
        mov     dword [total], 0
        mov     di, 12345
.round:
        mov     ax, di
        mov     cx, 5
        int     OWN_VECTOR                      ; CF comes back as the answer
        sbb     dx, dx
        add     [total], ax
        add     [total + 2], dx
        mov     bx, ax
        call    0:far_procedure
        xor     [total], ax
        mov     ah, 03h                         ; where is the cursor
        xor     bh, bh
        int     10h
        mov     ah, 12h                         ; the shift keys
        int     16h
        int     11h                             ; the equipment list
        int     12h                             ; the memory's size
        add     di, 641
        dec     dword [rounds_left]
        jnz     .round
        mov     eax, [total]
        ret

; AX = AX rotated left CX times; CF = its parity.
own_handler:
        push    bp
        mov     bp, sp
        rol     ax, cl
        and     byte [bp + 6], 0FEh             ; the caller's flags
        mov     dl, al
        xor     dl, ah
        jnp     .done
        or      byte [bp + 6], 1
.done:  pop     bp
        iret

far_procedure:
        pushf
        cli
        xchg    bl, bh
        lea     ax, [bx + di]
        popf
        retf

        align   4
rounds_left             dd      0
total                   dd      0
        times   STACK_LIMIT - BOOT_SECTOR_ADDRESS - ($ - $$) db 0

%include "image_end.inc"

; Copying on a hard disk by programmed input and output: READ and WRITE MULTIPLE, polled, with REP INSW
; and OUTSW.

%define BENCHMARK_NAME "ide_pio"
%include "bench32.inc"
%include "ide.inc"

ROUNDS                  equ     REPETITIONS(30)
READ_MULTIPLE           equ     0C4h
WRITE_MULTIPLE          equ     0C5h
SET_MULTIPLE            equ     0C6h
BLOCK_SECTORS           equ     16

benchmark:
        mov     edx, IDE_CONTROL
        mov     al, IDE_NO_INTERRUPT
        out     dx, al
        mov     bx, BLOCK_SECTORS << 8 | SET_MULTIPLE
        xor     ecx, ecx
        call    ide_command
        call    ide_fill_disk
        xor     esi, esi                        ; checksum
        mov     dword [rounds_left], ROUNDS
        xor     ebp, ebp
.round: call    ide_copy
        xor     ebp, IDE_TARGET
        dec     dword [rounds_left]
        jnz     .round
        mov     eax, esi
        ret

; Reads IDE_AT_ONCE sectors from ECX on into the buffer.
ide_read_buffer:
        mov     bx, IDE_AT_ONCE << 8 | READ_MULTIPLE
        call    ide_command
        mov     edi, IDE_BUFFER
        mov     ebx, IDE_AT_ONCE / BLOCK_SECTORS
.block: call    ide_wait_for_data
        mov     ecx, BLOCK_SECTORS * SECTOR_SIZE / 2
        mov     edx, IDE_DATA
        rep insw
        dec     ebx
        jnz     .block
        ret

; Writes the buffer to the sectors from ECX on. ECX is kept.
ide_write_buffer:
        push    ecx
        push    esi
        mov     bx, IDE_AT_ONCE << 8 | WRITE_MULTIPLE
        call    ide_command
        mov     esi, IDE_BUFFER
        mov     ebx, IDE_AT_ONCE / BLOCK_SECTORS
.block: call    ide_wait_for_data
        mov     ecx, BLOCK_SECTORS * SECTOR_SIZE / 2
        mov     edx, IDE_DATA
        rep outsw
        dec     ebx
        jnz     .block
        pop     esi
        pop     ecx
        ret

ide_wait_for_data:
        call    ide_wait
        test    al, IDE_REQUEST
        jz      ide_wait_for_data
        ret

        NEW_PAGE
rounds_left             dd      0

%include "image_end.inc"

; Protected mode with 32-bit segments whose bases are not zero, as DJGPP's programs and Win32s have them:
; hashing, a list and a sort through DS, ES and SS of one base, FS and GS of others, and far calls.

%define BENCHMARK_NAME "segments32"
%include "bench32.inc"

OWN_CODE                equ     28h
OWN_DATA                equ     30h
OWN_FS                  equ     38h
OWN_GS                  equ     40h
DATA_BASE               equ     ARENA + 10h
FS_BASE                 equ     ARENA + 100020h
GS_BASE                 equ     ARENA + 200000h - 4
WORDS                   equ     4096
STACK_OFFSET            equ     80000h
ROUNDS                  equ     REPETITIONS(2600)

%define ADDRESS(label) (BOOT_SECTOR_ADDRESS + ((label) - $$))

; A 32-bit segment of 4 GiB: base, access.
%macro DESCRIPTOR32 2
        dw      0FFFFh, (%1) & 0FFFFh
        db      (%1) >> 16 & 0FFh, %2, 0CFh, (%1) >> 24
%endmacro

own_gdt:
        dq      0, 00CF9B000000FFFFh, 00CF93000000FFFFh, 00009B000000FFFFh, 000093000000FFFFh
        DESCRIPTOR32 ADDRESS(code32), 9Ah
        DESCRIPTOR32 DATA_BASE, 92h
        DESCRIPTOR32 FS_BASE, 92h
        DESCRIPTOR32 GS_BASE, 92h
own_gdt_end:
own_gdt_register:
        dw      own_gdt_end - own_gdt - 1
        dd      own_gdt

benchmark:
        lgdt    [own_gdt_register]
        mov     ecx, ROUNDS
        call    OWN_CODE:0
        ret

        align   16
; Called far; all within it is addressed from here. In: ECX = rounds. Out: EAX = the checksum.
code32:
        cli                                     ; the handlers want the flat segments
        mov     ebx, esp
        mov     ax, OWN_DATA
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     esp, STACK_OFFSET
        mov     ax, OWN_FS
        mov     fs, ax
        mov     ax, OWN_GS
        mov     gs, ax
        push    ebx
        xor     ebp, ebp
.round:
        push    ecx
        call    fill
        call    hash
        call    insert
        call    count
        pop     ecx
        dec     ecx
        jnz     .round
        pop     ebx
        mov     ax, SELECTOR_DATA32
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     fs, ax
        mov     gs, ax
        mov     esp, ebx
        mov     eax, ebp
        sti
        retf

; In: [ESP + 4] = a seed.
fill:
        mov     eax, [esp + 4]
        mov     edi, 1000h
        mov     ecx, WORDS
.next:  RANDOM_NEXT eax
        stosd
        mov     [gs:edi], eax
        dec     ecx
        jnz     .next
        ret

hash:
        mov     esi, 1000h
        mov     ecx, WORDS * 4
        mov     eax, 811C9DC5h
.next:  movzx   edx, byte [esi]
        inc     esi
        xor     eax, edx
        imul    eax, eax, 16777619
        dec     ecx
        jnz     .next
        add     ebp, eax
        ret

; Insertion sort of 16 words at a time, through a frame.
insert:
        push    ebp
        mov     ebp, esp
        sub     esp, 8
        mov     dword [ebp - 4], 1000h
        mov     dword [ebp - 8], WORDS / 16
.part:  mov     esi, 4
.next:  mov     ebx, [ebp - 4]
        mov     eax, [ebx + esi]
        mov     edi, esi
.shift: mov     edx, [ebx + edi - 4]
        cmp     edx, eax
        jbe     .place
        mov     [ebx + edi], edx
        sub     edi, 4
        jnz     .shift
.place: mov     [ebx + edi], eax
        add     esi, 4
        cmp     esi, 64
        jb      .next
        add     dword [ebp - 4], 64
        dec     dword [ebp - 8]
        jnz     .part
        leave
        ret

; A histogram through FS of the bytes that are found through GS.
count:
        mov     esi, 1000h
        mov     ecx, WORDS
.next:  movzx   edx, byte [gs:esi]
        add     dword [fs:edx * 4], ecx
        add     ebp, [esi]
        add     esi, 4
        dec     ecx
        jnz     .next
        rol     ebp, 1
        add     ebp, [fs:128]
        ret

%include "image_end.inc"

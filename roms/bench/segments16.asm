; Protected mode with 16-bit segments, as DOS extenders and Windows 3 have it: code, data, a second data
; segment and the stack with bases of their own, selectors loaded all the time, far calls to a second
; code segment.

%define BENCHMARK_NAME "segments16"
%include "bench32.inc"

; Selectors, after those of protected_mode.inc.
OWN_CODE                equ     28h
OWN_FAR_CODE            equ     30h
OWN_DATA                equ     38h
OWN_EXTRA               equ     40h
OWN_STACK               equ     48h
; Segment of each: none begins at the start of a page.
DATA_BASE               equ     ARENA + 120h
EXTRA_BASE              equ     ARENA + 20340h
STACK_BASE              equ     ARENA + 40560h
NUMBERS                 equ     512             ; words in the data segment
TABLE                   equ     4000h           ; far pointers there
RECORDS                 equ     64
ROUNDS                  equ     REPETITIONS(60000)

%define ADDRESS(label) (BOOT_SECTOR_ADDRESS + ((label) - $$))

; A 16-bit segment of 64 KiB: base, access.
%macro DESCRIPTOR16 2
        dw      0FFFFh, (%1) & 0FFFFh
        db      (%1) >> 16 & 0FFh, %2, 0, (%1) >> 24
%endmacro

own_gdt:
        dq      0, 00CF9B000000FFFFh, 00CF93000000FFFFh, 00009B000000FFFFh, 000093000000FFFFh
        DESCRIPTOR16 ADDRESS(code16), 9Ah
        DESCRIPTOR16 ADDRESS(far_code16), 9Ah
        DESCRIPTOR16 DATA_BASE, 92h
        DESCRIPTOR16 EXTRA_BASE, 92h
        DESCRIPTOR16 STACK_BASE, 92h
own_gdt_end:
own_gdt_register:
        dw      own_gdt_end - own_gdt - 1
        dd      own_gdt

benchmark:
        cli                                     ; IRQ handlers here want a 32-bit stack
        lgdt    [own_gdt_register]
        mov     edi, DATA_BASE
        mov     ecx, 10000h / 4
        xor     eax, eax
        rep stosd
        mov     ecx, ROUNDS
        mov     [flat_stack], esp
        call    OWN_CODE:0
        ret

        align   16
        bits    16
; Called from 32-bit code, and returns to it. In: ECX = rounds. Out: EAX = the checksum.
code16:
        mov     ax, OWN_STACK
        mov     ss, ax
        mov     sp, 0FFF0h
        mov     ax, OWN_DATA
        mov     ds, ax
        mov     ax, OWN_EXTRA
        mov     es, ax
        mov     [0], ecx                        ; rounds left
        xor     ebp, ebp
.round:
        call    fill_numbers
        call    sort_numbers
        call    copy_numbers
        call    walk_records
        mov     eax, [0]
        push    ax
        call    OWN_FAR_CODE:0
        movzx   eax, ax
        add     ebp, eax
        dec     dword [0]
        jnz     .round
        mov     ax, SELECTOR_DATA32
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     esp, [dword flat_stack]
        sub     esp, 8
        mov     eax, ebp
        o32 retf

fill_numbers:
        mov     ax, [0]
        mov     bx, 16
        mov     cx, NUMBERS
.next:  imul    ax, ax, 20077
        add     ax, 12345
        mov     [bx], ax
        add     bx, 2
        loop    .next
        ret

; One pass of a Shell sort with the gap of 64 words, then a sum by BP frames.
sort_numbers:
        mov     si, 16 + 128
.insert:
        mov     di, si
        mov     ax, [si]
.shift: cmp     [di - 128], ax
        jbe     .place
        mov     dx, [di - 128]
        mov     [di], dx
        sub     di, 128
        cmp     di, 16 + 128
        jae     .shift
.place: mov     [di], ax
        add     si, 2
        cmp     si, 16 + NUMBERS * 2
        jb      .insert
        push    word NUMBERS
        push    word 16
        call    sum_words
        movzx   eax, ax
        rol     ebp, 1
        add     ebp, eax
        ret

; AX = a sum that depends on the order of the words at [BP + 4], [BP + 6] of them.
sum_words:
        push    bp
        mov     bp, sp
        sub     sp, 2
        mov     word [bp - 2], 0
        mov     bx, [bp + 4]
        mov     cx, [bp + 6]
.next:  mov     ax, [bp - 2]
        rol     ax, 1
        add     ax, [bx]
        mov     [bp - 2], ax
        add     bx, 2
        loop    .next
        mov     ax, [bp - 2]
        mov     sp, bp
        pop     bp
        ret     4

copy_numbers:
        mov     si, 16
        mov     di, 200h
        mov     cx, NUMBERS
        rep movsw
        mov     cx, 32
        mov     si, 200h
.mark:  es lodsw
        mov     [es:si + 600h], ax
        loop    .mark
        ret

; Records in both data segments, by far pointers that are made here and loaded by LES and LDS.
walk_records:
        mov     bx, TABLE
        mov     cx, RECORDS
        mov     ax, 100h
.make:  mov     [bx], ax
        mov     word [bx + 2], OWN_EXTRA
        test    cl, 1
        jz      .even
        mov     word [bx + 2], OWN_DATA
.even:  add     ax, 6
        add     bx, 4
        loop    .make
        push    es
        mov     bx, TABLE
        mov     cx, RECORDS
.walk:  les     di, [bx]
        mov     ax, [es:di]
        inc     word [es:di + 2]
        movzx   eax, ax
        add     ebp, eax
        push    ds
        lds     si, [bx]
        add     [si + 4], ax
        pop     ds
        add     bx, 4
        loop    .walk
        pop     es
        ret
code16_end:

        align   16
; The other code segment: a far procedure with a word on the stack that it removes.
far_code16:
        push    bp
        mov     bp, sp
        mov     ax, [bp + 6]
        mov     cx, 40
.next:  imul    ax, ax, 25
        add     ax, cx
        push    ax
        call    .mix
        loop    .next
        pop     bp
        retf    2
.mix:   push    bp
        mov     bp, sp
        mov     ax, [bp + 4]
        xchg    al, ah
        pop     bp
        ret     2

        bits    32
        NEW_PAGE
flat_stack              dd      0

%include "image_end.inc"

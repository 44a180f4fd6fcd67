; The FPU as a part of the system: which of CR0 and CR4 stop whom, errors as #MF and by IRQ 13, #XM,
; and the formats of state images. SDM vol. 1 chapter 8 and appendix D, vol. 3A 2.5, 13.1.

%include "harness.inc"

XM              equ     19
CR0_MP          equ     2
CR0_EM          equ     4
CR0_TS          equ     8
CR0_NE          equ     20h
CR4_OSFXSR      equ     200h
CR4_OSXMMEXCPT  equ     400h
FPU_PORT        equ     0F0h
SLAVE_BASE      equ     58h
FPU_VECTOR      equ     SLAVE_BASE + 5
PROGRAM         equ     6000h                   ; segment of the v8086 program
PROGRAM_AT      equ     60000h
IMAGE           equ     100h                    ; in it
UNMASK_ZERO     equ     37Bh
MXCSR_UNMASK    equ     1D80h                   ; divide by zero

        bits    32

; CR0 with the bits given, of MP, EM, TS and NE.
%macro SET_CR0 1
        mov     eax, cr0
        and     eax, ~(CR0_MP | CR0_EM | CR0_TS | CR0_NE)
        or      eax, %1
        mov     cr0, eax
%endmacro

; 1 / 0, which leaves an exception pending.
%macro MAKE_PENDING 0
        fninit
        fldcw   [unmask_zero]
        fld1
        fldz
%%fail: fdivp   st1, st0
        mov     dword [failed_at], %%fail
%endmacro

; An instruction of each kind under the present CR0: its exception, or NOTHING.
%macro EXPECT_EITHER 2+                         ; address of the vector, instruction
        ATTEMPT
        %2
        ATTEMPT_END
        CHECK   [seen_vector], [%1]
%endmacro

test:
        mov     eax, cr4
        or      eax, CR4_OSFXSR | CR4_OSXMMEXCPT
        mov     cr4, eax
        fninit
        call    test_control_bits
        call    test_osfxsr
        call    test_native_errors
        call    test_simd_errors
        call    test_interrupt_13
        call    test_images
        ret

test_control_bits:
        TEST    "EM, MP and TS"
        xor     esi, esi                        ; MP, EM, TS in bits 0 to 2
.next:  lea     edx, [2 * esi]
        mov     dword [wait_vector], NOTHING
        mov     dword [escape_vector], NOTHING
        mov     dword [vector_vector], NOTHING
        mov     ecx, edx
        and     ecx, CR0_MP | CR0_TS
        cmp     ecx, CR0_MP | CR0_TS
        jne     .wait_runs
        mov     dword [wait_vector], NM
.wait_runs:
        test    edx, CR0_TS
        jz      .not_switched
        mov     dword [escape_vector], NM
        mov     dword [vector_vector], NM
.not_switched:
        test    edx, CR0_EM
        jz      .no_emulation
        mov     dword [escape_vector], NM
        mov     dword [vector_vector], UD
.no_emulation:
        SET_CR0 edx
        EXPECT_EITHER wait_vector, fwait
        EXPECT_EITHER escape_vector, fnop
        EXPECT_EITHER escape_vector, fnstsw ax
        EXPECT_EITHER escape_vector, fninit
        EXPECT_EITHER escape_vector, fxsave [fx_area]
        EXPECT_EITHER escape_vector, fxrstor [fx_area]
        EXPECT_EITHER vector_vector, paddb mm0, mm0
        EXPECT_EITHER vector_vector, emms
        EXPECT_EITHER vector_vector, addps xmm0, xmm0
        EXPECT_EITHER vector_vector, cvtpi2ps xmm0, mm0
        EXPECT_EITHER vector_vector, stmxcsr [scratch]
        ; No state of theirs: nothing stops them.
        movnti  [scratch], eax
        sfence
        prefetchnta [scratch]
        inc     esi
        cmp     esi, 8
        jb      .next
        clts
        SET_CR0 0
        ret

test_osfxsr:
        TEST    "OSFXSR"
        mov     eax, cr4
        and     eax, ~CR4_OSFXSR
        mov     cr4, eax
        EXPECT  UD, 0, addps xmm0, xmm0
        EXPECT  UD, 0, movups xmm0, [scratch]
        EXPECT  UD, 0, cvtpi2ps xmm0, mm0
        EXPECT  UD, 0, cvttps2pi mm0, xmm0
        EXPECT  UD, 0, ldmxcsr [mxcsr_reset]
        EXPECT  UD, 0, maskmovdqu xmm0, xmm0
        paddb   mm0, mm0                        ; of MMX, whatever came with SSE, are not concerned
        pavgb   mm0, mm0
        paddq   mm0, mm0
        emms
        fxsave  [fx_area]
        movnti  [scratch], eax
        mov     eax, cr4
        or      eax, CR4_OSFXSR
        mov     cr4, eax
        ret

test_native_errors:
        TEST    "#MF"
        SET_CR0 CR0_NE
        MAKE_PENDING
        fnstsw  ax                              ; those that do not wait
        and     eax, 0C7FFh                     ; without TOP
        CHECK   eax, 8084h
        fnstcw  [scratch]
        addps   xmm0, xmm0                      ; SSE has nothing to do with it
        movd    xmm0, eax
        fxsave  [fx_area]
        EXPECT  MF, 0, fwait
        EXPECT  MF, 0, fld1
        EXPECT  MF, 0, fnop
        EXPECT  MF, 0, fldcw [mask_all]
        EXPECT  MF, 0, fincstp
        EXPECT  MF, 0, paddb mm0, mm0
        EXPECT  MF, 0, emms
        EXPECT  MF, 0, cvtpi2ps xmm0, mm0
        fnstenv [image]                         ; masks everything afterwards
        fwait
        mov     eax, [failed_at]
        CHECK   [image + 12], eax
        movzx   eax, word [image + 18]          ; of the instruction that met it, on every model
        CHECK   eax, 6F9h
        fnclex
        MAKE_PENDING
        fnsave  [image]                         ; and this one initialises
        fwait
        movzx   eax, word [image + 4]
        and     eax, 0C7FFh
        CHECK   eax, 8084h
        fnstcw  [scratch]
        movzx   eax, word [scratch]
        CHECK   eax, 37Fh
        ATTEMPT                                 ; FRSTOR brings the error back
        frstor  [image]
        fwait
        ATTEMPT_END
        CHECK   [seen_vector], MF
        fninit
        fwait
        MAKE_PENDING
        fnclex
        fld1                                    ; nothing is left of it
        fninit
        ret

test_simd_errors:
        TEST    "#XM"
        ldmxcsr [mxcsr_unmask]
        movaps  xmm0, [ones]
        xorps   xmm1, xmm1
        EXPECT  XM, 0, divps xmm0, xmm1
        movd    eax, xmm0
        CHECK   eax, 3F800000h                  ; as it was
        stmxcsr [scratch]
        CHECK   [scratch], MXCSR_UNMASK | 4
        mov     eax, cr4
        and     eax, ~CR4_OSXMMEXCPT
        mov     cr4, eax
        EXPECT  UD, 0, divps xmm0, xmm1
        mov     eax, cr4
        or      eax, CR4_OSXMMEXCPT
        mov     cr4, eax
        ldmxcsr [mxcsr_reset]
        divps   xmm0, xmm1
        movd    eax, xmm0
        CHECK   eax, 7F800000h
        ret

; As DOS has it: FERR#, IRQ 13, and a handler that writes to port F0h.
test_interrupt_13:
        TEST    "IRQ 13"
        SET_CR0 0
        START_8259 MASTER_8259, 50h, SLAVE_ON_IRQ_2, ~4 & 0FFh
        START_8259 SLAVE_8259, SLAVE_BASE, SLAVE_IS_2, ~20h & 0FFh    ; IRQ 13 alone
        HANDLER FPU_VECTOR, fpu_interrupt
        mov     dword [interrupts], 0
        sti
        MAKE_PENDING
        fnstsw  ax                              ; does not wait, and needs no interrupt
        nop
.waits: fwait                                   ; here it comes
        CHECK   [interrupts], 1
        CHECK   [interrupted_at], .waits
        fnstsw  ax
        and     eax, 0C0FFh
        CHECK   eax, 0
        fld1
        CHECK   [interrupts], 1
        ; An MMX instruction waits for it, too.
        MAKE_PENDING
.mmx:   paddb   mm0, mm0
        CHECK   [interrupts], 2
        CHECK   [interrupted_at], .mmx
        cli
        HANDLER FPU_VECTOR, 0
        mov     al, 0FFh
        out     21h, al
        out     0A1h, al
        fninit
        ret

fpu_interrupt:
        push    eax
        inc     dword [interrupts]
        mov     eax, [esp + 12]
        mov     [interrupted_at], eax
        out     FPU_PORT, al                    ; IGNNE#: the handler may use the FPU
        fld1
        fstp    st0
        fwait
        fnclex
        mov     al, 20h
        out     0A0h, al
        out     20h, al
        pop     eax
        add     esp, 8
        iretd

; FLDENV of a known image, then FNSTENV in each format: SDM vol. 1 figures 8-9 to 8-12.
test_images:
        TEST    "formats of images"
        fldenv  [known_image]
        o16 fnstenv [image]
        fldenv  [known_image]
        fnstenv [image + 16]
        mov     esi, protected_16
        mov     edi, image
        mov     ecx, 14 / 2
.words: movzx   eax, word [esi]
        movzx   edx, word [edi]
        CHECK   edx, eax
        add     esi, 2
        add     edi, 2
        loop    .words
        mov     esi, known_image
        mov     edi, image + 16
        mov     ecx, 7
.dwords:
        CHECK   [edi], [esi]
        add     esi, 4
        add     edi, 4
        loop    .dwords
        TEST    "formats of images in v8086 mode"
        mov     esi, v8086_program
        mov     edi, PROGRAM_AT
        mov     ecx, v8086_program_end - v8086_program
        rep     movsb
        fldenv  [known_image]
        RUN_V8086 PROGRAM, 0
        CHECK   [seen_vector], GP               ; its HLT
        mov     esi, real_16
        mov     edi, PROGRAM_AT + IMAGE
        mov     ecx, 14 / 2
.real_words:
        movzx   eax, word [esi]
        movzx   edx, word [edi]
        CHECK   edx, eax
        add     esi, 2
        add     edi, 2
        loop    .real_words
        mov     esi, real_32
        mov     edi, PROGRAM_AT + IMAGE + 16
        mov     ecx, 7
.real_dwords:
        CHECK   [edi], [esi]
        add     esi, 4
        add     edi, 4
        loop    .real_dwords
        ; What v8086 mode loaded again: an address, and no selectors.
        fnstenv [image]
        CHECK   [image + 12], 123458A8h
        CHECK   [image + 16], 051D0000h
        CHECK   [image + 20], 9ABCE1A0h
        CHECK   [image + 24], 0FFFF0000h
        fninit
        ret

        bits    16
v8086_program:
        o16 fnstenv [IMAGE]
        o32 fnstenv [IMAGE + 16]
        o32 fldenv [IMAGE + 16]
        hlt
v8086_program_end:
        bits    32

        align   16
known_image:
        dd      0FFFF037Fh, 0FFFF0000h, 0FFFFFFFFh, 12345678h, 051D0023h, 9ABCDEF0h, 0FFFF002Bh
protected_16:
        dw      037Fh, 0, 0FFFFh, 5678h, 23h, 0DEF0h, 2Bh
; Addresses are 23h * 16 + 12345678h and 2Bh * 16 + 9ABCDEF0h.
real_16:
        dw      037Fh, 0, 0FFFFh, 58A8h, 451Dh, 0E1A0h, 0C000h
real_32:
        dd      0FFFF037Fh, 0FFFF0000h, 0FFFFFFFFh, 0FFFF58A8h, 0123451Dh, 0FFFFE1A0h, 09ABC000h
        align   16
ones:   dd      3F800000h, 3F800000h, 3F800000h, 3F800000h
mxcsr_unmask    dd      MXCSR_UNMASK
mxcsr_reset     dd      1F80h
unmask_zero     dw      UNMASK_ZERO
mask_all        dw      37Fh
wait_vector     dd      0
escape_vector   dd      0
vector_vector   dd      0
failed_at       dd      0
interrupts      dd      0
interrupted_at  dd      0
scratch         dd      0, 0, 0, 0
image           times 32 dd 0
        align   16
fx_area         times 128 dd 0

%include "image_end.inc"

; Quirks of instructions: what the manual leaves open, says elsewhere or tells otherwise than the
; silicon does. Where silicon is named it is an AMD EPYC whose 16-bit segments come from modify_ldt,
; and Bochs 2.7 does the same. What happens at the ends of segments is in segment_ends.asm, what comes
; with debug registers and TF in debug_traps.asm.

%include "harness.inc"
%include "user16.inc"

test:
        call    set_user16_descriptors
        call    test_descriptor_table_images
        call    test_stack_pointer
        call    test_push_all
        call    test_segment_to_register
        call    test_system_words
        call    test_bit_scan
        call    test_bit_strings
        call    test_shift_counts
        call    test_writes_in_any_case
        call    test_exchange_add
        call    test_address_size
        call    test_multiplication
        call    test_decimal
        call    test_flag_instructions
        call    test_division
        call    test_prefixes
        call    test_lock
        call    test_invalid_forms
        call    test_enter
        call    test_looking
        call    test_error_codes
        ret

test_descriptor_table_images:
        TEST    "SGDT and SIDT of 16 bits store the whole base, LGDT of 16 bits loads 24 bits"
        mov     dword [SCRATCH], 1234FFFFh
        mov     word [SCRATCH + 4], 89ABh
        lidt    [SCRATCH]
        o16 sidt [SCRATCH + 8]
        o16 lidt [SCRATCH]
        sidt    [SCRATCH + 16]
        lidt    [test_idt_register]
        CHECK   [SCRATCH + 10], 89AB1234h
        CHECK   [SCRATCH + 18], 00AB1234h
        ret

test_stack_pointer:
        TEST    "PUSH ESP pushes the old value, POP ESP loads what was on the stack"
        mov     ebx, esp
        push    esp
        pop     eax
        CHECK   eax, ebx
        mov     ebx, esp
        push    dword SCRATCH
        pop     esp
        mov     eax, esp
        mov     esp, ebx
        CHECK   eax, SCRATCH
        TEST    "PUSH [ESP] reads before, POP [ESP] writes after ESP moves"
        push    dword 11h
        push    dword 22h
        push    dword [esp + 4]
        pop     eax
        CHECK   eax, 11h
        pop     dword [esp]                     ; over the one above
        pop     eax
        CHECK   eax, 22h
        mov     ebx, esp
        push    dword 0
        push    dword SCRATCH
        pop     dword [esp]
        add     esp, 4
        mov     eax, esp
        CHECK   eax, ebx
        TEST    "CALL ESP-relative reads its target before it pushes"
        push    dword .target
        call    [esp]
.target:
        pop     eax
        CHECK   eax, .target
        pop     eax
        TEST    "LEAVE and ENTER of 16 bits leave the upper half of EBP"
        mov     ebx, ebp
        mov     ecx, esp
        mov     ebp, esp
        push    ebp
        mov     ebp, esp
        mov     dword [ebp], 0ABCD1234h
        o16 leave
        mov     eax, ebp
        mov     ebp, ebx
        mov     esp, ecx
        and     eax, 0FFFFh
        CHECK   eax, 1234h
        ret

test_push_all:
        TEST    "PUSHA pushes the old ESP, POPA skips it"
        mov     ebx, esp
        pushad
        mov     eax, [esp + 12]
        mov     dword [esp + 12], 0
        mov     [esp + 28], eax
        popad
        CHECK   eax, ebx
        mov     eax, esp
        CHECK   eax, ebx
        TEST    "PUSH of a segment register writes two bytes of four"
        push    dword 0AAAAAAAAh
        pop     eax
        push    es
        pop     eax
        and     eax, 0FFFF0000h
        CHECK   eax, 0AAAA0000h
        push    dword 0AAAAAAAAh
        pop     eax
        push    fs
        pop     eax
        and     eax, 0FFFF0000h
        CHECK   eax, 0AAAA0000h
        mov     ebx, esp
        push    dword 0FFFF0000h | SELECTOR_DATA32
        pop     es                              ; takes four, looks at two
        mov     eax, esp
        CHECK   eax, ebx
        ret

test_segment_to_register:
        TEST    "MOV from a segment register fills 32 bits with zeroes, 16 bits alone"
        mov     eax, -1
        mov     eax, ds
        CHECK   eax, SELECTOR_DATA32
        mov     eax, -1
        o16 mov ax, ds
        CHECK   eax, 0FFFF0000h | SELECTOR_DATA32
        mov     dword [SCRATCH], -1
        mov     [SCRATCH], ds                   ; memory: 16 bits, whatever the operand size
        CHECK   [SCRATCH], 0FFFF0000h | SELECTOR_DATA32
        ret

test_system_words:
        TEST    "SLDT, STR and SMSW to a 32-bit register"
        xor     eax, eax
        lldt    ax
        mov     eax, -1
        sldt    eax
        CHECK   eax, 0
        mov     eax, -1
        str     eax
        CHECK   eax, SELECTOR_TSS
        smsw    eax
        mov     edx, cr0
        CHECK   eax, edx
        mov     eax, -1
        o16 str ax
        CHECK   eax, 0FFFF0000h | SELECTOR_TSS
        mov     dword [SCRATCH], -1
        str     [SCRATCH]
        CHECK   [SCRATCH], 0FFFF0000h | SELECTOR_TSS
        TEST    "LMSW cannot clear PE"
        smsw    eax
        and     eax, ~1
        lmsw    ax
        mov     eax, cr0
        and     eax, 1
        CHECK   eax, 1
        ret

test_bit_scan:
        TEST    "BSF and BSR of 0 leave their destination"
        mov     eax, 12345678h
        xor     ecx, ecx
        bsf     eax, ecx
        setz    dl
        CHECK   eax, 12345678h
        movzx   edx, dl
        CHECK   edx, 1
        bsr     eax, ecx
        CHECK   eax, 12345678h
        o16 bsf ax, cx
        CHECK   eax, 12345678h
        ret

test_bit_strings:
        TEST    "BT with a register reaches beyond its operand, both ways"
        mov     dword [SCRATCH + 0FCh], 80000000h
        mov     dword [SCRATCH + 100h], 0
        mov     eax, -1
        bt      [SCRATCH + 100h], eax
        setc    dl
        movzx   edx, dl
        CHECK   edx, 1
        mov     dword [SCRATCH + 200h], 2
        mov     eax, 800h + 1
        btr     [SCRATCH + 100h], eax
        CHECK   [SCRATCH + 200h], 0
        mov     ax, -32768                      ; 16 bits: signed, 4K below
        mov     dword [SCRATCH], 1
        o16 btc [SCRATCH + 1000h], ax
        CHECK   [SCRATCH], 0
        TEST    "BT with an immediate stays within, the index modulo the size"
        mov     dword [SCRATCH], 2
        mov     dword [SCRATCH + 4], 0
        bts     dword [SCRATCH], 33 + 32
        CHECK   [SCRATCH], 2
        CHECK   [SCRATCH + 4], 0
        ret

test_shift_counts:
        TEST    "shift counts are taken modulo 32, also of bytes and words"
        mov     cl, 33
        mov     eax, 1
        shl     eax, cl
        CHECK   eax, 2
        mov     eax, 0FFh
        mov     cl, 9
        shr     al, cl                          ; more than the operand has
        CHECK   eax, 0
        mov     eax, 80h
        sar     al, 31
        CHECK   eax, 0FFh
        TEST    "RCL and RCR turn 9 and 17 bits"
        stc
        mov     eax, 12h
        rcl     al, 9
        CHECK   eax, 12h
        stc
        mov     eax, 1234h
        rcr     ax, 17
        CHECK   eax, 1234h
        stc
        mov     eax, 80h
        rcl     al, 10                          ; as by 1
        CHECK   eax, 1
        TEST    "a shift by zero leaves the flags"
        mov     cl, 32
        xor     eax, eax
        stc
        shr     eax, cl
        setc    dl
        movzx   edx, dl
        CHECK   edx, 1
        TEST    "SHLD and SHRD of 16 bits by more than 16 go on with the destination"
        mov     eax, 1234h
        mov     ebx, 5678h
        shld    ax, bx, 17
        CHECK   eax, 0ACF0h
        mov     eax, 1234h
        shrd    ax, bx, 20
        CHECK   eax, 4567h                      ; Intel's; AMD's have 8567h
        ret

; A read-only data segment tells who wants to write.
test_writes_in_any_case:
        SET_DESCRIPTOR S_DATA, SCRATCH, 0FFFh, BITS_32 | PRESENT | DATA_READ_ONLY
        mov     ax, S_DATA
        mov     es, ax
        mov     dword [SCRATCH], 0
        mov     dword [SCRATCH + 4], 0
        TEST    "CMPXCHG and CMPXCHG8B write even if they find a difference"
        mov     eax, 1
        EXPECT  GP, 0, cmpxchg [es:0], ecx
        EXPECT  GP, 0, cmpxchg8b [es:0]
        TEST    "a shift of memory by zero writes"
        EXPECT  GP, 0, shl dword [es:0], 0
        EXPECT  GP, 0, rcr byte [es:0], 32
        xor     ecx, ecx
        EXPECT  GP, 0, sar word [es:0], cl
        EXPECT  GP, 0, shld [es:0], eax, 0
        TEST    "BT does not write, BTS does though the bit is set"
        mov     dword [SCRATCH], 2
        bt      dword [es:0], 1
        EXPECT  GP, 0, bts dword [es:0], 1
        TEST    "ARPL writes only if it changes something, and then faults before ZF changes"
        mov     word [SCRATCH], 3
        xor     eax, eax
        arpl    [es:0], ax
        mov     word [SCRATCH], 0
        mov     eax, 3
        push    dword 2
        popfd
        EXPECT  GP, 0, arpl [es:0], ax
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_ZF
        CHECK   eax, 0
        mov     eax, 3
        arpl    [SCRATCH], ax
        CHECK   [SCRATCH], 3
        TEST    "a conditional move from memory reads in any case"
        EXPECT  GP, 0, cmovne eax, [es:1000h]
        EXPECT  GP, 0, cmove eax, [es:1000h]
        mov     ax, SELECTOR_DATA32
        mov     es, ax
        TEST    "LOCK is refused before the operand is looked at"
        EXPECT  UD, 0, db 0F0h, 8Bh, 05h, -1, -1, -1, -1
        ret

test_exchange_add:
        TEST    "XADD and XCHG of a register with itself"
        mov     eax, 21h
        xadd    eax, eax
        CHECK   eax, 42h
        xadd    al, ah                          ; AH was 0
        CHECK   eax, 4242h
        mov     ebx, 1234h
        xchg    bl, bh
        CHECK   ebx, 3412h
        TEST    "CMPXCHG of the accumulator with itself"
        mov     eax, 5
        mov     ecx, 7
        cmpxchg eax, ecx
        CHECK   eax, 7
        ret

test_address_size:
        TEST    "LOOP and JCXZ count by the address size"
        mov     ecx, 00010001h
        a16 loop .looped
        CHECK   ecx, 00010000h
        mov     eax, 1
        a16 jcxz .zero
        mov     eax, 0
.zero:  CHECK   eax, 1
        mov     ecx, 10000h
        jecxz   .wrong
        jmp     .strings
.looped:
.wrong: CHECK   0, 1
.strings:
        TEST    "REP counts by the address size"
        mov     ecx, 30000h
        mov     edi, SCRATCH
        mov     esi, SCRATCH
        a16 rep movsb
        CHECK   ecx, 30000h
        CHECK   edi, SCRATCH
        mov     ax, S_WIDE16
        mov     es, ax
        mov     ecx, 00030002h
        mov     edi, 0004FFFFh
        mov     eax, 55h
        mov     byte [STACK16], 0
        mov     byte [STACK16 + 0FFFFh], 0
        mov     byte [STACK16 + 10000h], 0
        a16 rep stosb
        CHECK   ecx, 30000h
        CHECK   edi, 40001h
        CHECK   [STACK16 + 0FFFFh], 55h         ; and not the byte after it
        movzx   eax, byte [STACK16]
        CHECK   eax, 55h
        mov     ax, SELECTOR_DATA32
        mov     es, ax
        TEST    "XLAT wraps by the address size"
        mov     byte [1], 0A5h
        mov     ebx, 0FFFFh
        mov     eax, 2
        a16 xlatb
        movzx   eax, al
        CHECK   eax, 0A5h
        TEST    "LEA of 16 bits cuts the address"
        mov     ebx, 0FFFFh
        a16 lea eax, [bx + 3]
        CHECK   eax, 2
        ret

test_multiplication:
        TEST    "IMUL and MUL tell by CF and OF that the upper half counts"
        mov     eax, 80h
        mov     cl, 1
        imul    cl                              ; -128 fits
        setc    dl
        CHECK   eax, 0FF80h
        movzx   edx, dl
        CHECK   edx, 0
        mov     eax, 80h
        mul     cl                              ; 128 too
        seto    dl
        movzx   edx, dl
        CHECK   edx, 0
        mov     eax, 40000000h
        imul    ecx, eax, 2
        setc    dl
        movzx   edx, dl
        CHECK   edx, 1
        CHECK   ecx, 80000000h
        ret

test_decimal:
        TEST    "AAM and AAD take any base"
        mov     eax, 0ABh
        db      0D4h, 16
        CHECK   eax, 0A0Bh
        mov     eax, 0304h
        db      0D5h, 80h
        CHECK   eax, 84h
        mov     eax, 0FFFFh
        db      0D5h, 0                         ; AL stays, AH is cleared
        CHECK   eax, 0FFh
        EXPECT  DE, 0, db 0D4h, 0
        TEST    "DAA and DAS adjust by what AL was"
        clc
        mov     eax, 9Ah
        add     al, 0                           ; CF and AF clear
        daa
        setc    dl
        CHECK   eax, 0
        movzx   edx, dl
        CHECK   edx, 1
        xor     eax, eax
        sub     al, 1
        das
        CHECK   eax, 99h
        TEST    "AAA and AAS change AH, and AL without a carry between"
        mov     eax, 00FFh
        add     al, 0
        aaa                                     ; AX + 106h, then AL & 0Fh
        CHECK   eax, 0205h
        mov     eax, 0100h
        sub     al, 1
        aas
        CHECK   eax, 9
        ret

test_flag_instructions:
        TEST    "LAHF shows bit 1 set, 3 and 5 clear, whatever SAHF took"
        mov     eax, 0FF00h
        sahf
        mov     eax, 0
        lahf
        CHECK   eax, 0D700h
        mov     eax, 0
        sahf
        mov     eax, 0
        lahf
        CHECK   eax, 0200h
        TEST    "SALC"
        stc
        db      0D6h
        movzx   eax, al
        CHECK   eax, 0FFh
        clc
        db      0D6h
        CHECK   eax, 0
        TEST    "INC and DEC keep CF, NOT keeps all"
        xor     eax, eax
        stc
        dec     eax
        not     eax
        setc    dl
        movzx   edx, dl
        CHECK   edx, 1
        CHECK   eax, 0
        TEST    "CMC, and CF of NEG"
        xor     eax, eax
        neg     eax
        cmc
        setc    dl
        movzx   edx, dl
        CHECK   edx, 1
        TEST    "POPF sets neither VM nor RF, PUSHF shows none"
        push    dword EFLAGS_VM | EFLAGS_RF | 2
        popfd
        pushfd
        pop     eax
        CHECK   eax, 2
        ret

test_division:
        TEST    "IDIV gives the most negative number, and faults one beyond"
        mov     eax, 0FF80h
        mov     cl, 1
        idiv    cl
        CHECK   eax, 80h
        mov     edx, -1
        mov     eax, 80000000h
        mov     ecx, 1
        idiv    ecx
        CHECK   eax, 80000000h
        CHECK   edx, 0
        mov     edx, -1
        mov     eax, 80000000h
        mov     ecx, -1
        EXPECT  DE, 0, idiv ecx
        mov     edx, 0FFFFh
        mov     eax, 8000h
        mov     ecx, 0FFFFh
        EXPECT  DE, 0, idiv cx
        mov     eax, 0FF80h
        mov     ecx, 0FFh
        EXPECT  DE, 0, idiv cl
        TEST    "the remainder has the sign of what is divided"
        mov     edx, -1
        mov     eax, -7
        mov     ecx, 2
        idiv    ecx
        CHECK   eax, -3
        CHECK   edx, -1
        TEST    "DIV overflows when the upper half is not below the divisor"
        mov     edx, 5
        mov     eax, 0
        mov     ecx, 5
        EXPECT  DE, 0, div ecx
        CHECK   [seen_eax], 0
        CHECK   [seen_edx], 5
        xor     ecx, ecx
        EXPECT  DE, 0, div cl
        ret

test_prefixes:
        TEST    "fifteen bytes are an instruction, sixteen are #GP"
        times   14 ds
        nop
        ATTEMPT
.long:  times   15 ds
        nop
        ATTEMPT_END
        CHECK_FAULT GP, 0, .long
        TEST    "REP before what has none is ignored"
        mov     eax, 1
        db      0F3h
        inc     eax
        db      0F2h
        inc     eax
        CHECK   eax, 3
        TEST    "the last REP counts, and the last segment prefix"
        mov     dword [SCRATCH], 'aaab'
        mov     edi, SCRATCH
        mov     ecx, 4
        mov     eax, 'a'
        db      0F2h, 0F3h
        scasb
        CHECK   ecx, 0                          ; REPE ran over all and stopped at the b
        SET_DESCRIPTOR S_DATA, SCRATCH, 0FFFh, BITS_32 | PRESENT | DATA
        mov     ax, S_DATA
        mov     es, ax
        db      3Eh, 26h                        ; DS, ES
        mov     eax, [0]
        CHECK   eax, 'aaab'
        mov     ax, SELECTOR_DATA32
        mov     es, ax
        TEST    "a size prefix given twice counts once"
        mov     eax, 12345678h
        db      66h, 66h, 0B8h, 1, 0            ; mov ax, 1
        CHECK   eax, 12340001h
        ret

test_lock:
        TEST    "LOCK is for read-modify-write of memory"
        lock inc dword [SCRATCH]
        lock add [SCRATCH], eax
        lock xchg [SCRATCH], eax
        lock btc [SCRATCH], eax
        lock not byte [SCRATCH]
        lock cmpxchg [SCRATCH], eax
        lock xadd [SCRATCH], al
        EXPECT  UD, 0, db 0F0h, 01h, 0C0h       ; add eax, eax
        EXPECT  UD, 0, db 0F0h, 90h             ; nop
        EXPECT  UD, 0, db 0F0h, 8Bh, 00h        ; mov eax, [eax]
        EXPECT  UD, 0, db 0F0h, 03h, 00h        ; add eax, [eax]
        EXPECT  UD, 0, db 0F0h, 39h, 00h        ; cmp [eax], eax
        EXPECT  UD, 0, db 0F0h, 85h, 00h        ; test
        EXPECT  UD, 0, db 0F0h, 0Fh, 0A3h, 00h  ; bt
        EXPECT  UD, 0, db 0F0h, 0D1h, 20h       ; shl
        EXPECT  UD, 0, db 0F0h, 0FFh, 30h       ; push
        EXPECT  UD, 0, db 0F0h, 0A5h            ; movsd
        EXPECT  UD, 0, db 0F0h, 0F4h            ; hlt
        ret

test_invalid_forms:
        TEST    "forms that are no instructions"
        EXPECT  UD, 0, db 8Eh, 0C8h             ; mov cs, ax
        EXPECT  UD, 0, db 8Eh, 0F0h             ; segment register 6
        EXPECT  UD, 0, db 8Ch, 0F8h             ; 7
        EXPECT  UD, 0, db 8Fh, 0C8h             ; 8F /1
        EXPECT  UD, 0, db 0FEh, 0D0h            ; FE /2
        EXPECT  UD, 0, db 0FFh, 0F8h            ; FF /7
        EXPECT  UD, 0, db 0FFh, 0D8h            ; far call by a register
        EXPECT  UD, 0, db 0C4h, 0C0h            ; les eax, eax
        EXPECT  UD, 0, db 8Dh, 0C0h             ; lea eax, eax
        EXPECT  UD, 0, db 62h, 0C0h             ; bound eax, eax
        EXPECT  UD, 0, db 0Fh, 0C7h, 0C8h       ; cmpxchg8b eax
        EXPECT  UD, 0, db 0Fh, 0BAh, 0C0h, 0    ; 0F BA /0
        EXPECT  UD, 0, db 0Fh, 20h, 0C8h        ; mov eax, cr1
        EXPECT  UD, 0, db 0Fh, 0B9h, 0          ; UD1
        EXPECT  UD, 0, db 0Fh, 0FFh, 0          ; UD0
        EXPECT  UD, 0, ud2
        TEST    "forms that are instructions all the same"
        mov     eax, 0F0F0F0F0h
        db      0D0h, 0F0h                      ; shl al, 1 as /6
        CHECK   eax, 0F0F0F0E0h
        db      0F6h, 0C8h, 0E0h                ; test al, 0E0h as /1
        setz    al
        CHECK   eax, 0F0F0F000h
        db      82h, 0C0h, 5                    ; add al, 5
        CHECK   eax, 0F0F0F005h
        TEST    "MOV from and to CR takes any mod for a register"
        mov     ebx, cr0
        xor     eax, eax
        db      0Fh, 20h, 00h                   ; mod 0: mov eax, cr0
        CHECK   eax, ebx
        db      0Fh, 22h, 40h                   ; mod 1: mov cr0, eax
        nop
        ret

; Near transfers with a 16-bit operand size cut EIP.
test_enter:
        TEST    "ENTER copies a display, and counts nesting levels modulo 32"
        mov     ecx, esp
        mov     edx, ebp
        mov     ebp, SCRATCH + 100h
        mov     dword [SCRATCH + 100h - 4], 0A1h
        mov     dword [SCRATCH + 100h - 8], 0A2h
        db      0C8h, 10h, 0, 35                ; enter 16, 3
        mov     eax, ebp
        mov     ebx, esp
        mov     ebp, edx
        sub     ecx, 4
        CHECK   eax, ecx
        CHECK   [eax], SCRATCH + 100h
        CHECK   [eax - 4], 0A1h
        CHECK   [eax - 8], 0A2h
        CHECK   [eax - 12], eax
        lea     esp, [ecx + 4]
        sub     ecx, 12 + 16
        CHECK   ebx, ecx
        ret

test_looking:
        TEST    "LSL shows the limit in bytes"
        SET_DESCRIPTOR S_DATA, 0, 1, FLAT | PRESENT | DATA
        mov     edx, S_DATA
        lsl     eax, edx
        CHECK   eax, 1FFFh
        mov     eax, -1
        SET_DESCRIPTOR S_DATA, 0, 12345h, FLAT | PRESENT | DATA
        o16 lsl ax, dx
        CHECK   eax, 0FFFF5FFFh
        TEST    "VERR and VERW see no system descriptors, nor null, nor beyond the table"
        mov     eax, SELECTOR_TSS
        verr    ax
        setz    dl
        movzx   edx, dl
        CHECK   edx, 0
        xor     eax, eax
        verw    ax
        setz    dl
        movzx   edx, dl
        CHECK   edx, 0
        mov     eax, S_BEYOND
        mov     ebx, 1234h
        lar     ebx, eax
        setz    dl
        movzx   edx, dl
        CHECK   edx, 0
        CHECK   ebx, 1234h
        mov     eax, SELECTOR_CODE32
        verw    ax
        setz    dl
        movzx   edx, dl
        CHECK   edx, 0
        TEST    "LAR shows presence but does not ask for it"
        SET_DESCRIPTOR S_DATA, 0, 0, DATA
        mov     eax, S_DATA
        lar     eax, eax
        CHECK   eax, 1200h
        TEST    "LLDT with null leaves no local descriptors"
        xor     eax, eax
        lldt    ax
        mov     eax, 4
        EXPECT  GP, 4, mov es, ax
        TEST    "a fault after MOV SS is delivered"
        mov     ax, SELECTOR_DATA32
        mov     ss, ax
        EXPECT  UD, 0, ud2
        ret

; EXT: clear for INT n, set for anything that came from elsewhere.
test_error_codes:
        TEST    "bits of error codes for gates"
        SET_GATE FREE_GATE, SELECTOR_CODE32, 0, GATE_INTERRUPT32 & ~8000h
        EXPECT  NP, FREE_VECTOR * 8 + 2, int FREE_VECTOR
        SET_GATE FREE_GATE, SELECTOR_DATA32, 0, GATE_INTERRUPT32
        EXPECT  GP, SELECTOR_DATA32, int FREE_VECTOR
        SET_GATE FREE_GATE, 0, 0, GATE_INTERRUPT32
        EXPECT  GP, 0, int FREE_VECTOR
        and     byte [IDT_ADDRESS + 8 * UD + 5], 7Fh
        EXPECT  NP, UD * 8 + 2 + 1, ud2
        or      byte [IDT_ADDRESS + 8 * UD + 5], 80h
        and     byte [IDT_ADDRESS + 8 * DB_ + 5], 7Fh
        EXPECT  NP, DB_ * 8 + 2 + 1, db 0F1h
        or      byte [IDT_ADDRESS + 8 * DB_ + 5], 80h
        and     byte [IDT_ADDRESS + 8 * OF_ + 5], 7Fh
        mov     eax, 7FFFFFFFh
        inc     eax
        EXPECT  NP, OF_ * 8 + 2, into
        or      byte [IDT_ADDRESS + 8 * OF_ + 5], 80h
        TEST    "two contributory exceptions are a double fault, a benign one first is none"
        and     byte [IDT_ADDRESS + 8 * GP + 5], 7Fh
        mov     ax, S_BEYOND
        EXPECT  DF, 0, mov es, ax
        or      byte [IDT_ADDRESS + 8 * GP + 5], 80h
        ret

%include "image_end.inc"

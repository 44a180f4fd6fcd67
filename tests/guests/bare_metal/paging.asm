; Paging with 4K and 4M pages and with PAE: error codes and CR2, rights, A and D bits, WP, global
; pages, INVLPG, reserved bits, PDPTEs, NX. SDM vol. 3A chapter 4.

%include "harness.inc"

P               equ     1
W               equ     2
U               equ     4
A               equ     20h
D               equ     40h
LARGE           equ     80h
GLOBAL_          equ     100h
F_P             equ     1                       ; error code
F_W             equ     2
F_U             equ     4
F_RESERVED      equ     8
F_FETCH         equ     10h

CR0_WP          equ     10000h
CR4_PSE         equ     10h
CR4_PAE         equ     20h
CR4_PGE         equ     80h
MSR_EFER        equ     0C0000080h
EFER_NXE        equ     800h

DIRECTORY       equ     100000h
TABLE_LOW       equ     101000h                 ; the first 4 MB, one to one
TABLE           equ     102000h                 ; of linear 400000h
PAE_POINTERS    equ     103000h
PAE_DIRECTORY   equ     104000h
PAE_TABLE       equ     105000h                 ; of linear 400000h
AREA            equ     400000h                 ; linear, mapped as each test wants
LARGE_AREA      equ     800000h
FRAME           equ     200000h                 ; physical
FRAME_2         equ     201000h

; The page fault's error code and address, after EXPECT or RUN_USER.
%macro CHECK_PF 2
        CHECK   [seen_vector], PF
        CHECK   [seen_error], %1
        CHECK   [seen_cr2], %2
%endmacro
%macro ENTRY 2                                  ; table entry of AREA's page 0
        mov     dword [TABLE], %1
        mov     dword [TABLE + 4], %2
        invlpg  [AREA]
        invlpg  [AREA + 1000h]
%endmacro
%macro USER_ACCESS 1+
        jmp     %%go
%%user: %1
        int     RETURN_VECTOR
%%go:   RUN_USER %%user
%endmacro

test:
        call    make_tables
        call    test_error_codes
        call    test_rights
        call    test_write_protect
        call    test_accessed_and_dirty
        call    test_crossing
        call    test_fetches
        call    test_large_pages
        call    test_global_pages
        call    test_invlpg_of_code
        call    test_self_map
        call    test_tables_in_rom
        call    test_delivery_faults
        call    test_task_switch
        mov     eax, cr0
        and     eax, ~CR0_PG
        mov     cr0, eax
        mov     eax, 1
        cpuid
        test    edx, 40h
        jz      .done
        call    test_pae
        call    test_pae_reserved
        call    test_pdptes
        call    test_no_execute
.done:  ret

make_tables:
        MAP_FIRST_4MB DIRECTORY, TABLE_LOW, 6
        mov     dword [DIRECTORY + 4], TABLE | P | W | U
        mov     eax, DIRECTORY
        mov     cr3, eax
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        jmp     .on
.on:    ret

test_error_codes:
        TEST    "error codes"
        ENTRY   0, 0
        EXPECT  PF, 0, mov eax, [AREA + 123h]
        CHECK   [seen_cr2], AREA + 123h
        EXPECT  PF, F_W, mov [AREA + 124h], al
        EXPECT  PF, F_W, add dword [AREA + 128h], 1
        EXPECT  PF, 0, cmp dword [AREA + 128h], 1
        EXPECT  PF, F_W, bts dword [AREA], 5
        EXPECT  PF, 0, bt dword [AREA], 5
        EXPECT  PF, F_W, xchg [AREA], eax
        mov     dword [DIRECTORY + 4], 0
        mov     eax, cr3
        mov     cr3, eax
        EXPECT  PF, 0, mov eax, [AREA + 5]
        CHECK   [seen_cr2], AREA + 5
        mov     dword [DIRECTORY + 4], TABLE | P | W | U
        USER_ACCESS mov eax, [AREA + 9]
        CHECK_PF F_U, AREA + 9
        USER_ACCESS mov [AREA + 9], eax
        CHECK_PF F_U | F_W, AREA + 9
        ATTEMPT
        push    dword 5
        pop     dword [AREA]
        ATTEMPT_END
        CHECK_PF F_W, AREA
        ret

test_rights:
        TEST    "rights of both levels"
        mov     dword [FRAME], 1234h
        ENTRY   FRAME | P | U, 0
        USER_ACCESS mov eax, [AREA]
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [seen_eax], 1234h
        USER_ACCESS mov [AREA], eax
        CHECK_PF F_P | F_U | F_W, AREA
        ENTRY   FRAME | P | W, 0
        USER_ACCESS mov eax, [AREA]
        CHECK_PF F_P | F_U, AREA
        mov     dword [DIRECTORY + 4], TABLE | P | U
        ENTRY   FRAME | P | W | U, 0
        mov     eax, cr3
        mov     cr3, eax
        USER_ACCESS mov [AREA], eax
        CHECK_PF F_P | F_U | F_W, AREA
        mov     dword [DIRECTORY + 4], TABLE | P | W
        mov     eax, cr3
        mov     cr3, eax
        USER_ACCESS mov eax, [AREA]
        CHECK_PF F_P | F_U, AREA
        mov     dword [DIRECTORY + 4], TABLE | P | W | U
        mov     eax, cr3
        mov     cr3, eax
        ret

test_write_protect:
        TEST    "CR0.WP"
        ENTRY   FRAME | P | U, FRAME_2 | P
        mov     dword [AREA], 5                 ; level 0 may
        mov     dword [AREA + 1000h], 6
        mov     eax, cr0
        or      eax, CR0_WP
        mov     cr0, eax
        EXPECT  PF, F_P | F_W, mov dword [AREA], 6
        EXPECT  PF, F_P | F_W, mov dword [AREA + 1000h], 6
        CHECK   [AREA], 5
        mov     eax, cr0
        and     eax, ~CR0_WP
        mov     cr0, eax
        mov     dword [AREA], 7
        CHECK   [FRAME], 7
        ret

test_accessed_and_dirty:
        TEST    "accessed and dirty bits"
        and     dword [DIRECTORY + 4], ~A
        ENTRY   FRAME | P | W | U, FRAME_2 | P | W | U
        mov     eax, cr3
        mov     cr3, eax
        mov     eax, [AREA]
        CHECK   [TABLE], FRAME | P | W | U | A
        CHECK   [DIRECTORY + 4], TABLE | P | W | U | A
        CHECK   [TABLE + 4], FRAME_2 | P | W | U
        mov     [AREA], eax
        CHECK   [TABLE], FRAME | P | W | U | A | D
        and     dword [DIRECTORY + 4], ~A       ; a fault leaves no mark in either level
        ENTRY   0, FRAME_2 | P | W
        EXPECT  PF, 0, mov eax, [AREA]
        CHECK   [DIRECTORY + 4], TABLE | P | W | U
        USER_ACCESS mov eax, [AREA + 1000h]
        CHECK_PF F_P | F_U, AREA + 1000h
        CHECK   [DIRECTORY + 4], TABLE | P | W | U
        CHECK   [TABLE + 4], FRAME_2 | P | W
        ENTRY   FRAME | P, 0
        mov     eax, [AREA]
        mov     eax, cr0
        or      eax, CR0_WP
        mov     cr0, eax
        EXPECT  PF, F_P | F_W, mov [AREA], eax
        mov     eax, cr0
        and     eax, ~CR0_WP
        mov     cr0, eax
        mov     eax, [TABLE]
        and     eax, D
        CHECK   eax, 0
        ret

; Both pages are checked before anything is stored.
test_crossing:
        TEST    "accesses across pages"
        ENTRY   FRAME | P | W, 0
        mov     dword [AREA + 0FFCh], 11111111h
        EXPECT  PF, F_W, mov dword [AREA + 0FFEh], 22222222h
        CHECK   [seen_cr2], AREA + 1000h
        CHECK   [AREA + 0FFCh], 11111111h
        EXPECT  PF, 0, mov eax, [AREA + 0FFDh]
        CHECK   [seen_cr2], AREA + 1000h
        ENTRY   0, FRAME_2 | P | W
        EXPECT  PF, F_W, mov dword [AREA + 0FFEh], 22222222h
        CHECK   [seen_cr2], AREA + 0FFEh
        ; The pages may lie anywhere.
        ENTRY   FRAME_2 | P | W, FRAME | P | W
        mov     dword [AREA + 0FFEh], 89ABCDEFh
        movzx   eax, word [FRAME_2 + 0FFEh]
        CHECK   eax, 0CDEFh
        movzx   eax, word [FRAME]
        CHECK   eax, 89ABh
        mov     eax, [AREA + 0FFEh]
        CHECK   eax, 89ABCDEFh
        ; REP stops at the element that faults.
        ENTRY   FRAME | P | W, 0
        mov     edi, AREA + 0FF0h
        mov     ecx, 10
        EXPECT  PF, F_W, rep stosd
        CHECK   [seen_ecx], 6
        CHECK   [seen_edi], AREA + 1000h
        CHECK   [seen_cr2], AREA + 1000h
        ret

; Instructions at the end of a page, with the next one absent.
test_fetches:
        TEST    "instruction fetches"
        ENTRY   FRAME | P | W, 0
        mov     byte [FRAME + 0FFFh], 0C3h      ; RET: all of it is there
        mov     eax, AREA + 0FFFh
        call    eax
        mov     byte [FRAME + 0FFEh], 0B8h      ; MOV EAX, imm32
        ATTEMPT
        mov     eax, AREA + 0FFEh
        call    eax
        ATTEMPT_END
        CHECK_PF 0, AREA + 1000h
        CHECK   [seen_eip], AREA + 0FFEh
        ENTRY   FRAME | P | W, FRAME_2 | P | W
        mov     byte [FRAME + 0FFFh], 78h
        mov     dword [FRAME_2], 0C3123456h
        mov     eax, AREA + 0FFEh
        call    eax
        CHECK   eax, 12345678h
        ENTRY   FRAME | P | W, FRAME | P | W    ; the second half from elsewhere now
        mov     dword [FRAME], 0C3ABCDEFh
        mov     eax, AREA + 0FFEh
        call    eax
        CHECK   eax, 0ABCDEF78h
        ENTRY   0, 0
        ATTEMPT
        mov     eax, AREA + 10h
        jmp     eax
        ATTEMPT_END
        CHECK_PF 0, AREA + 10h
        CHECK   [seen_eip], AREA + 10h
        ret

test_large_pages:
        TEST    "4M pages"
        mov     dword [FRAME], 0AABBCCDDh
        mov     dword [DIRECTORY + 8], 0 | P | W | U | LARGE
        mov     eax, cr4
        or      eax, CR4_PSE
        mov     cr4, eax
        CHECK   [LARGE_AREA + FRAME], 0AABBCCDDh
        CHECK   [DIRECTORY + 8], P | W | U | LARGE | A
        mov     dword [LARGE_AREA + FRAME_2], 5
        CHECK   [FRAME_2], 5
        CHECK   [DIRECTORY + 8], P | W | U | LARGE | A | D
        ; Bit 21 is reserved with 36 bits of physical address.
        mov     dword [DIRECTORY + 8], 200000h | P | W | LARGE
        invlpg  [LARGE_AREA]
        EXPECT  PF, F_P | F_RESERVED, mov eax, [LARGE_AREA]
        EXPECT  PF, F_P | F_RESERVED | F_W, mov [LARGE_AREA], eax
        ; INVLPG drops all of it.
        mov     dword [DIRECTORY + 8], P | W | LARGE
        mov     eax, [LARGE_AREA + 1000h]
        mov     eax, [LARGE_AREA + 3FF000h]
        mov     dword [DIRECTORY + 8], 0
        invlpg  [LARGE_AREA + 2000h]
        EXPECT  PF, 0, mov eax, [LARGE_AREA + 1000h]
        EXPECT  PF, 0, mov eax, [LARGE_AREA + 3FF000h]
        ; Without PSE the bit is ignored: the entry names a table.
        mov     eax, cr4
        and     eax, ~CR4_PSE
        mov     cr4, eax
        mov     dword [DIRECTORY + 8], TABLE | P | W | LARGE
        ENTRY   FRAME | P | W, 0
        CHECK   [LARGE_AREA], 0AABBCCDDh
        mov     dword [DIRECTORY + 8], 0
        mov     eax, cr3
        mov     cr3, eax
        ret

test_global_pages:
        TEST    "global pages"
        mov     eax, cr4
        or      eax, CR4_PGE
        mov     cr4, eax
        mov     dword [FRAME], 1
        mov     dword [FRAME_2], 2
        ENTRY   FRAME | P | W | GLOBAL_, FRAME | P | W
        mov     eax, [AREA]
        mov     eax, [AREA + 1000h]
        mov     dword [TABLE], FRAME_2 | P | W | GLOBAL_
        mov     dword [TABLE + 4], FRAME_2 | P | W
        mov     eax, cr3
        mov     cr3, eax
        CHECK   [AREA + 1000h], 2               ; the other one may have stayed
        invlpg  [AREA]
        CHECK   [AREA], 2
        mov     dword [TABLE], FRAME | P | W | GLOBAL_
        mov     eax, cr4
        and     eax, ~CR4_PGE
        mov     cr4, eax
        CHECK   [AREA], 1
        ret

; Code that is mapped elsewhere, and that unmaps itself.
test_invlpg_of_code:
        TEST    "code whose mapping changes"
        mov     dword [FRAME], 0C301B0h         ; MOV AL, 1; RET
        mov     dword [FRAME_2], 0C302B0h
        mov     esi, AREA
        mov     ecx, 200
.again: ENTRY   FRAME | P | W, FRAME_2 | P | W
        xor     eax, eax
        call    esi
        mov     bl, al
        ENTRY   FRAME_2 | P | W, FRAME | P | W
        call    esi
        mov     bh, al
        lea     edx, [esi + 1000h]
        call    edx
        movzx   ebx, bx
        shl     ebx, 8
        mov     bl, al
        loop    .again
        CHECK   ebx, 020101h
        ; The code takes its own page away: what follows the INVLPG is not there any more.
        mov     edi, FRAME
        mov     esi, .unmap
        mov     ecx, .unmap_end - .unmap
        rep     movsb
        ENTRY   FRAME | P | W, 0
        ATTEMPT
        mov     eax, AREA
        jmp     eax
        ATTEMPT_END
        CHECK_PF 0, AREA + .gone - .unmap
        CHECK   [seen_eip], AREA + .gone - .unmap
        CHECK   [seen_ebx], 5
        ret
.unmap: mov     ebx, 5
        mov     dword [TABLE], 0
        invlpg  [AREA]
.gone:  mov     ebx, 6
        jmp     $
.unmap_end:

; The directory as one of its own tables: the entries are seen at the end of the address space.
test_self_map:
        TEST    "tables that map themselves"
        mov     dword [DIRECTORY + 0FFCh], DIRECTORY | P | W
        mov     eax, cr3
        mov     cr3, eax
        mov     eax, [0FFFFFFFCh]
        and     eax, ~(A | D)
        CHECK   eax, DIRECTORY | P | W
        mov     eax, [0FFFFF004h]
        and     eax, ~(A | D)
        CHECK   eax, TABLE | P | W | U
        mov     dword [0FFC01000h], FRAME | P | W       ; entry 0 of the second table
        invlpg  [AREA]
        mov     dword [FRAME], 77h
        CHECK   [AREA], 77h
        ; A store through the map to the very entry that maps it.
        mov     dword [0FFFFFFFCh], 0
        mov     eax, cr3
        mov     cr3, eax
        EXPECT  PF, 0, mov eax, [0FFFFFFFCh]
        ret

; A and D cannot be stored in ROM, and nothing minds.
test_tables_in_rom:
        TEST    "tables in ROM"
        mov     dword [DIRECTORY + 0C00h], 0FFFFF000h | P | W | U
        mov     eax, cr3
        mov     cr3, eax
        ATTEMPT
        mov     ecx, 400h
        mov     esi, 0C0000000h
.page:  mov     eax, [esi]
        add     esi, 1000h
        loop    .page
        ATTEMPT_END
        ; and where nothing is
        mov     dword [DIRECTORY + 0C00h], 0D0000000h | P | W | U
        mov     eax, cr3
        mov     cr3, eax
        ATTEMPT
        mov     eax, [0C0000000h]
        mov     [0C0001000h], eax
        ATTEMPT_END
        ; and in video memory
        mov     dword [DIRECTORY + 0C00h], 0B8000h | P | W | U
        mov     eax, cr3
        mov     cr3, eax
        ATTEMPT
        mov     eax, [0C0000000h]
        ATTEMPT_END
        mov     dword [DIRECTORY + 0C00h], 0
        mov     eax, cr3
        mov     cr3, eax
        ret

; Page faults on the way to a handler: twice is a double fault, on another exception's way they come
; alone.
test_delivery_faults:
        TEST    "page faults of the delivery"
        ENTRY   0, 0
        mov     word [table_register], 256 * 8 - 1
        mov     dword [table_register + 2], AREA - 8 * DF - 8   ; #DF's gate is the last that is there
        mov     esi, IDT_ADDRESS
        mov     edi, AREA - 8 * DF - 8
        mov     ecx, 2 * (DF + 1)
        rep     movsd
        lidt    [table_register]
        EXPECT  DF, 0, mov eax, [AREA + 2000h]
        lidt    [test_idt_register]
        ret

; A task has a CR3 of its own; what it sees at the same address is another page, code too.
SELECTOR_TASK   equ     SELECTOR_FREE
DIRECTORY_2     equ     106000h
TABLE_2         equ     107000h
test_task_switch:
        TEST    "task switches with another CR3"
        mov     esi, DIRECTORY
        mov     edi, DIRECTORY_2
        mov     ecx, 400h
        rep     movsd
        mov     dword [DIRECTORY_2 + 4], TABLE_2 | P | W | U
        mov     dword [TABLE_2], FRAME_2 | P | W
        ENTRY   FRAME | P | W, 0
        mov     dword [FRAME], 0C301B0h         ; MOV AL, 1; RET
        mov     dword [FRAME_2], 0C302B0h
        mov     dword [main_tss + 1Ch], DIRECTORY
        SET_DESCRIPTOR SELECTOR_TASK, task_tss, 67h, 89h
        mov     ecx, 100
        mov     esi, AREA
.again: xor     eax, eax
        call    esi
        shl     ebx, 8
        mov     bl, al
        call    SELECTOR_TASK:0
        loop    .again
        clts
        CHECK   ebx, 01010101h
        CHECK   [task_tss + 34h], 02020202h     ; the task's EBX
        CHECK   [task_tss + 28h], 2
        mov     eax, cr3
        CHECK   eax, DIRECTORY
        ret
.task:  xor     eax, eax
        mov     esi, AREA
        call    esi
        shl     ebx, 8
        mov     bl, al
        iretd
        jmp     .task

; ---- PAE ----

%macro PAE_ENTRY 2
        mov     dword [PAE_TABLE], %1
        mov     dword [PAE_TABLE + 4], %2
        invlpg  [AREA]
%endmacro

make_pae_tables:
        mov     edi, PAE_POINTERS
        mov     ecx, 3 * 400h
        xor     eax, eax
        rep     stosd
        mov     dword [PAE_POINTERS], PAE_DIRECTORY | P
        mov     dword [PAE_DIRECTORY], P | W | U | LARGE
        mov     dword [PAE_DIRECTORY + 8], 200000h | P | W | U | LARGE
        mov     dword [PAE_DIRECTORY + 10h], PAE_TABLE | P | W | U
        mov     eax, cr4
        or      eax, CR4_PAE
        mov     cr4, eax
        mov     eax, PAE_POINTERS
        mov     cr3, eax
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        ret

test_pae:
        TEST    "PAE"
        call    make_pae_tables
        mov     dword [FRAME], 55667788h
        PAE_ENTRY FRAME | P | W | U, 0
        CHECK   [AREA], 55667788h
        CHECK   [PAE_TABLE], FRAME | P | W | U | A
        mov     byte [AREA], 0
        CHECK   [PAE_TABLE], FRAME | P | W | U | A | D
        CHECK   [PAE_TABLE + 4], 0
        mov     eax, [PAE_DIRECTORY + 8]
        and     eax, A | D
        CHECK   eax, A | D
        PAE_ENTRY 0, 0
        EXPECT  PF, F_W, mov [AREA], eax
        EXPECT  PF, 0, mov eax, [40000000h]     ; the second pointer is empty
        PAE_ENTRY FRAME | P, 0
        USER_ACCESS mov eax, [AREA]
        CHECK_PF F_P | F_U, AREA
        ret

test_pae_reserved:
        TEST    "reserved bits of PAE entries"
        PAE_ENTRY FRAME | P | W, 100h           ; bit 40
        EXPECT  PF, F_P | F_RESERVED, mov eax, [AREA]
        PAE_ENTRY FRAME | P | W, 40000000h      ; bit 62
        EXPECT  PF, F_P | F_RESERVED | F_W, mov [AREA], eax
        PAE_ENTRY FRAME | P | W, 80000000h      ; NX without EFER.NXE
        EXPECT  PF, F_P | F_RESERVED, mov eax, [AREA]
        PAE_ENTRY FRAME, 80000000h              ; not present: nothing else counts
        EXPECT  PF, 0, mov eax, [AREA]
        mov     dword [PAE_DIRECTORY + 18h], 2000h | P | W | LARGE      ; bit 13 of a 2M page
        EXPECT  PF, F_P | F_RESERVED, mov eax, [600000h]
        mov     dword [PAE_DIRECTORY + 18h], 0
        ret

; They are read when CR3 is loaded, not later; reserved bits there are #GP.
test_pdptes:
        TEST    "PDPTEs"
        mov     dword [PAE_POINTERS + 8], PAE_DIRECTORY | P
        EXPECT  PF, 0, mov eax, [40000000h]
        mov     eax, cr3
        mov     cr3, eax
        mov     eax, [40000000h]
        mov     dword [PAE_POINTERS + 8], 0
        mov     eax, [40001000h]                ; still there
        mov     dword [PAE_POINTERS + 10h], PAE_DIRECTORY | P | W
        mov     eax, cr3
        EXPECT  GP, 0, mov cr3, eax
        mov     eax, [40002000h]                ; nothing was loaded
        mov     dword [PAE_POINTERS + 10h], W   ; not present: anything goes
        mov     eax, cr3
        mov     cr3, eax
        mov     dword [PAE_POINTERS + 10h], 0
        mov     dword [PAE_POINTERS + 18h], PAE_DIRECTORY | P
        mov     dword [PAE_POINTERS + 1Ch], 1000h
        mov     eax, cr3
        EXPECT  GP, 0, mov cr3, eax
        mov     dword [PAE_POINTERS + 18h], 0
        mov     dword [PAE_POINTERS + 1Ch], 0
        mov     eax, cr3
        mov     cr3, eax
        ; A write of CR4.PGE reads them again: SDM vol. 3A 4.4.1.
        mov     dword [PAE_POINTERS + 10h], PAE_DIRECTORY | P | W
        mov     eax, cr4
        xor     eax, CR4_PGE
        EXPECT  GP, 0, mov cr4, eax
        mov     dword [PAE_POINTERS + 10h], 0
        ret

test_no_execute:
        mov     eax, 80000001h
        cpuid
        test    edx, 100000h
        jz      .done
        TEST    "NX"
        mov     ecx, MSR_EFER
        rdmsr
        or      eax, EFER_NXE
        wrmsr
        mov     byte [FRAME], 0C3h
        PAE_ENTRY FRAME | P | W | U, 0
        mov     eax, AREA
        call    eax
        PAE_ENTRY FRAME | P | W | U, 80000000h
        mov     eax, [AREA]
        ATTEMPT
        mov     eax, AREA
        call    eax
        ATTEMPT_END
        CHECK_PF F_P | F_FETCH, AREA
        mov     eax, [AREA]                     ; it is in the TLB for data now
        ATTEMPT
        mov     eax, AREA
        call    eax
        ATTEMPT_END
        CHECK_PF F_P | F_FETCH, AREA
        ; The directory's bit counts as well.
        PAE_ENTRY FRAME | P | W | U, 0
        mov     dword [PAE_DIRECTORY + 14h], 80000000h
        mov     eax, cr3
        mov     cr3, eax
        ATTEMPT
        mov     eax, AREA
        call    eax
        ATTEMPT_END
        CHECK_PF F_P | F_FETCH, AREA
        mov     dword [PAE_DIRECTORY + 14h], 0
        PAE_ENTRY 0, 0
        ATTEMPT
        mov     eax, AREA
        call    eax
        ATTEMPT_END
        CHECK_PF F_FETCH, AREA
.done:  ret

        align   4
        align   16
task_tss:
        times   7 dd 0
        dd      DIRECTORY_2, test_task_switch.task, 2
        dd      0, 0, 0, 0, STACK_TOP - 2000h, 0, 0, 0
        dd      SELECTOR_DATA32, SELECTOR_CODE32, SELECTOR_DATA32, SELECTOR_DATA32, SELECTOR_DATA32, SELECTOR_DATA32
        dd      0, 680000h
table_register          dw      0
                        dd      0

%include "image_end.inc"

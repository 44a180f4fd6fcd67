; Page faults of a kernel: pages given when they are touched, pages that become writable when written,
; and all taken away again.

%define BENCHMARK_NAME "faults"
%include "bench32.inc"
        cpu     686

USER                    equ     40000000h
USER_PAGES              equ     64
TABLE                   equ     1F1000h
CR0_WRITE_PROTECT       equ     10000h
FAULT_VECTOR            equ     14
FAULT_PRESENT           equ     1
ROUNDS                  equ     REPETITIONS(14000)

benchmark:
        mov     eax, fault
        mov     [IDT_ADDRESS + FAULT_VECTOR * 8], ax
        shr     eax, 16
        mov     [IDT_ADDRESS + FAULT_VECTOR * 8 + 6], ax
        mov     edi, TABLE
        mov     ecx, PAGE_SIZE / 4
        xor     eax, eax
        rep stosd
        mov     dword [PAGE_DIRECTORY + (USER >> 20)], TABLE | PAGE_PRESENT | PAGE_WRITABLE
        mov     eax, cr0
        or      eax, CR0_WRITE_PROTECT
        mov     cr0, eax
        xor     ebx, ebx
        mov     ebp, ROUNDS
.round:
        mov     esi, USER
        mov     ecx, USER_PAGES
.read:  add     ebx, [esi + ecx * 8]            ; not present: given without the right to write
        add     esi, PAGE_SIZE
        dec     ecx
        jnz     .read
        mov     esi, USER
        mov     ecx, USER_PAGES
.write: add     [esi + ecx * 8], ebp            ; made writable
        rol     ebx, 1
        add     esi, PAGE_SIZE
        dec     ecx
        jnz     .write
        mov     edi, TABLE
        mov     ecx, USER_PAGES
        xor     eax, eax
        rep stosd
        mov     eax, cr3
        mov     cr3, eax
        dec     ebp
        jnz     .round
        mov     eax, [faults]
        xor     eax, ebx
        ret

; Stack: error code, EIP, CS, EFLAGS.
fault:
        pushad
        mov     eax, cr2
        mov     edx, eax
        sub     edx, USER
        shr     edx, 12
        cmp     edx, USER_PAGES
        jae     exception_end
        test    byte [esp + 32], FAULT_PRESENT
        jz      .absent
        or      dword [TABLE + edx * 4], PAGE_WRITABLE
        jmp     .again
.absent:
        mov     ecx, edx
        shl     ecx, 12
        add     ecx, ARENA | PAGE_PRESENT
        mov     [TABLE + edx * 4], ecx
.again: invlpg  [eax]
        inc     dword [faults]
        popad
        add     esp, 4
        iretd

        NEW_PAGE
faults                  dd      0

%include "image_end.inc"

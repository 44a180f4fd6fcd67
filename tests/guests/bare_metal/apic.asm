; The local APIC and the I/O APIC as a program meets them: an interrupt comes right after the
; instruction that asked for it or let it in, and where every chip keeps it meanwhile. SDM vol. 3A
; chapter 10; 82093AA data sheet.

%include "harness.inc"

LAPIC           equ     0FEE00000h
LAPIC_ID        equ     LAPIC + 20h
LAPIC_VERSION   equ     LAPIC + 30h
LAPIC_TPR       equ     LAPIC + 80h
LAPIC_PPR       equ     LAPIC + 0A0h
LAPIC_EOI       equ     LAPIC + 0B0h
LAPIC_SVR       equ     LAPIC + 0F0h
LAPIC_ISR       equ     LAPIC + 100h
LAPIC_IRR       equ     LAPIC + 200h
LAPIC_ESR       equ     LAPIC + 280h
LAPIC_ICR       equ     LAPIC + 300h
LAPIC_ICR_HIGH  equ     LAPIC + 310h
LAPIC_TIMER     equ     LAPIC + 320h
LAPIC_LINT0     equ     LAPIC + 350h
LAPIC_ERROR     equ     LAPIC + 370h
LAPIC_INITIAL   equ     LAPIC + 380h
LAPIC_CURRENT   equ     LAPIC + 390h
LAPIC_DIVIDE    equ     LAPIC + 3E0h
SELF            equ     44000h                  ; fixed, to itself
EXTINT          equ     700h
MASKED          equ     10000h
PERIODIC        equ     20000h
DIVIDE_BY_1     equ     0Bh

IOAPIC_SELECT   equ     0FEC00000h
IOAPIC_WINDOW   equ     0FEC00010h
IOAPIC_TIMER    equ     10h + 2 * 2             ; the entry of the 8254's pin
REMOTE_IRR      equ     4000h
LEVEL           equ     8000h

IA32_APIC_BASE  equ     1Bh
PIC_VECTOR      equ     70h                     ; IRQ 0 of the 8259 pair
PIT_1MS         equ     1193

%define VECTOR_BIT(vector) (1 << ((vector) & 31))
%define IRR_OF(vector) [LAPIC_IRR + (vector) / 32 * 16]
%define ISR_OF(vector) [LAPIC_ISR + (vector) / 32 * 16]

; The instruction brings this interrupt, before the next one.
%macro INTERRUPTS 2+
        ATTEMPT
        sti
        nop
        %2
%%next: mov     dword [seen_vector], NOTHING - 1
        cli
        ATTEMPT_END
        CHECK   [seen_vector], %1
        CHECK   [seen_eip], %%next
%endmacro

; No interrupt for some instructions with the interrupt flag set.
%macro QUIET 0
        ATTEMPT
        sti
        times 8 nop
        cli
        ATTEMPT_END
        CHECK   [seen_vector], NOTHING
%endmacro

; Waits in HLT for this interrupt.
%macro WAIT_FOR 1
        ATTEMPT
        sti
        hlt
        cli
        ATTEMPT_END
        CHECK   [seen_vector], %1
%endmacro

%macro EOI 0
        mov     dword [LAPIC_EOI], 0
%endmacro

%macro IOAPIC_WRITE 2
        mov     dword [IOAPIC_SELECT], %1
        mov     dword [IOAPIC_WINDOW], %2
%endmacro

; Whether a value lies in a range.
%macro CHECK_BETWEEN 3
        push    eax
        mov     eax, %1
        sub     eax, %2
        cmp     eax, (%3) - (%2)
        seta    al
        movzx   eax, al
        CHECK   eax, 0
        pop     eax
%endmacro

test:
        mov     dword [LAPIC_SVR], 1FFh
        mov     dword [LAPIC_LINT0], EXTINT | MASKED
        call    test_interrupt_to_itself
        call    test_priorities
        call    test_end_of_interrupt
        call    test_errors
        call    test_timer
        call    test_io_apic
        call    test_virtual_wire
        call    test_switched_off
        call    test_nmi
        ret

test_interrupt_to_itself:
        TEST    "an interrupt to itself"
        INTERRUPTS 51h, mov dword [LAPIC_ICR], SELF | 51h
        mov     eax, ISR_OF(51h)
        CHECK   eax, VECTOR_BIT(51h)
        mov     eax, [LAPIC_PPR]
        CHECK   eax, 50h
        EOI
        mov     eax, ISR_OF(51h)
        CHECK   eax, 0
        mov     eax, [LAPIC_ID]                 ; by its ID
        mov     [LAPIC_ICR_HIGH], eax
        INTERRUPTS 52h, mov dword [LAPIC_ICR], 4052h
        EOI
        mov     dword [LAPIC_ICR_HIGH], 55000000h
        mov     dword [LAPIC_ICR], 4053h        ; to nobody
        mov     dword [LAPIC_ICR], 4500h        ; INIT and STARTUP to nobody
        mov     dword [LAPIC_ICR], 4608h
        mov     dword [LAPIC_ICR], 0C4500h      ; INIT to all others, as systems look for processors
        mov     dword [LAPIC_ICR], 0C4608h
        QUIET
        ; Asked for while it is held off, it comes with STI, one instruction later.
        mov     dword [LAPIC_ICR], SELF | 54h
        mov     eax, IRR_OF(54h)
        CHECK   eax, VECTOR_BIT(54h)
        ATTEMPT
        sti
        nop
.here:  nop
        ATTEMPT_END
        CHECK   [seen_vector], 54h
        CHECK   [seen_eip], .here
        EOI
        ret

test_priorities:
        TEST    "task priority"
        mov     dword [LAPIC_TPR], 60h
        mov     dword [LAPIC_ICR], SELF | 65h   ; of the same class
        QUIET
        INTERRUPTS 70h, mov dword [LAPIC_ICR], SELF | 70h
        EOI
        INTERRUPTS 65h, mov dword [LAPIC_TPR], 5Fh
        QUIET
        EOI
        mov     dword [LAPIC_TPR], 0
        ret

test_end_of_interrupt:
        TEST    "the end of an interrupt lets the next one in"
        INTERRUPTS 81h, mov dword [LAPIC_ICR], SELF | 81h
        mov     dword [LAPIC_ICR], SELF | 82h   ; waits: of the same class
        mov     dword [LAPIC_ICR], SELF | 81h   ; and once more the same
        mov     dword [LAPIC_ICR], SELF | 33h
        QUIET
        INTERRUPTS 82h, EOI
        INTERRUPTS 81h, EOI
        INTERRUPTS 33h, EOI
        EOI
        QUIET
        ret

test_errors:
        TEST    "errors"
        mov     dword [LAPIC_ERROR], 90h
        INTERRUPTS 90h, mov dword [LAPIC_ICR], SELF | 0Fh
        EOI
        mov     dword [LAPIC_ESR], 0
        mov     eax, [LAPIC_ESR]
        CHECK   eax, 20h
        mov     dword [LAPIC_ERROR], MASKED
        mov     dword [LAPIC_ESR], 0
        mov     eax, [LAPIC_ESR]
        CHECK   eax, 0
        ret

; Waits until counter 2 of the 8254 has counted AX down to nothing.
pit_wait:
        mov     ebx, eax
        in      al, 61h
        and     al, 0FCh                        ; gate 2 low, speaker off
        out     61h, al
        mov     al, 0B0h                        ; counter 2, mode 0
        out     43h, al
        mov     al, bl
        out     42h, al
        mov     al, bh
        out     42h, al
        in      al, 61h
        or      al, 1
        out     61h, al
.wait:  in      al, 61h
        test    al, 20h
        jz      .wait
        ret

test_timer:
        TEST    "the timer"
        mov     dword [LAPIC_DIVIDE], DIVIDE_BY_1
        mov     dword [LAPIC_TIMER], MASKED | 0A0h
        mov     dword [LAPIC_INITIAL], 0FFFFFFFFh
        mov     eax, 10 * PIT_1MS
        call    pit_wait
        mov     ecx, [LAPIC_CURRENT]
        not     ecx                             ; 10 ms at 1 GHz
        CHECK_BETWEEN ecx, 9990000, 10010000
        mov     dword [LAPIC_TIMER], 0A0h
        mov     dword [LAPIC_INITIAL], 200000
        WAIT_FOR 0A0h
        EOI
        mov     eax, [LAPIC_CURRENT]            ; once
        CHECK   eax, 0
        QUIET
        mov     dword [LAPIC_TIMER], PERIODIC | 0A1h
        mov     dword [LAPIC_INITIAL], 200000
        mov     ecx, 5
.again: WAIT_FOR 0A1h
        EOI
        loop    .again
        mov     dword [LAPIC_TIMER], PERIODIC | MASKED | 0A1h
        mov     eax, PIT_1MS
        call    pit_wait
        mov     eax, [LAPIC_CURRENT]            ; it goes on without interrupts
        dec     eax
        CHECK_BETWEEN eax, 0, 199999
        QUIET
        mov     dword [LAPIC_INITIAL], 0
        mov     eax, [LAPIC_CURRENT]
        CHECK   eax, 0
        ret

; Counter 0 of the 8254 raises its output once, after 1 ms, and keeps it up.
pit_start_once:
        mov     al, 30h                         ; mode 0
        out     43h, al
        mov     al, PIT_1MS & 0FFh
        out     40h, al
        mov     al, PIT_1MS >> 8
        out     40h, al
        ret

ioapic_entry:
        mov     dword [IOAPIC_SELECT], IOAPIC_TIMER
        mov     eax, [IOAPIC_WINDOW]
        ret

test_io_apic:
        TEST    "the I/O APIC"
        mov     dword [IOAPIC_SELECT], 1
        mov     eax, [IOAPIC_WINDOW]
        shr     eax, 16
        CHECK   eax, 23                         ; 24 pins
        mov     eax, [LAPIC_ID]
        IOAPIC_WRITE IOAPIC_TIMER + 1, eax
        call    pit_start_once
        IOAPIC_WRITE IOAPIC_TIMER, 0B0h         ; an edge
        WAIT_FOR 0B0h
        EOI
        QUIET
        ; Level-triggered it comes again for as long as the output stays up.
        ATTEMPT
        sti
        nop
        mov     dword [IOAPIC_WINDOW], LEVEL | 0B1h
.next:  nop
        cli
        ATTEMPT_END
        CHECK   [seen_vector], 0B1h
        CHECK   [seen_eip], .next
        call    ioapic_entry
        CHECK   eax, REMOTE_IRR | LEVEL | 0B1h
        EOI                                     ; the pin's next message takes its time
        WAIT_FOR 0B1h
        call    pit_start_once                  ; takes it down
        EOI
        call    ioapic_entry
        CHECK   eax, LEVEL | 0B1h
        IOAPIC_WRITE IOAPIC_TIMER, MASKED
        QUIET
        ret

test_virtual_wire:
        TEST    "the 8259 pair through LINT0"
        START_8259 MASTER_8259, PIC_VECTOR, SLAVE_ON_IRQ_2, ~1 & 0FFh ; IRQ 0 alone
        call    pit_start_once
        mov     eax, 2 * PIT_1MS
        call    pit_wait
        mov     al, 0Ah                         ; it asks, but the way is closed
        out     20h, al
        in      al, 20h
        and     eax, 1
        CHECK   eax, 1
        QUIET
        INTERRUPTS PIC_VECTOR, mov dword [LAPIC_LINT0], EXTINT
        mov     eax, [LAPIC_PPR]                ; not an interrupt of the local APIC's
        CHECK   eax, 0
        mov     al, 20h
        out     20h, al
        QUIET
        ret

; Through IA32_APIC_BASE: then INTR is the 8259 pair's.
test_switched_off:
        TEST    "switched off"
        mov     ecx, IA32_APIC_BASE
        rdmsr
        and     eax, ~0FFh
        CHECK   eax, LAPIC | 900h               ; enabled, of the boot processor
        or      eax, 1
        EXPECT  GP, 0, wrmsr
        mov     eax, LAPIC | 100h
        wrmsr
        mov     eax, 1
        cpuid
        and     edx, 200h
        CHECK   edx, 0
        mov     eax, [LAPIC_VERSION]
        CHECK   eax, 0FFFFFFFFh
        call    pit_start_once
        WAIT_FOR PIC_VECTOR
        mov     al, 20h
        out     20h, al
        mov     al, 0FFh
        out     21h, al
        mov     ecx, IA32_APIC_BASE
        mov     eax, LAPIC | 900h
        xor     edx, edx
        wrmsr
        mov     eax, [LAPIC_SVR]                ; as after reset
        CHECK   eax, 0FFh
        mov     eax, 1
        cpuid
        and     edx, 200h
        CHECK   edx, 200h
        mov     dword [LAPIC_SVR], 1FFh
        ret

; Another NMI waits for the IRET of the first one's handler.
test_nmi:
        TEST    "NMI"
        mov     eax, [LAPIC_ID]
        mov     [LAPIC_ICR_HIGH], eax
        INTERRUPTS 2, mov dword [LAPIC_ICR], 4400h
        mov     dword [LAPIC_ICR], 4400h
        QUIET
        ATTEMPT
        pushfd
        push    cs
        push    dword .here
        iretd
.here:  nop
        ATTEMPT_END
        CHECK   [seen_vector], 2
        CHECK   [seen_eip], .here
        ret

%include "image_end.inc"

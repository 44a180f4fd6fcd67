; What counts instructions and time: performance counters and their interrupt, the time-stamp counter,
; its adjustment and its deadline, by the local APIC's registers in memory and in MSRs. For a
; processor that has all of it. SDM vol. 3A 10.5.4.1, 10.12, vol. 3B 15.3, 17.17 and 18.2.

%include "harness.inc"

LAPIC           equ     0FEE00000h
LAPIC_VERSION   equ     LAPIC + 30h
LAPIC_EOI       equ     LAPIC + 0B0h
LAPIC_SVR       equ     LAPIC + 0F0h
LAPIC_TIMER     equ     LAPIC + 320h
LAPIC_PERFORMANCE equ   LAPIC + 340h
LAPIC_LINT0     equ     LAPIC + 350h
LAPIC_INITIAL   equ     LAPIC + 380h
LAPIC_CURRENT   equ     LAPIC + 390h
MASKED          equ     10000h
DEADLINE_MODE   equ     40000h
MODE_NMI        equ     400h

IA32_TSC                equ     10h
IA32_APIC_BASE          equ     1Bh
IA32_TSC_ADJUST         equ     3Bh
IA32_PMC0               equ     0C1h
IA32_MCG_CAP            equ     179h
IA32_PERFEVTSEL0        equ     186h
IA32_FIXED_CTR0         equ     309h
IA32_FIXED_CTR_CTRL     equ     38Dh
IA32_PERF_GLOBAL_STATUS equ     38Eh
IA32_PERF_GLOBAL_CTRL   equ     38Fh
IA32_PERF_GLOBAL_CLEAR  equ     390h
IA32_MC0_CTL            equ     400h
IA32_TSC_DEADLINE       equ     6E0h
X2APIC                  equ     800h

COUNT_RETIRED           equ     4300C0h         ; enabled, at all levels
INTERRUPT_ON_OVERFLOW   equ     100000h
CR4_PCE                 equ     100h

; EDX and EAX are zero or one dword each.
%macro WRITE_MSR 3
        mov     ecx, %1
        mov     edx, %2
        mov     eax, %3
        wrmsr
%endmacro
%macro READ_MSR 1
        mov     ecx, %1
        rdmsr
%endmacro

test:
        mov     dword [LAPIC_SVR], 1FFh
        mov     dword [LAPIC_LINT0], MASKED
        call    test_counters
        call    test_overflow
        call    test_fixed_counters
        call    test_deadline
        call    test_tsc_adjust
        call    test_x2apic
        call    test_machine_check
        ret

test_counters:
        TEST    "a counter of instructions"
        WRITE_MSR IA32_PERF_GLOBAL_CTRL, 0, 3
        WRITE_MSR IA32_PMC0, 0, 0
        WRITE_MSR IA32_PERFEVTSEL0, 0, COUNT_RETIRED
        mov     ecx, 100                        ; counted: WRMSR, this, 101 of the loop, and one more
.loop:  loop    .loop
        mov     ecx, 0
        rdpmc
        CHECK   eax, 103
        CHECK   edx, 0
        ; Every iteration of a string instruction is one.
        mov     ecx, 50
        mov     edi, 300000h
        rep     stosb
        mov     ecx, 0
        mov     ebx, eax
        mov     esi, ebx
        rdpmc
        sub     eax, esi
        cmp     eax, 50
        setae   bl
        movzx   ebx, bl
        CHECK   ebx, 1
        ; Stopped.
        WRITE_MSR IA32_PERFEVTSEL0, 0, 0
        READ_MSR IA32_PMC0
        mov     esi, eax
        READ_MSR IA32_PMC0
        CHECK   eax, esi
        mov     ecx, 2
        EXPECT  GP, 0, rdpmc
        mov     ecx, 40000003h
        EXPECT  GP, 0, rdpmc
        mov     ecx, 0
        RUN_USER .user
        CHECK   [seen_vector], GP
        mov     eax, cr4
        or      eax, CR4_PCE
        mov     cr4, eax
        mov     ecx, 0
        RUN_USER .user
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [seen_eax], esi
        ret
.user:  rdpmc
        int     RETURN_VECTOR

; An interrupt between two instructions: the WRMSR that starts the counter is the first it counts.
; Where time is the host's, it waits for the next jump; so there are some.
test_overflow:
        TEST    "an overflow interrupts"
        mov     dword [LAPIC_PERFORMANCE], 0A0h
        WRITE_MSR IA32_PERF_GLOBAL_CTRL, 0, 0
        WRITE_MSR IA32_PMC0, 0, -5
        WRITE_MSR IA32_PERFEVTSEL0, 0, COUNT_RETIRED | INTERRUPT_ON_OVERFLOW
        mov     ecx, IA32_PERF_GLOBAL_CTRL
        mov     edx, 0
        mov     eax, 1
        ATTEMPT
        sti
        wrmsr
        jmp     short .second
.second:
        jmp     short .third
.third: jmp     short .fourth
.fourth:
        jmp     short .here
.here:  nop
        nop
        cli
        ATTEMPT_END
        CHECK   [seen_vector], 0A0h
        CHECK   [seen_eip], .here
        mov     dword [LAPIC_EOI], 0
        WRITE_MSR IA32_PERF_GLOBAL_CTRL, 0, 0
        mov     eax, [LAPIC_PERFORMANCE]
        CHECK   eax, MASKED | 0A0h
        READ_MSR IA32_PERF_GLOBAL_STATUS
        CHECK   eax, 1
        WRITE_MSR IA32_PERF_GLOBAL_CLEAR, 0, 1
        READ_MSR IA32_PERF_GLOBAL_STATUS
        CHECK   eax, 0
        ; In the middle of a loop, as an NMI.
        mov     dword [LAPIC_PERFORMANCE], MODE_NMI
        WRITE_MSR IA32_PMC0, 0, -2004
        mov     ecx, IA32_PERF_GLOBAL_CTRL
        mov     edx, 0
        mov     eax, 1
        mov     ebx, 10000
        ATTEMPT
        wrmsr
        nop
.loop:  dec     ebx
        jnz     .loop
        ATTEMPT_END
        CHECK   [seen_vector], 2
        CHECK   [seen_ebx], 10000 - 1001
        CHECK   [seen_eip], .loop
        WRITE_MSR IA32_PERF_GLOBAL_CTRL, 0, 0
        WRITE_MSR IA32_PERF_GLOBAL_CLEAR, 0, 1
        ret

test_fixed_counters:
        TEST    "fixed counters"
        mov     ecx, 0Ah
        mov     eax, ecx
        cpuid
        and     eax, 0FFFFh
        CHECK   eax, 0202h
        and     edx, 1Fh
        CHECK   edx, 3
        WRITE_MSR IA32_FIXED_CTR0, 0, 0
        WRITE_MSR IA32_FIXED_CTR_CTRL, 0, 3
        WRITE_MSR IA32_PERF_GLOBAL_CTRL, 1, 0
        mov     ecx, 40000000h
        rdpmc
        CHECK   eax, 2
        WRITE_MSR IA32_PERF_GLOBAL_CTRL, 0, 0
        mov     ecx, IA32_FIXED_CTR0
        mov     edx, 10000h                     ; wider than it is
        EXPECT  GP, 0, wrmsr
        mov     ecx, IA32_PERF_GLOBAL_STATUS
        mov     edx, 0
        EXPECT  GP, 0, wrmsr
        ret

; EDX:EAX: the TSC in EBX ticks.
tsc_after:
        rdtsc
        add     eax, ebx
        adc     edx, 0
        ret

test_deadline:
        TEST    "the TSC's deadline"
        mov     dword [LAPIC_TIMER], DEADLINE_MODE | 0B0h
        mov     dword [LAPIC_INITIAL], 1000
        mov     eax, [LAPIC_CURRENT]
        CHECK   eax, 0
        rdtsc
        mov     ecx, IA32_TSC_DEADLINE
        ATTEMPT
        sti
        nop
        wrmsr                                   ; it is past
.now:   nop
        cli
        ATTEMPT_END
        CHECK   [seen_vector], 0B0h
        CHECK   [seen_eip], .now
        mov     dword [LAPIC_EOI], 0
        READ_MSR IA32_TSC_DEADLINE
        CHECK   eax, 0
        mov     ebx, 5000000
        call    tsc_after
        mov     esi, eax
        mov     ecx, IA32_TSC_DEADLINE
        wrmsr
        READ_MSR IA32_TSC_DEADLINE
        CHECK   eax, esi
        ATTEMPT
        sti
        hlt
        cli
        ATTEMPT_END
        CHECK   [seen_vector], 0B0h
        mov     dword [LAPIC_EOI], 0
        rdtsc
        sub     eax, esi
        shr     eax, 31                         ; not before its time
        CHECK   eax, 0
        mov     dword [LAPIC_TIMER], MASKED
        WRITE_MSR IA32_TSC_DEADLINE, 0, 1
        READ_MSR IA32_TSC_DEADLINE
        CHECK   eax, 0
        ret

test_tsc_adjust:
        TEST    "the TSC's adjustment"
        READ_MSR IA32_TSC_ADJUST
        CHECK   eax, 0
        CHECK   edx, 0
        WRITE_MSR IA32_TSC_ADJUST, 100h, 0
        rdtsc
        and     edx, 0FFFFFF00h
        CHECK   edx, 100h
        WRITE_MSR IA32_TSC, 200h, 0
        READ_MSR IA32_TSC_ADJUST
        sub     edx, 100h
        shr     edx, 4                          ; 200h less what had passed
        CHECK   edx, 0Fh
        WRITE_MSR IA32_TSC_ADJUST, 0, 0
        rdtsc
        and     edx, 0FFFFFF00h
        CHECK   edx, 0
        ret

test_x2apic:
        TEST    "x2APIC mode"
        READ_MSR IA32_APIC_BASE
        mov     esi, eax
        mov     ecx, X2APIC + 3
        EXPECT  GP, 0, rdmsr
        mov     ecx, IA32_APIC_BASE
        mov     eax, esi
        or      eax, 400h
        wrmsr
        mov     eax, [LAPIC_VERSION]
        CHECK   eax, 0FFFFFFFFh
        READ_MSR X2APIC + 3
        CHECK   eax, 50014h
        READ_MSR X2APIC + 0Dh
        CHECK   eax, 1
        mov     ecx, X2APIC + 3Fh
        mov     eax, 0C0h
        mov     edx, 0
        ATTEMPT
        sti
        nop
        wrmsr                                   ; to itself
.self:  nop
        cli
        ATTEMPT_END
        CHECK   [seen_vector], 0C0h
        CHECK   [seen_eip], .self
        READ_MSR X2APIC + 16h
        CHECK   eax, 1                          ; in service
        WRITE_MSR X2APIC + 0Bh, 0, 0
        READ_MSR X2APIC + 16h
        CHECK   eax, 0
        mov     ecx, X2APIC + 0Bh
        mov     eax, 1
        EXPECT  GP, 0, wrmsr
        mov     ecx, X2APIC + 2
        mov     eax, 0
        EXPECT  GP, 0, wrmsr
        mov     ecx, IA32_APIC_BASE             ; back only through the disabled state
        mov     eax, esi
        EXPECT  GP, 0, wrmsr
        mov     eax, esi
        and     eax, ~800h
        wrmsr
        mov     eax, esi
        or      eax, 400h
        EXPECT  GP, 0, wrmsr
        mov     eax, esi
        wrmsr
        mov     eax, [LAPIC_VERSION]
        CHECK   eax, 50014h
        ret

test_machine_check:
        TEST    "machine-check banks"
        READ_MSR IA32_MCG_CAP
        CHECK   eax, 105h
        WRITE_MSR IA32_MC0_CTL, -1, -1
        READ_MSR IA32_MC0_CTL
        CHECK   eax, -1
        CHECK   edx, -1
        mov     ecx, IA32_MC0_CTL
        mov     edx, 0
        EXPECT  GP, 0, wrmsr
        mov     ecx, IA32_MC0_CTL + 1
        mov     eax, 1
        EXPECT  GP, 0, wrmsr
        WRITE_MSR IA32_MC0_CTL + 1, 0, 0
        WRITE_MSR IA32_MC0_CTL + 2, 12345678h, 9ABCDEF0h
        READ_MSR IA32_MC0_CTL + 2
        CHECK   edx, 12345678h
        CHECK   eax, 9ABCDEF0h
        mov     ecx, IA32_MC0_CTL + 20          ; beyond the last
        EXPECT  GP, 0, rdmsr
        ret

%include "image_end.inc"

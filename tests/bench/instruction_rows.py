"""The table of instruction_bench.py: what is timed.

A row is (name, body, setup, prepare). The body is repeated in a loop; `@` in it is another label at
each repetition. The setup is run once before the loop, and `prepare` once before all runs.
"""

# Real mode: DS and ES are free memory; BX, SI and DI hold offsets in it, CX, DX, AX small numbers.
REAL_SETUP = """mov ax, DATA_SEGMENT
mov ds, ax
mov ax, EXTRA_SEGMENT
mov es, ax
mov bx, 100h
mov si, 200h
mov di, 300h
mov bp, 6000h
mov eax, 5
mov ecx, 3
mov edx, 7"""

# 32-bit, flat: the registers likewise.
FLAT_SETUP = """mov ebx, DATA + 100h
mov esi, DATA + 1000h
mov edi, DATA + 11000h
mov ebp, DATA + 20000h
mov eax, 5
mov ecx, 3
mov edx, 7"""

BOTH = []  # in 16 and 32 bits: {a}, {b}, {c}, {d}, {si}, {di} are registers of the mode's size
for op in "add adc and sub sbb xor cmp test mov xchg".split():
    BOTH += [(f"{op} r,r", f"{op} {{a}}, {{d}}"), (f"{op} m,r", f"{op} [{{b}}], {{a}}")]
    BOTH += [(f"{op} r8,r8", f"{op} ah, dl"), (f"{op} m8,r8", f"{op} [{{b}}], dl")]
    if op != "xchg":
        BOTH += [(f"{op} r,i", f"{op} {{a}}, 123"), (f"{op} m,i", f"{op} word [{{b}}], 123")]
    if op not in ("test", "xchg"):
        BOTH += [(f"{op} r,m", f"{op} {{a}}, [{{b}}]"), (f"{op} r8,m8", f"{op} dh, [{{b}}]")]
for op in "inc dec neg not".split():
    BOTH += [(f"{op} r", f"{op} {{a}}"), (f"{op} r8", f"{op} ah"), (f"{op} m", f"{op} word [{{b}}]"),
             (f"{op} m8", f"{op} byte [{{b}}]")]
for op in "shl shr sar rol ror rcl rcr".split():
    BOTH += [(f"{op} r,1", f"{op} {{a}}, 1"), (f"{op} r,5", f"{op} {{a}}, 5"),
             (f"{op} r,cl", f"{op} {{a}}, cl"), (f"{op} r8,cl", f"{op} ah, cl"),
             (f"{op} m,1", f"{op} word [{{b}}], 1"), (f"{op} m8,cl", f"{op} byte [{{b}}], cl")]
for op in "shld shrd".split():
    BOTH += [(f"{op} r16,r,5", f"{op} ax, dx, 5"), (f"{op} r16,r,cl", f"{op} ax, dx, cl"),
             (f"{op} r32,r,5", f"{op} eax, edx, 5"), (f"{op} r32,r,cl", f"{op} eax, edx, cl"),
             (f"{op} m16,r,5", f"{op} [{{b}}], dx, 5"), (f"{op} m32,r,cl", f"{op} [{{b}}], edx, cl")]
for op in "bt bts btr btc".split():
    BOTH += [(f"{op} r,r", f"{op} {{a}}, {{d}}"), (f"{op} r,i", f"{op} {{a}}, 3"),
             (f"{op} m,i", f"{op} word [{{b}}], 3"), (f"{op} m,r", f"{op} [{{b}}], {{d}}")]
for op in "bsf bsr popcnt lzcnt tzcnt".split():
    BOTH += [(f"{op} r,r", f"{op} {{a}}, {{d}}"), (f"{op} r,m", f"{op} {{a}}, [{{b}}]", "inc byte [{b}]")]
BOTH += [
    ("movzx r,r8", "movzx {a}, dl"), ("movzx r,m8", "movzx {a}, byte [{b}]"),
    ("movsx r,r8", "movsx {a}, dh"), ("movsx r,m8", "movsx {a}, byte [{b}]"),
    ("movzx r32,m16", "movzx eax, word [{b}]"), ("bswap", "bswap eax"),
    ("lea", "lea {a}, [{b} + {si} + 5]"), ("cbw", "cbw"), ("cwd", "cwd"), ("cdq", "cdq"),
    ("mul r8", "mul dl"), ("mul r16", "mul cx"), ("mul r32", "mul ecx"), ("mul m16", "mul word [{b}]"),
    ("imul r8", "imul dl"), ("imul r16", "imul cx"), ("imul r32", "imul ecx"),
    ("imul r,r", "imul {a}, {c}"), ("imul r,r,i", "imul {a}, {c}, 7"), ("imul r,m", "imul {a}, [{b}]"),
    ("div r8", "mov ax, 100\ndiv cl"), ("div r16", "xor dx, dx\nmov ax, 100\ndiv cx"),
    ("div r32", "xor edx, edx\nmov eax, 100\ndiv ecx"),
    ("div m16", "xor dx, dx\nmov ax, 100\ndiv word [{b}]", "mov word [{b}], 3"),
    ("idiv r8", "mov ax, 100\nidiv cl"), ("idiv r16", "mov ax, 100\ncwd\nidiv cx"),
    ("idiv r32", "mov eax, 100\ncdq\nidiv ecx"),
    ("idiv m16", "mov ax, 100\ncwd\nidiv word [{b}]", "mov word [{b}], 3"),
    ("idiv m8", "mov ax, 100\nidiv byte [{b}]", "mov word [{b}], 3"),
    ("daa", "add al, 27h\ndaa"), ("das", "sub al, 27h\ndas"), ("aaa", "add al, 5\naaa"),
    ("aas", "sub al, 5\naas"), ("aam", "mov al, 57\naam"), ("aad", "mov ax, 507h\naad"),
    ("salc", "db 0D6h"), ("xlat", "xlatb"), ("lahf", "lahf"), ("sahf", "sahf"),
    ("clc", "clc"), ("stc", "stc"), ("cmc", "cmc"), ("cld", "cld"), ("std cld", "std\ncld"),
    ("cli", "cli"), ("cli sti", "sti\ncli"), ("pushf popf", "pushf\npopf"),
    ("pushf cli popf", "pushf\ncli\npopf"), ("nop", "nop"), ("pause", "pause"), ("wait", "wait"),
    ("setz r8", "setz al"), ("setl m8", "cmp {a}, {d}\nsetl byte [{b}]"),
    ("cmovz r,r", "cmp {a}, {d}\ncmovz {a}, {c}"), ("cmovl r,m", "cmp {a}, {d}\ncmovl {a}, [{b}]"),
    ("jcc taken", "cmp {a}, {d}\njnz @\n@:"), ("jcc not taken", "cmp {a}, {d}\njz @\n@:"),
    ("jmp", "jmp @\n@:"), ("jcxz", "j{c}z @\n@:"), ("loop", "mov {c}, 5\n@: loop @"),
    ("loopne", "mov {c}, 5\n@: loopne @"), ("loope", "mov {c}, 5\ncmp {c}, {c}\n@: loope @"),
    ("push pop r", "push {a}\npop {d}"), ("push pop m", "push word [{b}]\npop word [{b}]"),
    ("push i", "push 5\npop {d}"), ("pusha popa", "pusha\npopa"),
    ("pushad popad", "pushad\npopad"), ("enter 0 leave", "enter 8, 0\nleave"),
    ("enter 1 leave", "enter 8, 1\nleave"), ("enter 3 leave", "enter 8, 3\nleave", "mov {bp}, {sp}"),
    ("bound", "bound {a}, [{b}]", "mov dword [{b}], 0\nmov dword [{b} + {w}], 999"),
    ("into", "test {a}, {a}\ninto"),
    ("cmpxchg r,r", "cmpxchg {d}, {c}"), ("cmpxchg m,r", "cmpxchg [{b}], {c}"),
    ("lock cmpxchg m,r", "lock cmpxchg [{b}], {c}"), ("lock inc m", "lock inc word [{b}]"),
    ("lock add m,r", "lock add [{b}], {a}"), ("lock xadd m,r", "lock xadd [{b}], {a}"),
    ("xadd r,r", "xadd {a}, {d}"), ("cmpxchg8b", "cmpxchg8b [{b}]"),
    ("lock cmpxchg8b", "lock cmpxchg8b [{b}]"), ("movbe r32,m", "movbe eax, [{b}]"),
    ("movbe r16,m", "movbe ax, [{b}]"), ("crc32 r8", "crc32 eax, dl"), ("crc32 r32", "crc32 eax, edx"),
    ("adcx", "adcx eax, edx"), ("adox", "adox eax, edx"), ("rdtsc", "rdtsc"), ("rdtscp", "rdtscp"), ("rdpmc", ""),
    ("cpuid", "xor eax, eax\npush {b}\ncpuid\npop {b}"), ("rdrand", "rdrand eax"),
    ("mov r,sreg", "mov ax, ds"), ("mov m,sreg", "mov [{b}], ds"),
    ("mov ds,r", "mov ds, ax", "mov ax, ds"), ("mov es,r", "mov es, ax", "mov ax, es"),
    ("mov fs,r", "mov fs, ax", "mov ax, es"), ("mov es,m", "mov es, [{b}]", "mov ax, es\nmov [{b}], ax"),
    ("mov ss,r", "mov ss, ax\nnop", "mov ax, ss"), ("push pop ds", "push ds\npop ds"),
    ("push pop es", "push es\npop es"), ("push pop fs", "push fs\npop fs"), ("push pop ss", "push ss\npop ss\nnop"),
    ("push ds pop es", "push ds\npop es\nmov al, [es:{di}]"),
    ("les", "les {di}, [{b}]", "mov [{b}], {di}\nmov ax, es\nmov [{b} + {w}], ax"),
    ("lds", "lds {si}, [{b}]", "mov [{b}], {si}\nmov ax, ds\nmov [{b} + {w}], ax"),
    ("lfs", "lfs {di}, [{b}]", "mov [{b}], {di}\nmov ax, ds\nmov [{b} + {w}], ax"),
    ("lss", "lss {sp}, [{b}]\nnop", "mov [{b}], {sp}\nmov ax, ss\nmov [{b} + {w}], ax"),
    ("les + es:", "les {di}, [{b}]\nmov al, [es:{di}]", "mov [{b}], {di}\nmov ax, es\nmov [{b} + {w}], ax"),
    ("call ret", "call {near}"), ("call ret n", "push 5\ncall @\njmp @2\n@: ret {w}\n@2:"),
    ("call r", "call {a}", "mov {a}, {near}"), ("call m", "call [{b}]", "mov {a}, {near}\nmov [{b}], {a}"),
    ("jmp r", "mov {a}, @\njmp {a}\n@:"), ("push ret", "push @\nret\n@:"),
    ("call far ret far", "call {far}"), ("call far m", "call far [{b}]", "{farptr}"),
    ("push cs call ret far", "push cs\ncall {farproc}"),
    ("jmp far", "jmp {cs}:@\n@:"), ("int iret", "int {vector}"), ("int3 iret", ""),
    ("pushf call far iret", ""),
    ("in al,80h", "in al, 80h"), ("out 80h,al", "out 80h, al"), ("in al,61h", "in al, 61h"),
    ("in al,21h", "in al, 21h"), ("out 21h,al", "mov al, 0FFh\nout 21h, al"),
    ("in al,40h", "in al, 40h"), ("in al,3DAh", "in al, dx", "mov dx, 3DAh"),
    ("in al,1F7h", "in al, dx", "mov dx, 1F7h"), ("in al,64h", "in al, 64h"), ("in al,3FDh", "in al, dx", "mov dx, 3FDh"),
    ("in ax,1F0h", "in ax, dx", "mov dx, 1F0h"), ("in al,300h none", "in al, dx", "mov dx, 300h"),
    ("out 3C4h,ax", "mov ax, 0F02h\nout dx, ax", "mov dx, 3C4h"),
    ("out 3CEh,ax", "mov ax, 0FF08h\nout dx, ax", "mov dx, 3CEh"), ("out 3C8h 3C9h", "mov dx, 3C8h\nmov al, 1\nout dx, al\ninc dx\nout dx, al\nout dx, al\nout dx, al"),
    ("out cf8h", "out dx, eax", "mov dx, 0CF8h\nmov eax, 80000000h"),
    ("lodsb", "lodsb"), ("lodsw", "lodsw"), ("lodsd", "lodsd"), ("stosb", "stosb"), ("stosd", "stosd"),
    ("movsb", "movsb"), ("movsw", "movsw"), ("movsd", "movsd"), ("cmpsb", "cmpsb"), ("scasb", "scasb"), ("scasw", "scasw"),
    ("insb 80h", "insb", "mov dx, 80h"), ("outsb 80h", "outsb", "mov dx, 80h"),
    ("mov r,m unaligned", "mov eax, [{b} + 1]"), ("mov m,r unaligned", "mov [{b} + 1], eax"),
    ("add m,r unaligned", "add [{b} + 3], eax"), ("mov r16,m unaligned", "mov ax, [{b} + 1]"),
    ("mov r,m page-crossing", "mov eax, [{page} - 2]"), ("mov m,r page-crossing", "mov [{page} - 2], eax"),
    ("add m,r page-crossing", "add [{page} - 2], eax"),
    ("smsw", "smsw ax"), ("sgdt", "sgdt [{b}]"), ("sidt", "sidt [{b}]"), ("mov r,cr0", "mov eax, cr0"),
    ("mov cr0,r", "mov cr0, eax", "mov eax, cr0"), ("clts", "clts"), ("mov r,dr7", "mov eax, dr7"),
    ("lidt", "sidt [{b}]\nlidt [{b}]"), ("invd-like wbinvd", "wbinvd"), ("rdmsr", "rdmsr", "mov ecx, 10h"),
    ("mov r,cr4", "mov eax, cr4"),
]
for op in "movsb movsw movsd stosb stosw stosd lodsb cmpsb cmpsd scasb scasd".split():
    rep = {"cmpsb": "repe", "cmpsd": "repe", "scasb": "repne", "scasd": "repne"}.get(op, "rep")
    setup = "mov eax, -1" if op.startswith("scas") else ""
    for length in (0, 1, 2, 3, 4, 8, 16, 64, 256, 1024):
        BOTH.append((f"{rep} {op} {length}",
                     f"mov {{si}}, {{s0}}\nmov {{di}}, {{d0}}\nmov {{c}}, {length}\n{rep} {op}", setup))
BOTH.append(("rep movsb 256 overlapping", "mov {si}, {s0}\nlea {di}, [{si} + 1]\nmov {c}, 256\nrep movsb"))
BOTH.append(("std rep movsb 256", "std\nmov {si}, {s0}\nlea {di}, [{s0} + 901]\nmov {c}, 256\nrep movsb\ncld"))
BOTH.append(("std rep movsd 64", "std\nmov {si}, {s0}\nlea {di}, [{s0} + 901]\nmov {c}, 64\nrep movsd\ncld"))
BOTH.append(("rep insb 80h 256", "mov {di}, {d0}\nmov {c}, 256\nrep insb", "mov dx, 80h"))
BOTH.append(("rep outsb 80h 256", "mov {si}, {s0}\nmov {c}, 256\nrep outsb", "mov dx, 80h"))
BOTH.append(("rep insw 1F0h 256", "mov {di}, {d0}\nmov {c}, 256\nrep insw", "mov dx, 1F0h"))

FLOAT_SETUP = """fninit
fldz
fld1
fldpi
fstp qword [{b} + 16]
fld1
fstp dword [{b} + 32]
fldpi
fstp tword [{b} + 48]
mov dword [{b} + 64], 12345
mov dword [{b} + 68], 0
mov word [{b} + 80], 37Fh"""

X87 = [(op, op) for op in """fadd st0,st1;fsub st0,st1;fmul st0,st1;fdiv st0,st1;fadd st1,st0;fdivr st0,st1
fadd dword [{b} + 32];fadd qword [{b} + 16];fmul qword [{b} + 16];fiadd dword [{b} + 64];fimul word [{b} + 64]
fchs;fabs;fxch;ftst;fxam;fcom st1;fucom st1;fcomi st0,st1;fucomi st0,st1;fcmovb st0,st1;fcmovne st0,st1
fnop;fdecstp;fincstp;fnclex;fnstsw ax;fnstsw [{b}];fnstcw [{b}];fldcw [{b} + 80];fsqrt;frndint
fst dword [{b}];fst qword [{b}];fist dword [{b}];fist word [{b}];ffree st5;fcom qword [{b} + 16]""".replace("\n", ";").split(";")]
X87 += [(" ".join(op.split("\n")), op) for op in [
    "fld dword [{b} + 32]\nfstp dword [{b}]", "fld qword [{b} + 16]\nfstp qword [{b}]",
    "fld tword [{b} + 48]\nfstp tword [{b}]", "fild dword [{b} + 64]\nfistp dword [{b}]",
    "fild word [{b} + 64]\nfistp word [{b}]", "fild qword [{b} + 64]\nfistp qword [{b}]",
    "fild dword [{b} + 64]\nfisttp dword [{b}]",
    "fild qword [{b} + 64]\nfbstp [{b}]", "fbld [{b} + 96]\nfstp st0",
    "fld1\nfstp st0", "fldpi\nfstp st0", "fldl2e\nfstp st0", "fldz\nfcompp\nfldz\nfldz", "fld st0\nfaddp",
    "fld1\nfcomp st1\nfnstsw ax\nsahf", "fninit", "fnstenv [{b}]\nfldenv [{b}]", "fnsave [{b}]\nfrstor [{b}]",
    "fxsave [{b} + 256]\nfxrstor [{b} + 256]", "fxsave [{b} + 256]",
    "fld qword [{b} + 16]\nfsin\nfstp st0", "fld1\nfcos\nfstp st0", "fld1\nfsincos\nfstp st0\nfstp st0",
    "fld1\nfptan\nfstp st0\nfstp st0", "fld1\nfldpi\nfpatan\nfstp st0", "fldl2e\nfld1\nfscale\nfstp st0\nfstp st0",
    "fld1\nf2xm1\nfstp st0", "fld1\nfldpi\nfyl2x\nfstp st0", "fldpi\nfld qword [{b} + 104]\nfyl2xp1\nfstp st0",
    "fldl2e\nfldpi\nfprem\nfstp st0\nfstp st0", "fldl2e\nfldpi\nfprem1\nfstp st0\nfstp st0",
    "fldpi\nfxtract\nfstp st0\nfstp st0",
    "fld1\nfldz\nfdivp st1,st0\nfstp st0", "fldz\nfld qword [{b} + 112]\nfmul st0,st0\nfstp st0\nfstp st0",
]]

MMX = "paddb paddd psubw pmullw pmaddwd pand pxor pcmpeqb pcmpgtw packsswb packuswb punpcklbw punpckhdq psllw psrad".split()
SSE_PS = "addps subps mulps divps minps maxps sqrtps rsqrtps rcpps andps xorps cmpltps unpcklps".split()
SSE_SS = "addss mulss divss sqrtss rsqrtss rcpss minss cvtss2sd ucomiss comiss".split()
SSE2_PD = "addpd mulpd divpd sqrtpd minpd andnpd cmpltpd unpckhpd cvtps2pd cvtpd2ps cvtdq2ps cvtps2dq cvttpd2dq cvtdq2pd".split()
SSE2_SD = "addsd mulsd divsd sqrtsd maxsd ucomisd cvtsd2ss".split()
SSE2_INT = """paddb paddq psubd pmullw pmulhw pmuludq pmaddwd pand pxor pandn pcmpeqd pcmpgtb packssdw punpcklbw
punpcklqdq psllw psrld psrlq pavgb psadbw pminub pmaxsw pshufb phaddw phaddd pabsd pmulhrsw psignb pmulld pminsd pmaxud
pmuldq pcmpeqq packusdw pcmpgtq ptest haddps addsubpd hsubpd aesenc aesdec aesimc pmovzxbw pmovsxwd movshdup movddup movsldup""".split()

VECTOR = [(f"{op} mm,mm", f"{op} mm0, mm1") for op in MMX]
VECTOR += [("movd mm,r movd r,mm", "movd mm0, eax\nmovd eax, mm0"), ("movq mm,m movq m,mm", "movq mm0, [{b}]\nmovq [{b} + 8], mm0"),
           ("emms movq", "emms\nmovq mm0, mm1"), ("paddb mm,m", "paddb mm0, [{b}]"), ("pshufw", "pshufw mm0, mm1, 5"),
           ("pextrw r,mm", "pextrw eax, mm0, 1"), ("pmovmskb r,mm", "pmovmskb eax, mm0"), ("movntq", "movntq [{b}], mm0"),
           ("maskmovq", "push {di}\nmov {di}, {b}\nmaskmovq mm0, mm1\npop {di}")]
VECTOR += [(f"{op} x,x", f"{op} xmm0, xmm1") for op in SSE_PS + SSE_SS + SSE2_PD + SSE2_SD + SSE2_INT]
VECTOR += [(f"{op} x,m", f"{op} xmm0, [{{b}}]") for op in "addps mulss addsd paddd pxor cvtss2sd".split()]
VECTOR += [
    ("movaps x,m movaps m,x", "movaps xmm0, [{b}]\nmovaps [{b} + 16], xmm0"), ("movups unaligned", "movups xmm0, [{b} + 3]\nmovups [{b} + 35], xmm0"),
    ("movdqu unaligned", "movdqu xmm0, [{b} + 5]"), ("lddqu", "lddqu xmm0, [{b} + 5]"), ("movss x,m movss m,x", "movss xmm0, [{b}]\nmovss [{b} + 4], xmm0"),
    ("movsd x,m movsd m,x", "movsd xmm0, [{b}]\nmovsd [{b} + 8], xmm0"), ("movlps movhps", "movlps xmm0, [{b}]\nmovhps [{b} + 8], xmm0"),
    ("movhlps", "movhlps xmm0, xmm1"), ("movmskps", "movmskps eax, xmm0"), ("pmovmskb r,x", "pmovmskb eax, xmm0"),
    ("cvtsi2ss r", "cvtsi2ss xmm0, eax"), ("cvtsi2sd r", "cvtsi2sd xmm0, eax"), ("cvttss2si", "cvttss2si eax, xmm1"),
    ("cvttsd2si", "cvttsd2si eax, xmm1"), ("cvtsd2si", "cvtsd2si eax, xmm1"), ("cvtpi2ps", "cvtpi2ps xmm0, mm0"), ("cvtps2pi", "cvtps2pi mm0, xmm0"),
    ("shufps", "shufps xmm0, xmm1, 5"), ("pshufd", "pshufd xmm0, xmm1, 5"), ("pshuflw", "pshuflw xmm0, xmm1, 5"), ("shufpd", "shufpd xmm0, xmm1, 1"),
    ("psllw x,i", "psllw xmm0, 3"), ("pslldq", "pslldq xmm0, 3"), ("pextrw r,x", "pextrw eax, xmm0, 3"), ("pinsrw x,r", "pinsrw xmm0, eax, 3"),
    ("movd x,r movd r,x", "movd xmm0, eax\nmovd eax, xmm0"), ("movq x,x", "movq xmm0, xmm1"), ("movq2dq", "movq2dq xmm0, mm0"), ("movdq2q", "movdq2q mm0, xmm0"),
    ("movntdq", "movntdq [{b}], xmm0"), ("movntps", "movntps [{b}], xmm0"), ("movnti", "movnti [{b}], eax"), ("maskmovdqu", "push {di}\nmov {di}, {b}\nmaskmovdqu xmm0, xmm1\npop {di}"),
    ("ldmxcsr stmxcsr", "stmxcsr [{b}]\nldmxcsr [{b}]"), ("prefetcht0", "prefetcht0 [{b}]"), ("prefetchnta", "prefetchnta [{b}]"), ("prefetchw", "prefetchw [{b}]"),
    ("sfence", "sfence"), ("mfence", "mfence"), ("lfence", "lfence"), ("clflush", "clflush [{b}]"),
    ("palignr", "palignr xmm0, xmm1, 5"), ("blendps", "blendps xmm0, xmm1, 5"), ("blendvps", "blendvps xmm3, xmm1, xmm0"), ("pblendvb", "pblendvb xmm3, xmm1, xmm0"),
    ("pblendw", "pblendw xmm0, xmm1, 5"), ("roundsd", "roundsd xmm0, xmm1, 1"), ("roundps", "roundps xmm0, xmm1, 1"), ("dpps", "dpps xmm0, xmm1, 31h"), ("dppd", "dppd xmm0, xmm1, 31h"),
    ("insertps", "insertps xmm0, xmm1, 10h"), ("extractps", "extractps eax, xmm0, 1"), ("pextrd", "pextrd eax, xmm0, 1"), ("pextrb", "pextrb eax, xmm0, 1"), ("pinsrd", "pinsrd xmm0, eax, 1"), ("pinsrb", "pinsrb xmm0, eax, 1"),
    ("mpsadbw", "mpsadbw xmm0, xmm1, 1"), ("phminposuw", "phminposuw xmm0, xmm1"), ("movntdqa", "movntdqa xmm0, [{b}]"),
    ("pcmpistri", "pcmpistri xmm0, xmm1, 8"), ("pcmpestri", "pcmpestri xmm0, xmm1, 8"), ("pcmpistrm", "pcmpistrm xmm1, xmm2, 8"), ("pclmulqdq", "pclmulqdq xmm0, xmm1, 1"),
    ("aeskeygenassist", "aeskeygenassist xmm0, xmm1, 1"),
]
VECTOR_SETUP = "fninit\npxor xmm0, xmm0\nmov eax, 3F8CCCCDh\nmovd xmm1, eax\npshufd xmm1, xmm1, 0\nmovaps xmm2, xmm1\nmov eax, 5"

# Only in 32-bit protected mode.
FLAT = [
    ("lar", "lar eax, ecx", "mov ecx, SELECTOR_DATA32"), ("lsl", "lsl eax, ecx", "mov ecx, SELECTOR_DATA32"),
    ("verr", "verr cx", "mov ecx, SELECTOR_DATA32"), ("verw", "verw cx", "mov ecx, SELECTOR_DATA32"),
    ("arpl", "arpl ax, cx"), ("sldt", "sldt ax"), ("str", "str ax"), ("lldt", "lldt ax", "xor eax, eax"),
    ("call gate", "call SELECTOR_GATE:0"), ("mov ds,other", "mov ds, eax\nmov ds, ecx", "mov eax, SELECTOR_BASED\nmov ecx, SELECTOR_DATA32"),
    ("mov gs,other", "mov gs, eax\nmov gs, ecx", "mov eax, SELECTOR_BASED\nmov ecx, SELECTOR_BIG_BASED"),
    ("mov gs,null", "mov gs, eax", "xor eax, eax"), ("mov cr3,r", "mov cr3, eax", "mov eax, cr3"),
    ("mov cr3,r load", "mov cr3, eax\nmov ecx, [ebx]", "mov eax, cr3"),
    ("invlpg", "invlpg [ebx]"), ("invlpg load", "invlpg [ebx]\nmov eax, [ebx]"), ("mov r,cr3", "mov eax, cr3"),
    ("es: based load", "mov eax, [es:100h]", "mov eax, SELECTOR_BIG_BASED\nmov es, eax"),
    ("gs: based load", "mov eax, [gs:ecx + 100h]", "mov eax, SELECTOR_BIG_BASED\nmov gs, eax"),
    ("gs: based store", "mov [gs:ecx + 101h], eax", "mov eax, SELECTOR_BIG_BASED\nmov gs, eax"),
    ("ds based add m,r", "add [ecx + 100h], eax", "mov eax, SELECTOR_BIG_BASED\nmov ds, eax"),
    ("ds based add r,m8", "add al, [ecx + 100h]", "mov eax, SELECTOR_BIG_BASED\nmov ds, eax"),
    ("based rep movsd 16", "xor esi, esi\nmov edi, 1000h\nmov ecx, 16\nrep movsd", "mov eax, SELECTOR_BIG_BASED\nmov ds, eax\nmov es, eax"),
    ("based rep movsd 256", "xor esi, esi\nmov edi, 1000h\nmov ecx, 256\nrep movsd", "mov eax, SELECTOR_BIG_BASED\nmov ds, eax\nmov es, eax"),
    ("cs: load", "mov eax, [cs:ebx]"), ("16-bit address", "mov al, [bx + si]", "mov ebx, 4000h\nmov esi, 6"),
    ("text memory write", "mov [0B8000h + ecx], ax"), ("text memory read", "mov ax, [0B8000h + ecx]"),
    ("text rep stosw 80", "mov edi, 0B8000h\nmov ecx, 80\nrep stosw"), ("text rep movsd 960", "mov edi, 0B8000h\nmov esi, 0B80A0h\nmov ecx, 960\nrep movsd"),
    ("apic read", "mov eax, [0FEE00020h]", "", ""), ("rep movsd 4096", "mov esi, DATA\nmov edi, DATA+10000h\nmov ecx, 4096\nrep movsd"),
    ("rep stosd 16384", "mov edi, DATA+10000h\nmov ecx, 16384\nrep stosd"),
    ("repe cmpsd 4096", "mov esi, DATA+30000h\nmov edi, DATA+50000h\nmov ecx, 4096\nrepe cmpsd"),
    ("repne scasb 4096", "mov edi, DATA+30000h\nmov eax, -1\nmov ecx, 4096\nrepne scasb"),
    ("xmm unaligned page-crossing", "movups xmm0, [{page} - 8]"),
    ("fld page-crossing", "fld qword [{page} - 4]\nfstp st0", "fninit"),
]
FLAT = [row for row in FLAT if row[0] != "apic read"]

# Only in real mode: display memory by mode of the BIOS.
PLANAR = "mov ax, {mode}\nint 10h\nsti\nhlt\nhlt\nhlt\ncli"
REAL_VGA = "mov ax, 0A000h\nmov es, ax"
MODE_X = PLANAR.format(mode="13h") + "\nmov dx, 3C4h\nmov ax, 604h\nout dx, ax\nmov ax, 0F02h\nout dx, ax\nmov dx, 3D4h\nmov ax, 14h\nout dx, ax\nmov ax, 0E317h\nout dx, ax"
REAL = []
for mode, prepare in (("12h", PLANAR.format(mode="12h")), ("13h", PLANAR.format(mode="13h")), ("X", MODE_X)):
    REAL += [
        (f"VGA {mode} write byte", "mov [es:di], al", REAL_VGA, prepare), (f"VGA {mode} write word", "mov [es:di], ax", REAL_VGA, prepare),
        (f"VGA {mode} write dword", "mov [es:di], eax", REAL_VGA, prepare),
        (f"VGA {mode} read byte", "mov al, [es:di]", REAL_VGA, prepare), (f"VGA {mode} or byte", "or [es:di], al", REAL_VGA, prepare),
        (f"VGA {mode} xchg", "xchg [es:di], al", REAL_VGA, prepare),
        (f"VGA {mode} stosb", "stosb", REAL_VGA, prepare),
        (f"VGA {mode} rep stosb 80", "mov di, 300h\nmov cx, 80\nrep stosb", REAL_VGA, prepare),
        (f"VGA {mode} rep stosw 4000", "mov di, 300h\nmov cx, 4000\nrep stosw", REAL_VGA, prepare),
        (f"VGA {mode} rep movsb 80 from RAM", "mov di, 300h\nmov si, di\nmov cx, 80\nrep movsb", REAL_VGA, prepare),
        (f"VGA {mode} rep movsb 80 within", "mov di, 300h\nmov si, 1000h\nmov cx, 80\nes rep movsb", REAL_VGA, prepare),
        (f"VGA {mode} rep lodsb 80", "mov si, 1000h\nmov cx, 80\nes rep lodsb", REAL_VGA, prepare),
    ]
REAL += [
    ("VGA 12h mask and or", "mov ax, 8008h\nmov dx, 3CEh\nout dx, ax\nor [es:di], al", REAL_VGA, PLANAR.format(mode="12h")),
    ("VGA 12h map mask, write", "mov ax, 0102h\nmov dx, 3C4h\nout dx, ax\nmov [es:di], al", REAL_VGA, PLANAR.format(mode="12h")),
    ("VGA 12h write mode 2", "mov al, [es:di]\nmov [es:di], dl", REAL_VGA, PLANAR.format(mode="12h") + "\nmov dx, 3CEh\nmov ax, 205h\nout dx, ax"),
    ("VGA 12h write mode 1 rep movsb 80", "mov di, 300h\nmov si, 1000h\nmov cx, 80\nes rep movsb", REAL_VGA, PLANAR.format(mode="12h") + "\nmov dx, 3CEh\nmov ax, 105h\nout dx, ax"),
    ("VGA text write", "mov [es:di], ax", "mov ax, 0B800h\nmov es, ax", PLANAR.format(mode="3")),
    ("VGA text rep stosw 80", "mov di, 0\nmov cx, 80\nrep stosw", "mov ax, 0B800h\nmov es, ax", PLANAR.format(mode="3")),
    ("VGA text rep movsw 1920", "mov di, 0\nmov si, 160\nmov cx, 1920\nes rep movsw", "mov ax, 0B800h\nmov es, ax", PLANAR.format(mode="3")),
    ("CGA 4 write byte", "xor [es:di], al", "mov ax, 0B800h\nmov es, ax", PLANAR.format(mode="4")),
    ("int 16h ah=1", "mov ah, 1\nint 16h"), ("int 1Ah ah=0", "mov ah, 0\nint 1Ah"), ("int 10h ah=3", "mov ah, 3\nmov bh, 0\nint 10h"),
    ("int 21h-like iret", "int 60h"), ("mov ds, es:, ds back", "push ds\npush es\npop ds\nmov al, [si]\npop ds"),
    ("far call with frame", "push bp\nmov bp, sp\npush 5\ncall 0:real_far_procedure\npop ax\npop bp"),
    ("32-bit address in real mode", "mov al, [ebx + esi * 2]", "movzx ebx, bx\nmovzx esi, si"),
    ("store beside code", "mov [cs:@d], ax\njmp @\n@d: dw 0\n@:"),
    ("stack beside code", "push ax\npop dx"),
    ("aam table", "mov al, 99\naam\nadd ax, 3030h"),
]

"""Cases of system state, drawn from a seed: tables full of odd descriptors, and one instruction.

A case is a state of the arena (arena.inc) and of the registers that case_runner.asm loads. Most of it is good, so that
the instruction gets far; then some things that it uses are spoilt. What comes of it nobody says here: the
emulators that run the case must agree.
"""
import random
import struct

ARENA = 0x30000
GDT, LDT_A, LDT_B, IDT = 0, 0x1000, 0x1100, 0x2000
TSS_MAIN, TSS_A, TSS_B, TSS_C, TSS_D = 0x3000, 0x3400, 0x3600, 0x3800, 0x3900
STACK_TOPS = (0x4800, 0x5800, 0x6000, 0x6800)
TASK_STACK, DATA, ENTRY, CODE, LANDING = 0x4C00, 0x7000, 0x8000, 0x9000, 0x9800
PAGE_DIRECTORY, PAGE_TABLE, ARENA_SIZE = 0xA000, 0xB000, 0xC000

ENTRY_GPR, ENTRY_SEGMENTS, ENTRY_LDTR, ENTRY_TR = 0, 0x20, 0x30, 0x34
ENTRY_CR0, ENTRY_CR4, ENTRY_DR, ENTRY_FRAME = 0x38, 0x3C, 0x40, 0x60
FRAME_NAMES = ("eip", "cs", "eflags", "esp", "ss", "es", "ds", "fs", "gs")

FIRST_FREE, GDT_END = 0xA8, 0x200
FLAT_CODE = (0x08, 0x39, 0x4A, 0x2B)
FLAT_DATA = (0x10, 0x41, 0x52, 0x33)
STACK16 = (0x88, 0x91, 0x9A, 0xA3)
TSS_SELECTORS = {0x68: TSS_A, 0x70: TSS_B, 0x78: TSS_C, 0x80: TSS_D}

CF_TO_OF = 0x8D5
TF, IF, IOPL, NT, RF, VM, AC, VIF, VIP, ID = (0x100, 0x200, 0x3000, 0x4000, 0x10000, 0x20000, 0x40000,
                                              0x80000, 0x100000, 0x200000)
PE, MP, EM, TS, ET, NE, WP, AM, PG = 1, 2, 4, 8, 0x10, 0x20, 0x10000, 0x40000, 0x80000000
CR4_VME, CR4_PVI, CR4_TSD, CR4_DE = 1, 2, 4, 8

# Instructions by name; those of LOOKS work on AX and ECX.
LOOKS = {"LAR": b"\x0F\x02\xC8", "LSL": b"\x0F\x03\xC8", "VERR": b"\x0F\x00\xE0", "VERW": b"\x0F\x00\xE8",
         "ARPL": b"\x63\xC8"}
POPS = {"POP ES": b"\x07", "POP SS": b"\x17", "POP DS": b"\x1F", "POP FS": b"\x0F\xA1", "POP GS": b"\x0F\xA9"}
FAR_POINTERS = {"LES": b"\xC4", "LDS": b"\xC5", "LSS": b"\x0F\xB2", "LFS": b"\x0F\xB4", "LGS": b"\x0F\xB5"}


def make_descriptor(base, limit, access, flags):
    """The eight bytes. FLAGS: G D/B L AVL."""
    return struct.pack("<HHBBBB", limit & 0xFFFF, base & 0xFFFF, base >> 16 & 255, access,
                       flags << 4 | limit >> 16 & 15, base >> 24)


def make_gate(offset, selector, access, count=0):
    return struct.pack("<HHBBH", offset & 0xFFFF, selector, count, access, offset >> 16)


class Case:
    def __init__(self, seed):
        self.seed = seed
        self.random = random.Random(seed)
        self.patches = {}       # offset: bytes
        self.used = []          # (offset, size) of what the instruction will look at
        self.text = []          # for people
        self.spoilt = []        # (offset, bits) to flip
        self.v8086_return = False   # an IRET to v8086 mode, beyond 64 KiB
        self.slots = [s for s in range(FIRST_FREE, GDT_END, 8)]
        self.random.shuffle(self.slots)
        self.local_slots = [s for s in range(0x28, 0x100, 8)]
        self.random.shuffle(self.local_slots)

    # Choices and patches.

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def pick(self, *choices):
        return self.random.choice(choices)

    def note(self, text):
        self.text.append(text)

    def patch(self, offset, data):
        self.patches[offset] = bytes(data)

    def patch32(self, offset, value):
        self.patch(offset, struct.pack("<I", value & 0xFFFFFFFF))

    def patch16(self, offset, value):
        self.patch(offset, struct.pack("<H", value & 0xFFFF))

    # Descriptors.

    def add_descriptor(self, data, rpl=0):
        """Puts it into a free slot of GDT or LDT; returns the selector."""
        local = self.chance(20)
        slot = (self.local_slots if local else self.slots).pop()
        table = LDT_A if local else GDT
        self.patch(table + slot, data)
        self.used.append((table + slot, 8))
        self.note(f"{'LDT' if local else 'GDT'} {slot:02X}: {data.hex(' ')}")
        return slot | (4 if local else 0) | rpl

    def make_code(self, dpl, conforming=None, wide=None, rpl=None):
        """A code segment; returns selector and offset of a landing place in it."""
        conforming = self.chance(25) if conforming is None else conforming
        wide = self.chance(70) if wide is None else wide
        base = self.pick(0, ARENA) if wide else ARENA
        access = 0x98 | dpl << 5 | (4 if conforming else 0) | self.pick(0, 1, 2, 2, 3)
        if base == 0:
            limit, flags = 0xFFFFF, 12
        else:
            limit, flags = self.pick(0xFFFF, 0xFFFF, 0xBFFF), 4 if wide else 0
        selector = self.add_descriptor(make_descriptor(base, limit, access, flags),
                                       dpl if rpl is None else rpl)
        offset = (LANDING if base else ARENA + LANDING) + 16 * self.random.randrange(0x70)
        return selector, offset

    def make_data(self, dpl, rpl=None, stack=False):
        kind = self.random.randrange(10)
        access = 0x92 | dpl << 5 | self.pick(0, 1)
        base, limit, flags = ARENA, 0xFFFF, self.pick(0, 4)
        if kind < 3:
            base, limit, flags = 0, 0xFFFFF, 12
        elif kind < 5:
            access |= 4                         # expand-down
            limit = self.pick(0x3FFF, 0xFFF, 0x47F0, 0x6000)
        elif kind < 6:
            limit = self.pick(0x47FF, 0x67FF, 0x7003, 0x9FFF)
        elif kind < 7 and not stack:
            access = 0x98 | dpl << 5 | self.random.randrange(8)
        selector = self.add_descriptor(make_descriptor(base, limit, access, flags),
                                       dpl if rpl is None else rpl)
        return selector, base

    def make_any(self):
        """A descriptor of any type and privilege."""
        access = self.random.randrange(256)
        if self.chance(80):
            access |= 0x80
        base, limit, flags = self.pick((0, 0xFFFFF, 12), (ARENA, 0xFFFF, 4), (ARENA, 0xFFFF, 0),
                                       (ARENA + TSS_A, 0x67, 0), (ARENA + TSS_A, 0x66, 0),
                                       (ARENA + TSS_C, 0x2B, 0), (ARENA + LDT_B, 0x1F, 0),
                                       (ARENA, 0xFFFF, 0xE), (ARENA, 0x9, 8))
        return self.add_descriptor(make_descriptor(base, limit, access, flags),
                                   self.random.randrange(4))

    def make_call_gate(self, dpl, selector, offset, wide=None):
        wide = self.chance(60) if wide is None else wide
        return self.add_descriptor(
            make_gate(offset, selector, 0x84 | (8 if wide else 0) | dpl << 5, self.pick(0, 0, 1, 3, 31)),
            self.random.randrange(dpl + 1))

    def make_task(self, level=None):
        """One of the four tasks, with some of its fields drawn; returns the TSS's selector."""
        selector = self.pick(*TSS_SELECTORS)
        tss = TSS_SELECTORS[selector]
        level = self.pick(0, 0, 1, 2, 3, 3) if level is None else level
        wide = selector < 0x78
        code, eip = self.make_code(level, wide=wide)
        stack = STACK16[level]
        if wide and self.chance(50):            # a 286 TSS leaves ESP near 4 GiB
            stack = self.make_data(level, stack=True)[0]
        eflags = 2 | self.random_eflags(0)
        segments = [self.pick(FLAT_DATA[level], self.make_data(self.pick(level, 3))[0], 0, FLAT_DATA[3])
                    for _ in range(4)]
        if wide:
            if self.chance(20):
                eflags |= VM
                code, eip, stack, segments = 0x3900, 0x800, 0x3480, [0x3700, 0x3123, 0x3FFF, 7]
            self.patch32(tss + 0x20, eip)
            self.patch32(tss + 0x24, eflags)
            for i, value in enumerate((segments[0], code, stack, segments[1], segments[2], segments[3])):
                self.patch32(tss + 0x48 + 4 * i, value)
                if not eflags & VM:
                    self.used.append((tss + 0x48 + 4 * i, 2))
            self.patch32(tss + 0x60, self.pick(0x58, 0x58, 0x60, 0))
            self.used.append((tss + 0x60, 2))
            if self.chance(10):
                self.patch16(tss + 0x64, 1)
            self.used.append((tss + 0x24, 2))
        else:
            self.patch16(tss + 0x0E, eip)
            self.patch16(tss + 0x10, eflags)
            for i, value in enumerate((segments[0], code, stack, segments[1])):
                self.patch16(tss + 0x22 + 2 * i, value)
                self.used.append((tss + 0x22 + 2 * i, 2))
            self.patch16(tss + 0x2A, self.pick(0x58, 0x58, 0x60, 0))
            self.used += [(tss + 0x2A, 2), (tss + 0x10, 2)]
        self.used.append((selector, 8))
        if self.chance(25):                     # its length
            self.patch16(selector, self.pick(0x67, 0x66, 0x2B, 0x2A, 0x2C, 0x68))
        self.note(f"task {selector:02X}, level {level}, EFLAGS {eflags:X}")
        return selector

    # The state at the beginning.

    def random_eflags(self, level):
        eflags = 2 | self.random.getrandbits(12) & CF_TO_OF | self.random.randrange(4) << 12
        return eflags | self.any_bits(((TF, 5), (IF, 30), (NT, 8), (RF, 3), (AC, 4), (VIF, 10), (VIP, 10), (ID, 10)))

    def begin_v8086(self, eflags):
        """Level and code; returns the frame that IRET takes."""
        self.level, self.bits = 3, 16
        self.stack = 0x67F0
        return [0, 0x3900, eflags | VM, 0x7F0, 0x3600, 0x3700, 0x3700, 0x3123, 0x3FFF]

    def begin_code(self):
        """The code segment to begin in; returns selector and base."""
        if self.random.randrange(10) >= 3:
            return FLAT_CODE[self.level], 0
        wide = self.chance(35)
        self.bits = 32 if wide else 16
        access = 0x9B | self.level << 5
        if self.chance(25):                     # conforming, of this level or an inner one
            access = 0x9F | self.random.randrange(self.level + 1) << 5
        slot = self.slots.pop()
        self.patch(GDT + slot, make_descriptor(ARENA, 0xFFFF, access, 4 if wide else 0))
        return slot | self.level, ARENA

    def begin_stack(self):
        """The stack segment to begin with; returns selector and base."""
        if self.chance(40):
            return STACK16[self.level], ARENA
        if not self.chance(30):
            return FLAT_DATA[self.level], 0
        slot = self.slots.pop()
        limit, kind, flags = self.pick((0x0FFF, 4, 0), (0x0FFF, 4, 4), (STACK_TOPS[self.level] - 1, 0, 4))
        self.patch(GDT + slot, make_descriptor(ARENA, limit, 0x93 | kind | self.level << 5, flags))
        return slot | self.level, ARENA

    def begin_protected(self, eflags):
        """The frame that IRET takes."""
        code, base = self.begin_code()
        stack, stack_base = self.begin_stack()
        top = STACK_TOPS[self.level] + (0 if stack_base else ARENA)
        top -= self.pick(0x10, 0x10, 0x40, 0x40, 0x42)
        self.stack = top + stack_base - ARENA
        return [ARENA + CODE - base, code, eflags, top, stack, 0, 0, 0, 0]

    def any_bits(self, bits):
        """Those of BITS, (bit, percent) each, that chance sets."""
        return sum(bit for bit, percent in bits if self.chance(percent))

    def choose_control(self):
        cr0 = PE | ET | self.any_bits(((MP, 10), (TS, 5), (NE, 50), (WP, 30), (AM, 50)))
        if self.chance(25):
            cr0 |= PG
            self.make_pages()
        cr4 = self.any_bits(((CR4_VME, 30), (CR4_PVI, 30), (CR4_TSD, 10), (CR4_DE, 10)))
        self.patch32(ENTRY + ENTRY_CR0, cr0)
        self.patch32(ENTRY + ENTRY_CR4, cr4)
        self.cr0, self.cr4 = cr0, cr4

    def choose_data_segments(self):
        for i in range(4):
            choices = [FLAT_DATA[3], FLAT_DATA[self.level]]
            if self.chance(15):
                choices.append(self.make_data(self.pick(self.level, 3))[0])
            if self.chance(5):
                choices.append(self.pick(0, 1, 2, 3))
            self.patch32(ENTRY + ENTRY_SEGMENTS + 4 * i, self.random.choice(choices))

    def begin(self):
        self.level = self.pick(0, 0, 1, 2, 3, 3, 3)
        self.v8086 = self.chance(12)
        self.bits = 32
        eflags = self.random_eflags(self.level)
        frame = self.begin_v8086(eflags) if self.v8086 else self.begin_protected(eflags)
        for i, value in enumerate(frame):
            self.patch32(ENTRY + ENTRY_FRAME + 4 * i, value)
        self.frame = dict(zip(FRAME_NAMES, frame))
        self.choose_control()
        if not self.v8086:
            self.choose_data_segments()
        self.make_main_tss()
        self.note(f"level {self.level}{' v8086' if self.v8086 else ''}, {self.bits} bits, frame "
                  + " ".join(f"{name}={value:X}" for name, value in self.frame.items())
                  + f", CR0 {self.cr0:X}, CR4 {self.cr4:X}")

    def make_main_tss(self):
        """Stacks of the inner levels, and the I/O permission map."""
        for level in range(3):
            if self.chance(25):
                selector = self.pick(STACK16[level], self.make_data(level, stack=True)[0])
                low = STACK_TOPS[level] - self.pick(0, 0, 4, 0x7F8, 0x7FE)
                base = ARENA if selector == STACK16[level] or self.chance(50) else 0
                self.patch32(TSS_MAIN + 4 + 8 * level, low + (0 if base else ARENA))
                self.patch16(TSS_MAIN + 8 + 8 * level, selector)
                self.used.append((TSS_MAIN + 8 + 8 * level, 2))
        start = self.pick(0x68, 0x88, 0x88, 0x1F0, 0x1FE, 0x1FF, 0x200, 0xDFFF, 0x10)
        self.patch16(TSS_MAIN + 0x66, start)
        if start >= 0x88 and start < 0x1E0:
            self.patch(TSS_MAIN + start - 32, self.random.randbytes(64))
        limit = self.pick(0x1FF, 0x1FF, 0x1FF, 0x67, 0x66, start & 0xFFF, start + 8 & 0x1FF | 0x67)
        self.patch16(GDT + 0x20, limit)
        self.tss_286 = self.chance(10)
        if self.tss_286:                        # where level 0's stack must be below 64 KiB
            self.patch(GDT + 0x20 + 5, b"\x81")
            self.patch(TSS_MAIN + 2, struct.pack("<6H", STACK_TOPS[0], 0x88, STACK_TOPS[1], 0x91,
                                                 STACK_TOPS[2], 0x9A))
            self.patch16(TSS_MAIN + 0, self.pick(0x68, 0x70))

    def make_pages(self):
        """Some of the arena's pages without some right."""
        for page in range(0, 0xA):
            if self.chance(15):
                flags = self.pick(6, 5, 3, 1, 0x27, 0x67, 7)
                if page in (0, 2, 3, 8) and not self.chance(5):
                    flags |= 1                  # nothing but a triple fault comes of no GDT or IDT
                if page == 8:
                    flags |= 7                  # the frame of the beginning
                self.patch32(PAGE_TABLE + 4 * (ARENA // 4096 + page), ARENA + 4096 * page | flags)
                self.note(f"page {page}: {flags:X}")
        self.patch32(PAGE_DIRECTORY, ARENA + PAGE_TABLE | self.pick(0x27, 0x27, 7, 7))

    # Instructions.

    def set_gpr(self, index, value):
        self.patch32(ENTRY + ENTRY_GPR + 4 * index, value)

    def any_selector(self):
        """For whatever takes a selector."""
        if self.v8086:                          # anywhere else the runner might be hit
            return self.random.randrange(0x3000, 0x3800)
        kind = self.random.randrange(12)
        if kind < 4:
            return self.make_any()
        if kind < 6:
            return self.make_data(self.random.randrange(4), self.random.randrange(4))[0]
        if kind < 7:
            return self.make_code(self.random.randrange(4), rpl=self.random.randrange(4))[0]
        if kind < 8:
            return self.random.randrange(0, 0xB0)
        if kind < 9:
            return self.pick(0, 1, 2, 3, 4, 0x1F8, 0x1FC, 0x200, 0x207, 0xFC, 0x104, 0xFFFF)
        return self.pick(0x58, 0x60, 0x68, 0x78, 0x20, 0x18) | self.random.randrange(4)

    def prefix(self, size):
        return b"" if size == self.bits else b"\x66"

    def offset_bytes(self, value, size):
        return struct.pack("<I" if size == 32 else "<H", value & (0xFFFFFFFF if size == 32 else 0xFFFF))

    def far_target(self):
        """(selector, offset) for JMP and CALL."""
        if self.v8086:
            return 0x3980, self.pick(0x10, 0x10, 0x7F0, 0x10010)
        kind = self.random.randrange(20)
        level = self.level
        if kind < 4:
            rpl = self.pick(level, level, 0, self.random.randrange(4))
            return self.make_code(self.pick(level, level, self.random.randrange(4)), rpl=rpl)
        if kind < 12:
            inner = self.random.randrange(level + 1) if self.chance(85) else self.random.randrange(4)
            code, offset = self.make_code(inner, rpl=self.random.randrange(4))
            gate = self.make_call_gate(self.pick(level, 3, 3), code, offset)
            return gate, self.random.getrandbits(16)
        if kind < 15:
            return self.make_task() | self.random.randrange(level + 1), 0
        if kind < 17:
            task = self.make_task()
            return self.add_descriptor(make_gate(0, task, 0x85 | self.pick(level, 3) << 5),
                                       self.random.randrange(level + 1)), 0
        return self.any_selector(), LANDING

    def op_jump_or_call(self):
        size = self.pick(16, 32)
        call = self.chance(60)
        selector, offset = self.far_target()
        self.note(f"{'CALL' if call else 'JMP'} {selector:04X}:{offset:X}, {size} bits")
        return (self.prefix(size) + (b"\x9A" if call else b"\xEA")
                + self.offset_bytes(offset, size) + struct.pack("<H", selector))

    def outer_stack(self, level):
        if self.chance(70):
            selector = self.pick(FLAT_DATA[level], STACK16[level])
            base = 0 if selector == FLAT_DATA[level] else ARENA
        else:
            selector, base = self.make_data(level, stack=True)
        return selector, STACK_TOPS[level] - 0x20 + (0 if base else ARENA)

    def put_frame(self, values, size):
        data = b"".join(self.offset_bytes(value, size) for value in values)
        at = self.stack
        self.patch(at, data)
        if not self.v8086 and not len(values) > 5:      # a segment of v8086 mode might lie anywhere
            self.used.append((at + size // 8, max(1, len(data) - size // 8)))

    def op_return_far(self):
        size = self.pick(16, 32)
        level = self.pick(self.level, min(3, self.level + 1), 3, self.random.randrange(4))
        code, offset = self.make_code(level if not self.chance(20) else self.random.randrange(level + 1),
                                      rpl=level)
        release = self.pick(0, 0, 4, 8)
        selector, esp = self.outer_stack(level)
        fill = [0x5A5A5A5A] * (release * 8 // size)
        self.put_frame([offset, code] + fill + [esp, selector], size)
        self.note(f"RETF {release}, {size} bits, to {code:04X}:{offset:X}, {selector:04X}:{esp:X}")
        return self.prefix(size) + (b"\xCA" + struct.pack("<H", release) if release else b"\xCB")

    def op_iret(self):
        size = self.pick(16, 32)
        level = self.pick(self.level, self.level, min(3, self.level + 1), 3, self.random.randrange(4))
        eflags = self.random_eflags(level)
        if self.v8086:
            self.put_frame([0x800, 0x3900, eflags], size)
        elif self.chance(15) and size == 32:
            eip = self.pick(0x800, 0x800, 0x10000, 0xFFFF)
            self.v8086_return = eip > 0xFFFF
            self.put_frame([eip, self.pick(0x3900, 0x3901), eflags | VM,
                            0x7E0, 0x3600, 0x3700, 0x3123, 0xFFFF, 3], 32)
        else:
            code, offset = self.make_code(level, conforming=self.chance(20), rpl=level)
            selector, esp = self.outer_stack(level)
            self.put_frame([offset, code, eflags, esp, selector], size)
        if self.frame["eflags"] & NT:
            task = self.make_task()
            self.patch16(TSS_MAIN, task | self.pick(0, 0, 3))
            if self.chance(85):                 # busy, as it should be
                self.patch(GDT + task + 5, bytes([0xEB if task < 0x78 else 0xE3]))
        self.note(f"IRET, {size} bits, EFLAGS {eflags:X}")
        return self.prefix(size) + b"\xCF"

    def op_interrupt(self):
        how = self.random.randrange(12)
        if how < 7:
            vector = self.pick(0x20, 0x40, 0x80, 0xFF, 13, 3, 8)
            code = bytes([0xCD, vector])
        elif how < 8:
            vector, code = 4, b"\xCE"
        elif how < 9:
            vector, code = 1, b"\xF1"
        elif how < 10:
            vector, code = 6, b"\x0F\x0B"
        elif how < 11:
            vector, code = 0, b"\x66\xB9\x00\x00\x66\xF7\xF1" if self.bits == 32 else b"\xB9\x00\x00\xF7\xF1"
        else:
            vector, code = 13, b"\xCD\xE0"      # the gate lies beyond the limit, if it is cut
        level = self.level
        kind = self.random.randrange(10)
        if vector in (8, 3):
            kind = 9
        elif vector == 13 and kind < 6:         # it might fault for ever
            kind = 6
        if kind < 6:
            inner = self.random.randrange(level + 1) if self.chance(85) else self.random.randrange(4)
            target, offset = self.make_code(0 if self.v8086 and self.chance(70) else inner,
                                            rpl=self.random.randrange(4))
            gate = make_gate(offset, target, self.pick(0x8E, 0x8F, 0x86, 0x87) | self.pick(level, 3, 3, 0) << 5)
        elif kind < 8:
            gate = make_gate(0, self.make_task(), 0x85 | self.pick(level, 3, 0) << 5)
        elif kind < 9:
            gate = self.random.randbytes(5) + bytes([self.random.randrange(256)]) + b"\0\0"
        else:
            gate = None
        if gate:
            self.patch(IDT + 8 * vector, gate)
            self.used.append((IDT + 8 * vector, 8))
            self.note(f"IDT {vector:02X}: {gate.hex(' ')}")
        self.note(f"interrupt {vector:02X}: {code.hex(' ')}")
        return code

    def op_load_segment(self):
        selector = self.any_selector()
        self.set_gpr(0, selector | self.random.getrandbits(16) << 16)
        segment = self.pick(0, 2, 2, 3, 4, 5)
        self.note(f"MOV {('ES', '', 'SS', 'DS', 'FS', 'GS')[segment]}, {selector:04X}, then an access")
        load = bytes([0x8E, 0xC0 | segment << 3])
        override = {0: b"\x26", 2: b"\x36", 3: b"\x3E", 4: b"\x64", 5: b"\x65"}[segment]
        offset = self.pick(0x7000, 0, 0x37000, 0x7002, 0x6FFF, 0xFFFE, 0x4000, 0x9FFE)
        size = self.pick(0, 1)
        access = override + (b"\x67" if self.bits == 16 else b"") + bytes([0x8B if self.chance(50) else 0x89,
                                                                         0x0D]) + struct.pack("<I", offset)
        return load + access if size else load + b"\x66" + access

    def op_look(self):
        selector = self.any_selector()
        self.set_gpr(0, selector | self.random.getrandbits(16) << 16)
        name, which = self.pick(*LOOKS.items())
        self.note(f"{name} {selector:04X}")
        return self.pick(b"", b"\x66") + which

    def op_pop_segment(self):
        size = self.pick(16, 32)
        selector = self.any_selector()
        self.put_frame([selector | 0x12340000], size)
        name, which = self.pick(*POPS.items())
        self.note(f"{name}, {selector:04X}, {size} bits")
        return self.prefix(size) + which

    def op_far_pointer(self):
        size = self.pick(16, 32)
        selector = self.any_selector()
        self.patch(DATA + 0x10, self.offset_bytes(0x89ABCDEF, size) + struct.pack("<H", selector))
        name, which = self.pick(*FAR_POINTERS.items())
        self.note(f"{name}, {selector:04X}")
        offset = 0x10 if self.v8086 else ARENA + DATA + 0x10
        return (self.prefix(size) + (b"\x67" if self.bits == 16 else b"") + which + b"\x0D"
                + struct.pack("<I", offset))

    def op_indirect(self):
        """JMP and CALL through memory."""
        size = self.pick(16, 32)
        selector, offset = self.far_target()
        self.patch(DATA + 0x10, self.offset_bytes(offset, size) + struct.pack("<H", selector))
        where = 0x10 if self.v8086 else ARENA + DATA + 0x10
        self.note(f"indirect far to {selector:04X}:{offset:X}, {size} bits")
        return (self.prefix(size) + (b"\x67" if self.bits == 16 else b"") + b"\xFF"
                + self.pick(b"\x1D", b"\x2D") + struct.pack("<I", where))

    def op_flags(self):
        eflags = self.random_eflags(self.level)
        size = self.pick(16, 32)
        self.put_frame([eflags], size)
        code = self.pick(self.prefix(size) + b"\x9D", self.prefix(size) + b"\x9D", self.prefix(size) + b"\x9C",
                         b"\xFA", b"\xFB", b"\xFB\x90")
        self.note(f"flags {code.hex(' ')}, {eflags:X}")
        return code

    def op_port(self):
        port = self.pick(0x10, 0x80, 0x87, 0x8F, 0xEC, 0x7F, 0x81)
        self.set_gpr(2, self.pick(0x80, 0x87, 0x3F6, 0x84, 0xFFFF, 0xFFFE, 0xC68, 0xBC7, 0xBB0, 0x8F))
        code = self.pick(bytes([0xE6, port]), bytes([0xE7, port]), b"\x66" + bytes([0xE7, port]),
                         b"\xEE", b"\xEF", b"\x66\xEF")
        self.note(f"OUT {code.hex(' ')}")
        return code

    def op_system(self):
        """What only level 0 may do, or what tells about the tables."""
        selector = self.any_selector()
        self.set_gpr(0, selector)
        value = self.random.getrandbits(32)
        code = self.pick(b"\x0F\x00\xD0", b"\x0F\x00\xD8", b"\x0F\x00\xD0", b"\x0F\x00\xD8",  # LLDT, LTR
                         b"\x0F\x00\xC0", b"\x0F\x00\xC8",                                    # SLDT, STR
                         b"\x0F\x01\xE0", b"\x0F\x01\xF0", b"\x0F\x06", b"\x0F\x08",          # SMSW LMSW CLTS
                         b"\x0F\x20\xC1", b"\x0F\x20\xE1", b"\x0F\x21\xF9", b"\x0F\x31",      # MOV CR, DR
                         b"\x0F\x22\xE0", b"\x0F\x22\xC0", b"\x0F\x23\xF8", b"\x0F\x23\xF0", b"\x0F\x33",
                         b"\x0F\x34", b"\x0F\x35", b"\x0F\x30", b"\x0F\x32", b"\x9B", b"\xD9\xEE")
        if code in (b"\x0F\x31", b"\x0F\x33") and not (self.level and self.cr4 & CR4_TSD):
            code = b"\x0F\x06"                  # what counters say is nobody's concern here
        if code == b"\x0F\x22\xE0":             # CR4
            self.set_gpr(0, self.pick(0, 1, 2, 3, 0x800, 1 << self.random.randrange(32), value))
        elif code in (b"\x0F\x22\xC0", b"\x0F\x01\xF0"):
            self.set_gpr(0, (value & 0x6005003E) | 0x10 | self.pick(1, 1, 1, 0x80000001, 0x80000000 if self.cr0 & PG else 1))
        elif code in (b"\x0F\x23\xF8", b"\x0F\x23\xF0"):
            self.set_gpr(0, value & 0xFFFFFF00 if code[2] == 0xF8 else value)
        elif code in (b"\x0F\x30", b"\x0F\x32"):
            self.set_gpr(1, self.pick(0x174, 0x175, 0x176))
            self.set_gpr(2, 0)
            self.set_gpr(0, self.pick(0x08, 0x0, 0x33, value))
        self.note(f"system {code.hex(' ')}, EAX {selector:X}")
        return code

    def op_stack(self):
        """Pushes and pops, near the ends of odd stacks."""
        code = self.pick(b"\x60", b"\x61", b"\x66\x60", b"\x66\x61", b"\xC8\x10\x00\x00", b"\xC8\x10\x00\x03", b"\xC9",
                         b"\x50\x5B", b"\x66\x50\x66\x5B", b"\x06\x07", b"\x0E", b"\x16\x17", b"\x6A\x80", b"\x9C",
                         b"\xE8\x00\x00" + (b"\0\0" if self.bits == 32 else b""), b"\x8F\x04\x24")
        if self.chance(50):
            esp = self.frame["esp"] - self.pick(0, 0x7F0, 0x7E0, 0x7F2, 0x800, -0x10, -0xE, -0xC)
            self.patch32(ENTRY + ENTRY_FRAME + 12, esp)
        if self.chance(30):
            self.patch32(ENTRY + ENTRY_GPR + 0x14, self.frame["esp"])
        self.note(f"stack {code.hex(' ')}")
        return code

    def op_string(self):
        """REP over the end of a segment or a page."""
        self.set_gpr(1, self.pick(1, 5, 8, 0x20))
        base = 0 if self.v8086 else ARENA + DATA
        self.set_gpr(6, base + self.pick(0xFF0, 0xFF8, 0, 0x8FF0))
        self.set_gpr(7, base + self.pick(0xFF0, 0x100, 0xFF6))
        code = self.pick(b"\xA4", b"\xA5", b"\x66\xA5", b"\xAA", b"\xAB", b"\xAC", b"\xA6", b"\xAE", b"\x6E", b"\x6C")
        if code in (b"\x6E", b"\x6C"):
            self.set_gpr(2, 0x80)
            code = b"\x6E"
        code = self.pick(b"\xF3", b"\xF2", b"") + (b"\x67" if self.bits == 16 else b"") + code
        self.note(f"string {code.hex(' ')}")
        return code

    OPERATIONS = ((op_jump_or_call, 22), (op_return_far, 10), (op_iret, 16), (op_interrupt, 22), (op_load_segment, 8),
                  (op_look, 4), (op_pop_segment, 5), (op_far_pointer, 3), (op_indirect, 4), (op_flags, 5), (op_port, 4),
                  (op_system, 6), (op_stack, 4), (op_string, 3))

    def spoil(self):
        """Flips a bit of something that the instruction looks at."""
        offset, size = self.random.choice(self.used)
        at = offset + self.random.randrange(size)
        if size == 8:                           # not where it leads: only what it allows
            whole = self.patches.get(offset, b"")
            gate = len(whole) == 8 and (whole[5] & 0x14) == 4
            at = offset + (5 if self.chance(70) else self.pick(2, 3, 4, 5) if gate else self.pick(0, 1, 5, 6))
        bit = 1 << self.random.randrange(8)
        self.spoilt.append((at, bit))
        self.note(f"spoil {at:04X} ^ {bit:02X}")

    def build(self):
        self.begin()
        operations, weights = zip(*self.OPERATIONS)
        operation = self.random.choices(operations, weights)[0]
        self.name = operation.__name__[3:]
        self.patch(CODE, operation(self))
        for _ in range(self.pick(0, 0, 1, 1, 2, 3)):
            if self.used:
                self.spoil()
        return self

    def encode(self):
        """As case_runner.asm reads it."""
        data = bytearray()
        for offset, patch in self.patches.items():
            assert len(patch) < 128
            data += struct.pack("<HB", offset, len(patch)) + patch
        for at, bit in self.spoilt:
            data += struct.pack("<HBB", at, 0x80, bit)
        data += b"\xFF\xFF"
        return struct.pack("<H", len(data)) + bytes(data)


def make_case(seed, index):
    return Case(f"{seed}/{index}").build()

/* The option table: what options set, what they refuse, and the answer to a mistyped one. */
#include "command_line.h"
#include "nearest_name.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_WORDS 32

static Settings settings;
static Error error;
static char line_copy[1024];

static void set_up(void) {
    settings_init(&settings);
    error = (Error){.set = false};
}

static void tear_down(void) {
    settings_free(&settings);
}

/* Words are separated by spaces. */
static bool parse(const char *line) {
    char *words[MOST_WORDS] = {(char *)"reprise"};
    int count = 1;
    snprintf(line_copy, sizeof(line_copy), "%s", line);
    for (char *word = strtok(line_copy, " "); word != NULL; word = strtok(NULL, " "))
        words[count++] = word;
    return command_line_parse(&settings, count, words, &error);
}

static void expect_good(const char *line) {
    if (!parse(line))
        ck_abort_msg("'%s': %s", line, error.message);
}

/* As a new program: options so far are forgotten. */
static void start_over(void) {
    tear_down();
    set_up();
}

static void expect_error(const char *line, const char *part) {
    ck_assert_msg(!parse(line), "'%s' was taken", line);
    ck_assert_msg(strstr(error.message, part) != NULL, "'%s' gave '%s'", line, error.message);
    ck_assert_ptr_null(strchr(error.message, '\n'));
}

START_TEST(defaults) {
    expect_good("");
    ck_assert_uint_eq(settings.machine.ram_bytes, 128 << 20);
    ck_assert_str_eq(settings.machine.cpu_model, "pentium4");
    ck_assert(settings.machine.floppy[0].present && !settings.machine.floppy[1].present);
    ck_assert(settings.machine.ide[2].present && settings.machine.ide[2].is_cd);
    ck_assert_int_eq(settings.serial[0].kind, CHARACTER_NULL);
    ck_assert(settings.machine.has_vga && !settings.machine.has_debug_exit);
}
END_TEST

START_TEST(nodefaults_leaves_only_what_is_named) {
    expect_good("-nodefaults -hda disk.img");
    ck_assert(!settings.machine.floppy[0].present && !settings.machine.ide[2].present);
    ck_assert(!settings.machine.has_vga);
    ck_assert(settings.machine.ide[0].present);
    ck_assert_int_eq(settings.serial_count, 0);
}
END_TEST

START_TEST(drives) {
    expect_good("-fda a.img -drive file=b,,c.img,if=floppy,format=raw,readonly=on,id=second "
                "-hda d.img -drive file=e.iso,media=cdrom -drive file=f.img,if=ide,bus=1,unit=1");
    const MachineConfig *machine = &settings.machine;
    ck_assert_str_eq(machine->floppy[0].file, "a.img");
    ck_assert_str_eq(machine->floppy[1].file, "b,c.img");
    ck_assert_str_eq(machine->floppy[1].format, "raw");
    ck_assert_str_eq(machine->floppy[1].id, "second");
    ck_assert(machine->floppy[1].read_only);
    ck_assert_str_eq(machine->ide[0].file, "d.img");
    ck_assert_str_eq(machine->ide[2].file, "e.iso");
    ck_assert(machine->ide[2].is_cd && !machine->ide[3].is_cd);
    ck_assert_str_eq(machine->ide[3].file, "f.img");
}
END_TEST

START_TEST(folders_as_drives) {
    expect_good(
        "-drive driver=vvfat,dir=/tmp/d,rw=on,fat-type=32 -drive file=fat:16:x "
        "-drive file.driver=vvfat,file.dir=y,file.floppy=on,if=floppy fat:floppy:z fat:rw:w");
    ck_assert_str_eq(settings.machine.ide[0].file, "fat:rw:32:/tmp/d");
    ck_assert_str_eq(settings.machine.ide[1].file, "fat:16:x");
    ck_assert_str_eq(settings.machine.ide[2].file, "fat:rw:w");
    ck_assert_str_eq(settings.machine.floppy[0].file, "fat:floppy:y");
    ck_assert_str_eq(settings.machine.floppy[1].file, "fat:floppy:z");
}
END_TEST

START_TEST(exports_as_drives) {
    expect_good("-drive driver=nbd,server.type=unix,server.path=/tmp/s,export=e "
                "-drive driver=nbd,host=::1,port=7 -drive file.driver=nbd,file.server.type=inet,"
                "file.server.host=h -drive file=nbd:unix:x");
    ck_assert_str_eq(settings.machine.ide[0].file, "nbd:unix:/tmp/s:exportname=e");
    ck_assert_str_eq(settings.machine.ide[1].file, "nbd:[::1]:7");
    ck_assert_str_eq(settings.machine.ide[2].file, "nbd:h:10809");
    ck_assert_str_eq(settings.machine.ide[3].file, "nbd:unix:x");
    expect_error("-drive driver=nbd,export=e", "driver=nbd needs server.type=");
}
END_TEST

START_TEST(drive_without_index_takes_the_first_free_place) {
    expect_good("-drive file=a.img -drive file=b.img,index=1 -drive file=c.img");
    ck_assert_str_eq(settings.machine.ide[0].file, "a.img");
    ck_assert_str_eq(settings.machine.ide[1].file, "b.img");
    ck_assert_str_eq(settings.machine.ide[2].file, "c.img");
    ck_assert(!settings.machine.ide[2].is_cd);
}
END_TEST

START_TEST(block_nodes_and_devices) {
    expect_good("-nodefaults -blockdev driver=file,node-name=f,filename=x.img "
                "-blockdev driver=raw,node-name=n,file=f -drive if=none,id=d,file=y.iso "
                "-device ide-hd,drive=n,bus=ide.1,unit=1,bootindex=2,id=disk "
                "-device ide-cd,drive=d,bus=ide.0,unit=0,bootindex=1");
    const DriveConfig *disk = &settings.machine.ide[3];
    ck_assert_str_eq(disk->file, "x.img");
    ck_assert_str_eq(disk->format, "raw");
    ck_assert_str_eq(disk->id, "disk");
    ck_assert_int_eq(disk->boot_index, 2);
    ck_assert_str_eq(settings.machine.ide[0].file, "y.iso");
    ck_assert(settings.machine.ide[0].is_cd);
}
END_TEST

/* As with QEMU: what a device leads to may stand behind it. */
START_TEST(devices_before_what_they_lead_to) {
    expect_good("-nodefaults -device ide-hd,drive=n,bus=ide.1 -device isa-serial,chardev=c "
                "-device e1000,netdev=w -device sb16,audiodev=a -device ide-hd,drive=d "
                "-device usb-storage,drive=u -hda first.img -drive if=none,id=d,file=y.img "
                "-drive if=none,id=u,file=u.img -blockdev driver=raw,node-name=n,file.driver=file,"
                "file.filename=x.img -chardev null,id=c -netdev user,id=w -audiodev none,id=a "
                "-usb");
    ck_assert_str_eq(settings.machine.ide[0].file, "first.img");
    ck_assert_str_eq(settings.machine.ide[2].file, "x.img");
    ck_assert_str_eq(settings.machine.ide[1].file, "y.img");
    expect_error("-device ide-hd,drive=d,bus=sata.0 -drive if=none,id=d,file=x", "-device: ");
}
END_TEST

START_TEST(snapshot_is_for_every_drive) {
    expect_good("-snapshot -hda a.img -fda b.img");
    ck_assert(settings.machine.ide[0].snapshot && settings.machine.floppy[0].snapshot);
}
END_TEST

START_TEST(time_and_boot) {
    expect_good("-icount shift=3 -rtc base=1999-12-31T23:59:00 -boot order=dc,menu=on");
    ck_assert(settings.machine.icount);
    ck_assert_uint_eq(settings.machine.icount_shift, 3);
    ck_assert_int_eq(settings.machine.rtc_base, RTC_BASE_SECONDS);
    ck_assert_int_eq(settings.machine.rtc_seconds, 946684740);
    ck_assert_str_eq(settings.machine.boot_order, "dc");
    ck_assert(settings.machine.boot_menu);
}
END_TEST

START_TEST(short_boot_order) {
    expect_good("-boot a");
    ck_assert_str_eq(settings.machine.boot_order, "a");
}
END_TEST

START_TEST(what_qemu_scripts_pass) {
    expect_good("-machine pc-i440fx-7.2,accel=tcg,usb=off -M pc -accel tcg -nodefaults "
                "-no-user-config -net none -nic none -vga std -display none "
                "-global PIIX4_PM.disable_s3=1 -msg timestamp=on -sandbox off -no-hpet");
    expect_good("-chardev socket,id=m,path=/tmp/m,server=on,wait=off -mon chardev=m,mode=readline");
    expect_good("-name guest=x,debug-threads=on -smp 1,sockets=1,cores=1,threads=1 -m size=64M");
    ck_assert_str_eq(settings.machine.name, "x");
    ck_assert_uint_eq(settings.machine.ram_bytes, 64 << 20);
    ck_assert_int_eq(settings.monitor[0].kind, CHARACTER_SOCKET);
    ck_assert(settings.monitor[0].server && !settings.monitor[0].wait);
}
END_TEST

START_TEST(a_machine_without_pci) {
    expect_good("");
    ck_assert(settings.machine.has_pci);
    start_over();
    expect_good("-nic user -machine isapc -net nic");
    ck_assert(!settings.machine.has_pci && !settings.machine.has_acpi);
    ck_assert(!settings.machine.has_hpet);
    ck_assert_int_eq(settings.machine.vga.model, VGA_ISA);
    ck_assert_str_eq(settings.machine.network_card[0].model, "ne2k_isa");
    ck_assert_uint_eq(settings.machine.network_card[0].io_base, 0x300);
    ck_assert_uint_eq(settings.machine.network_card[0].irq, 9);
    ck_assert_uint_eq(settings.machine.network_card[1].io_base, 0x320);
    start_over();
    expect_good("-M isapc -vga std -device isa-vga -device ne2k_isa -device sb16");
    start_over();
    expect_good("-M isapc -vga none");
    ck_assert_str_eq(settings.machine.cpu_model, "486");
    start_over();
    expect_good("-cpu pentium3 -M isapc");
    ck_assert_str_eq(settings.machine.cpu_model, "pentium3");
    start_over();
    expect_good("-M isapc -cpu pentium3");
    ck_assert_str_eq(settings.machine.cpu_model, "pentium3");
    start_over();
    expect_good("-M isapc -M pc");
    ck_assert_str_eq(settings.machine.cpu_model, "pentium4");
    start_over();
    expect_good("-M isapc -M pc -usb");
    ck_assert(settings.machine.has_pci && settings.machine.has_acpi);
}
END_TEST

/* What hangs on the PCI bus is refused wherever it is named. */
START_TEST(no_pci_devices_without_pci) {
    static const char *const devices[][2] = {
        {"-drive if=none,id=d,file=x -device nvme,drive=d",
         "-device nvme: an isapc has no PCI bus"},
        {"-drive if=virtio,file=x", "virtio-blk-pci: an isapc has no PCI bus"},
        {"-device ahci", "ahci: an isapc has no PCI bus"},
        {"-device lsi", "lsi53c895a: an isapc has no PCI bus"},
        {"-usb", "piix3-usb-uhci: an isapc has no PCI bus"},
        {"-device usb-tablet", "usb-tablet: an isapc has no PCI bus"},
        {"-device AC97", "AC97: an isapc has no PCI bus"},
        {"-device ES1370", "ES1370: an isapc has no PCI bus"},
        {"-device pci-testdev", "pci-testdev: an isapc has no PCI bus"},
        {"-nic user,model=e1000", "e1000: an isapc has no PCI bus"},
        {"-device VGA", "VGA: an isapc has no PCI bus"},
        {"-vga cirrus", "cirrus-vga: an isapc has no PCI bus"},
        {"-smp 2", "an isapc has one processor, not 2"},
    };
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        char line[128];
        snprintf(line, sizeof(line), "%s -machine isapc", devices[i][0]);
        start_over();
        expect_error(line, devices[i][1]);
        start_over();
        expect_good(devices[i][0]);
    }
}
END_TEST

START_TEST(acpi_and_hpet_can_be_left_out) {
    expect_good("");
    ck_assert(settings.machine.has_acpi && settings.machine.has_hpet);
    expect_good("-no-hpet -machine pc,acpi=off");
    ck_assert(!settings.machine.has_acpi && !settings.machine.has_hpet);
    expect_good("-machine pc,acpi=on,hpet=on");
    ck_assert(settings.machine.has_acpi && settings.machine.has_hpet);
    expect_good("-no-acpi");
    ck_assert(!settings.machine.has_acpi && !settings.machine.no_suspend_to_ram);
    expect_good("-global PIIX4_PM.disable_s3=1 -global PIIX4_PM.disable_s4=0");
    ck_assert(settings.machine.no_suspend_to_ram && !settings.machine.no_suspend_to_disk);
    expect_error("-machine pc,hpet=maybe", "hpet");
}
END_TEST

static const char *const bad_names[][2] = {
    {"-uuid 12345678", "UUID"},
    {"-smbios type=1,uuid=12345678-9abc-def0-0FED-cba98765432x", "UUID"},
    {"-smbios type=9,serial=1", "types"},
    {"-smbios manufacturer=x", "type="},
    {"-smbios type=1,manufactrer=x", "manufacturer"},
    {"-smbios type=0,release=300.1", "release"},
    {"-smbios file=x", "file"},
};

START_TEST(bad_names_of_the_machine) {
    expect_error(bad_names[_i][0], bad_names[_i][1]);
}
END_TEST

START_TEST(names_of_the_machine) {
    static const uint8_t uuid[16] = {0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0,
                                     0x0F, 0xED, 0xCB, 0xA9, 0x87, 0x65, 0x43, 0x21};
    expect_good("-uuid 12345678-9abc-def0-0FED-cba987654321 -smbios "
                "type=1,manufacturer=Acme,serial=7 -smbios type=2,product=Board");
    ck_assert_mem_eq(settings.machine.smbios.uuid, uuid, 16);
    ck_assert_str_eq(settings.machine.smbios.text[SMBIOS_SYSTEM_MANUFACTURER], "Acme");
    ck_assert_str_eq(settings.machine.smbios.text[SMBIOS_BOARD_PRODUCT], "Board");
    ck_assert(settings.machine.smbios.has_board && !settings.machine.smbios.has_bios);
    expect_good("-smbios type=0,release=3.14,vendor=V");
    ck_assert_uint_eq(settings.machine.smbios.bios_release[1], 14);
}
END_TEST

START_TEST(backends) {
    expect_good("-accel interp");
    ck_assert_int_eq(settings.machine.translator.backend, BACKEND_PORTABLE);
    expect_good("-machine pc,accel=kvm:tcg");
    ck_assert_int_eq(settings.machine.translator.backend, translator_default_backend());
}
END_TEST

START_TEST(run_modes) {
    const TranslatorOptions *options = &settings.machine.translator;
    expect_good("-accel tcg,thread=multi,split-wx=on,tb-size=32,one-insn-per-tb=on");
    ck_assert_uint_eq(options->buffer_bytes, 32 << 20);
    ck_assert(options->one_insn_blocks && !options->no_chaining);
    expect_good("-accel jit,chaining=off,force-misses=on,buffer=256k,stress=5,flush=block");
    ck_assert(options->no_chaining && options->force_misses && options->flush_blocks);
    ck_assert(!options->no_flag_states && !options->one_insn_blocks);
    ck_assert_uint_eq(options->buffer_bytes, 256 << 10);
    ck_assert_uint_eq(options->stress_seed, 5);
    expect_good("-accel jit,optimize=off,flag-states=on");
    ck_assert(options->no_jump_table && options->no_flag_liveness && options->no_shared_checks);
    ck_assert(options->no_known_pages && options->no_inline_fpu && options->no_bmi2);
    ck_assert(options->no_inline_strings && options->no_inline_tsc);
    ck_assert(options->no_side_stores && options->no_revival && options->no_page_pairs);
    ck_assert(options->no_fetched_operands && options->no_single_entry);
    ck_assert(!options->no_chaining && !options->no_flag_states);
    expect_good("-accel interp,flush=block,stress=1 -accel kvm:jit");
    ck_assert_int_eq(options->backend, translator_default_backend());
    ck_assert(!options->flush_blocks && options->stress_seed == 0);
}
END_TEST

START_TEST(character_devices) {
    expect_good("-serial file:out.txt -serial unix:/tmp/s,server,nowait -serial none -serial pty "
                "-debugcon file:debug.txt -monitor stdio -parallel null");
    ck_assert_int_eq(settings.serial[0].kind, CHARACTER_FILE);
    ck_assert_str_eq(settings.serial[0].path, "out.txt");
    ck_assert_int_eq(settings.serial[1].kind, CHARACTER_SOCKET);
    ck_assert(settings.serial[1].server && !settings.serial[1].wait);
    ck_assert_int_eq(settings.serial[2].kind, CHARACTER_NONE);
    ck_assert_int_eq(settings.serial[3].kind, CHARACTER_PTY);
    ck_assert_int_eq(settings.debug_console.kind, CHARACTER_FILE);
    ck_assert_int_eq(settings.monitor[0].kind, CHARACTER_STDIO);
}
END_TEST

START_TEST(ports_as_devices) {
    expect_good("-chardev file,id=out,path=out.txt -device isa-parallel,iobase=0x3bc,chardev=out "
                "-device isa-parallel,index=0 -device isa-serial,chardev=out");
    ck_assert_int_eq(settings.parallel_count, 3);
    ck_assert_int_eq(settings.parallel[0].kind, CHARACTER_NULL);
    ck_assert_int_eq(settings.parallel[1].kind, CHARACTER_NONE);
    ck_assert_int_eq(settings.parallel[2].kind, CHARACTER_FILE);
    ck_assert_str_eq(settings.parallel[2].path, "out.txt");
    ck_assert_int_eq(settings.serial[0].kind, CHARACTER_FILE);
}
END_TEST

START_TEST(nographic_shares_the_terminal) {
    expect_good("-nographic");
    ck_assert_int_eq(settings.display, DISPLAY_NONE);
    ck_assert_int_eq(settings.serial[0].kind, CHARACTER_STDIO);
    ck_assert(settings.serial[0].mux && settings.machine.serial_screen);
}
END_TEST

START_TEST(debug_exit_is_absent_unless_asked_for) {
    expect_good("-device isa-debug-exit,iobase=0xf4,iosize=4");
    ck_assert(settings.machine.has_debug_exit);
    ck_assert_uint_eq(settings.machine.debug_exit_port, 0xF4);
    ck_assert_uint_eq(settings.machine.debug_exit_size, 4);
}
END_TEST

START_TEST(panic_port_is_absent_unless_asked_for) {
    expect_good("");
    ck_assert(!settings.machine.has_pvpanic);
    expect_good("-device pvpanic");
    ck_assert(settings.machine.has_pvpanic);
    ck_assert_uint_eq(settings.machine.pvpanic_port, 0x505);
    ck_assert_uint_eq(settings.machine.pvpanic_events, 3);
    expect_good("-device pvpanic,ioport=0x600,events=1");
    ck_assert_uint_eq(settings.machine.pvpanic_port, 0x600);
    ck_assert_uint_eq(settings.machine.pvpanic_events, 1);
}
END_TEST

START_TEST(test_devices_are_absent_unless_asked_for) {
    expect_good("");
    ck_assert(!settings.machine.has_pc_testdev && !settings.machine.has_pci_testdev);
    expect_good("-nodefaults -device pc-testdev -device isa-debug-exit,iobase=0xf4,iosize=0x4 "
                "-vnc none -serial stdio -device pci-testdev -machine accel=tcg -smp 1 -no-reboot "
                "-cpu max,vendor=GenuineIntel -append words -initrd file -kernel x.flat -display "
                "none -m 512");
    ck_assert(settings.machine.has_pc_testdev && settings.machine.has_pci_testdev);
}
END_TEST

START_TEST(processors_are_counted) {
    expect_good("");
    ck_assert_uint_eq(settings.machine.processors, 1);
    expect_good("-smp 4");
    ck_assert_uint_eq(settings.machine.processors, 4);
    expect_good("-smp cpus=2,maxcpus=4");
    ck_assert_uint_eq(settings.machine.processors, 2);
    expect_good("-smp sockets=1,cores=3,threads=2");
    ck_assert_uint_eq(settings.machine.processors, 6);
}
END_TEST

START_TEST(icount_can_be_taken_back) {
    expect_good("-icount shift=3 -icount off");
    ck_assert(!settings.machine.icount);
}
END_TEST

static void expect_warning(const char *line, const char *part) {
    start_over();
    expect_good(line);
    bool found = false;
    for (unsigned i = 0; i < settings.warning_count; i++)
        found |= strstr(settings.warning[i], part) != NULL;
    ck_assert_msg(found, "'%s' gave no warning with '%s'", line, part);
}

START_TEST(what_there_is_not_is_warned_of) {
    expect_good("-m 64 -smp 2 -cpu pentium3 -accel tcg -vga std -device ac97 -device i8042");
    ck_assert_uint_eq(settings.warning_count, 0);
    expect_warning("-enable-kvm -accel kvm", "-enable-kvm: guests run by translation");
    expect_warning("-m 64G", "-m: the machine has 3.5G");
    ck_assert_uint_eq(settings.machine.ram_bytes, MACHINE_RAM_MAX);
    expect_warning("-smp sockets=4,cores=4", "8 processors, which are the most, not 16");
    ck_assert_uint_eq(settings.machine.processors, MACHINE_PROCESSORS);
    expect_warning("-cpu host,kvm=off,+invtsc,-sse2", "no model 'host'");
    ck_assert_str_eq(settings.machine.cpu_model, "max,kvm=off,-sse2");
    expect_warning("-cpu qemu32,+avx,lm=on,+pae", "the feature 'avx'");
    ck_assert_str_eq(settings.machine.cpu_model, "qemu32,+pae");
    expect_warning("-M pc-q35-7.2", "no pc-q35-7.2");
    ck_assert(settings.machine.has_pci);
    expect_warning("-vga qxl", "no qxl adapter");
    expect_warning("-device virtio-vga -device qxl", "no qxl: one display adapter is there");
    ck_assert_int_eq(settings.machine.vga.model, VGA_STANDARD);
    expect_warning("-spice port=1", "no SPICE server");
    ck_assert_int_eq(settings.display, DISPLAY_NONE);
    expect_warning("-device virtio-rng -device virtio-rng", "no virtio-rng");
    ck_assert_uint_eq(settings.warning_count, 1);
    expect_warning("-global virtio-mmio.force-legacy=false", "-global: virtio-mmio.force-legacy");
}
END_TEST

START_TEST(settings_of_all_devices_of_a_kind) {
    expect_good("-device sb16,dma=3 -global sb16.irq=7 -global sb16.dma=1");
    ck_assert_uint_eq(settings.machine.sound[SOUND_SB16].irq, 7);
    ck_assert_uint_eq(settings.machine.sound[SOUND_SB16].dma, 3);
    ck_assert_uint_eq(settings.warning_count, 0);
    start_over();
    expect_good("-vga std -global driver=VGA,property=vgamem_mb,value=32");
    ck_assert_uint_eq(settings.machine.vga.memory_bytes, 32 << 20);
    start_over();
    expect_good("-debugcon file:log.txt -global isa-debugcon.iobase=0x402");
    ck_assert_int_eq(settings.firmware_log.kind, CHARACTER_FILE);
    ck_assert_int_eq(settings.debug_console.kind, CHARACTER_NONE);
}
END_TEST

START_TEST(devices_may_stand_before_what_they_name) {
    expect_good("-device ide-hd,drive=d,bus=ide.1 -device sb16,audiodev=a -audiodev none,id=a "
                "-drive if=none,file=x.img,id=d");
    ck_assert_str_eq(settings.machine.ide[2].file, "x.img");
}
END_TEST

START_TEST(older_spellings) {
    expect_good(
        "-hda x.img -hdachs 306,4,17 -redir tcp:5555::22 -redir udp:53:10.0.2.16:53 -tftp d "
        "-net nic,vlan=0 -net user,vlan=0,bootp=f -localtime -pflash b.bin -singlestep");
    const NetworkUserOptions *user = &settings.machine.network_back_end[0].user;
    ck_assert_uint_eq(settings.machine.ide[0].geometry.cylinders, 306);
    ck_assert_str_eq(user->forwards[0], "tcp::5555-:22");
    ck_assert_str_eq(user->forwards[1], "udp::53-10.0.2.16:53");
    ck_assert_str_eq(user->tftp, "d");
    ck_assert_str_eq(user->boot_file, "f");
    ck_assert_int_eq(settings.machine.rtc_base, RTC_BASE_LOCALTIME);
    ck_assert_str_eq(settings.machine.bios, "b.bin");
    ck_assert(settings.machine.translator.one_insn_blocks);
    start_over();
    expect_good("-startdate 2006-06-17T16:01:21 -net nic,netdev=n -netdev user,id=n");
    ck_assert_int_eq(settings.machine.rtc_seconds, 1150560081);
    ck_assert_str_eq(settings.machine.network_card[0].back_end, "n");
}
END_TEST

static const struct {
    const char *line, *part;
} errors[] = {
    {"-cpu max,vendor=Authentic", "12 characters"},
    {"-cpu 486,mips=0", "0.01 to 100000"},
    {"-cpu 486,mips=fast", "0.01 to 100000"},
    {"-device pvpanic,events=4", "events 0 to 3"},
    {"-hdaa x", "did you mean '-hda'"},
    {"-dispaly none", "did you mean '-display'"},
    {"--snapshto", "did you mean '-snapshot'"},
    {"-xyzzyplugh", "-help lists"},
    {"-m", "SIZE is missing"},
    {"-m 64Q", "'64Q'"},
    {"-m 0", "1M to 3.5G"},
    {"-m 512K", "1M to 3.5G"},
    {"-m 2T", "1M to 3.5G"},
    {"-m 99999999T", "memory"},
    {"-m -5", "'-5'"},
    {"-smp 0", "1 to 8 processors"},
    {"-smp 256", "1 to 8 processors"},
    {"-smp sockets=40,cores=40", "1 to 8 processors"},
    {"-smp 4,maxcpus=2", "maxcpus=2 is less"},
    {"-machine microvm", "unknown machine 'microvm'"},
    {"-machine pc,accle=tcg", "did you mean 'accel'"},
    {"-accel tgc", "unknown accelerator"},
    {"-accel jit,chainign=off", "did you mean 'chaining'"},
    {"-accel jit,chaining=maybe", "chaining"},
    {"-accel interp,hot-paths=off", "interp has no hot-paths"},
    {"-accel interp,buffer=1M", "interp has no buffer"},
    {"-accel jit,buffer=1k", "64k to 1G"},
    {"-accel tcg,tb-size=1,buffer=1M", "one thing"},
    {"-accel tcg,thread=many", "single or multi"},
    {"-accel jit,flush=page", "none or block"},
    {"-accel jit,stress=-1", "stress"},
    {"-cpu i9", "i9"},
    {"-cpu pentium4,+warp", "warp"},
    {"-display tty", "sdl, vnc=HOST:N and none"},
    {"-vga tcx", "std, cirrus and none"},
    {"-vnc :1,share=never", "force-shared"},
    {"-global VGA", "driver property value"},
    {"-global VGA.vgamem_mb=3", "power of two"},
    {"-vga cirrus -device VGA -device cirrus-vga", "one display adapter already"},
    {"-device VGA,vgamem_mb=3", "power of two"},
    {"-device cirrus-vga,vgamem_mb=32", "1 to 4"},
    {"-device VGA,xres=800", "size of a screen"},
    {"-device e1001", "did you mean 'e1000'?"},
    {"-device isa-debug-exti", "did you mean 'isa-debug-exit'"},
    {"-device isa-debug-exit,iobase=70000", "iobase"},
    {"-device ide-hd,drive=nowhere", "'nowhere'"},
    {"-device ide-hd", "drive="},
    {"-device ide-hd,bus=ahci.0", "'ahci.0'"},
    {"-device ahci -device ahci", "one AHCI controller"},
    {"-device piix3-usb-uhci -device piix3-usb-uhci", "one USB controller"},
    {"-device usb-tablet -device usb-tablet", "one USB tablet"},
    {"-device usb-tablet,port=3", "1 to 2"},
    {"-device usb-tablet,port=1.2.", "two numbers as 1.3"},
    {"-device usb-hub -device usb-hub -device usb-hub -device usb-hub -device usb-hub",
     "at most 4 USB hubs"},
    {"-usb -device usb-tablet,bus=ahci.0", "'ahci.0'"},
    {"-device ahci -device ide-hd,bus=ahci.0", "needs an image"},
    {"-device ahci -device ide-cd,bus=ahci.6", "6 ports"},
    {"-device ahci -device ide-cd,bus=ahci.1 -device ide-cd,bus=ahci.1", "port 1"},
    {"-device virtio-blk-pci", "needs an image"},
    {"-device virtio-blk-pci,drive=nowhere", "'nowhere'"},
    {"-drive file=a,if=none,id=a -device virtio-blk-pci,drive=a,addr=xyz", "'xyz'"},
    {"-drive file=a,if=xen", "if=xen"},
    {"-drive if=none,file=a,id=a -device ide-hd,drive=a,cyls=5", "heads 1 to 16"},
    {"-drive if=none,file=a,id=a -device ide-hd,drive=a,cyls=5,heads=17,secs=9", "heads 1 to 16"},
    {"-drive if=none,file=a,id=a -device ide-hd,drive=a,bios-chs-trans=lba", "needs cyls="},
    {"-drive if=none,file=a,id=a -device ide-hd,drive=a,bios-chs-trans=x", "none, lba, large"},
    {"-rtc clock=moon", "host, rt or vm"},
    {"-rtc driftfix=x", "none or slew"},
    {"-drive file=a,if=scsi,unit=7", "there is no bus 0, unit 7"},
    {"-drive if=scsi,media=disk", "needs an image"},
    {"-device scsi-cd", "-device lsi"},
    {"-device lsi,id=a -device scsi-cd,bus=scsi.0", "known is a.0"},
    {"-device lsi -device scsi-cd,scsi-id=7", "0 to 6"},
    {"-device lsi -device scsi-cd,lun=1", "unit 0"},
    {"-device lsi -device scsi-cd,scsi-id=3 -device scsi-cd,scsi-id=3", "number 3"},
    {"-drive driver=vvfat", "dir="},
    {"-drive driver=vvfat,dir=a,fat-type=8", "fat-type"},
    {"-drive driver=nbd,file=a", "driver=nbd"},
    {"-drive file=a,medai=cdrom", "did you mean 'media'"},
    {"-drive file=a,media=tape", "disk or cdrom"},
    {"-drive file=a,index=9", "index 0 to 3"},
    {"-drive if=ide", "file="},
    {"-hda a -hda b", "is taken"},
    {"-fda a -fda b", "named twice"},
    {"-boot z", "not 'z'"},
    {"-boot order=c,mneu=on", "did you mean 'menu'"},
    {"-rtc base=yesterday", "'yesterday'"},
    {"-icount shift=99", "0 to 10"},
    {"-icount shift=auto", "not exact"},
    {"-serial unxi:/tmp/x", "did you mean 'unix:'"},
    {"-serial file:", "path is missing"},
    {"-serial chardev:nobody", "'nobody'"},
    {"-serial stdio -monitor stdio", "only one"},
    {"-chardev socket,path=/x", "id= is needed"},
    {"-mon mode=control", "chardev= is needed"},
    {"-d everything", "everything"},
    {"-nic user,model=e1001", "did you mean 'e1000'?"},
    {"-net nic,model=x", "no network card 'x'"},
    {"-qmp nowhere:x", "unknown character device"},
    {"-vnc x", "no HOST:DISPLAY"},
    {"-vnc 0.0.0.0:1", "without a password"},
    {"-vnc :1,websocket=often", "websocket is on, off or a port"},
    {"-vnc :10000", "0 to 9999"},
    {"/nowhere/dos.img", "/nowhere/dos.img"},
    {"-device {\"driver\":", "JSON"},
};

START_TEST(disks_on_the_pci_bus) {
    expect_good(
        "-drive if=virtio,file=a.img,serial=S1 -device ich9-ahci,id=sata,addr=0x7 "
        "-drive if=none,file=b.img,id=b,snapshot=on -device ide-hd,drive=b,bus=sata.5,serial=S2 "
        "-device ide-cd,bus=sata.0,bootindex=1 "
        "-drive if=none,file=c.img,id=c -device virtio-blk-pci,drive=c,addr=1f");
    const MachineConfig *machine = &settings.machine;
    const PciDiskConfig *disks = machine->pci_disk;
    ck_assert(disks[0].kind == PCI_DISK_VIRTIO && disks[0].slot == 0);
    ck_assert_str_eq(disks[0].drive.file, "a.img");
    ck_assert_str_eq(disks[0].drive.serial, "S1");
    ck_assert(machine->has_ahci && machine->ahci_slot == 7);
    ck_assert(disks[1].kind == PCI_DISK_AHCI && disks[1].port == 5 && disks[1].drive.snapshot);
    ck_assert_str_eq(disks[1].drive.serial, "S2");
    ck_assert(disks[2].drive.is_cd && disks[2].drive.boot_index == 1);
    ck_assert_uint_eq(disks[3].slot, 0x1F);
    ck_assert(!disks[4].drive.present);
}
END_TEST

START_TEST(geometry_of_a_disk) {
    expect_good("-drive if=none,file=a,id=a -rtc clock=host,driftfix=none "
                "-device ide-hd,drive=a,cyls=615,heads=4,secs=17 -drive if=none,file=b,id=b "
                "-device ide-hd,drive=b,cyls=2000,heads=16,secs=63,bios-chs-trans=large");
    const DriveConfig *drives = settings.machine.ide;
    ck_assert_uint_eq(drives[0].geometry.cylinders, 615);
    ck_assert_uint_eq(drives[0].geometry.heads, 4);
    ck_assert_uint_eq(drives[0].geometry.sectors, 17);
    ck_assert_uint_eq(drives[0].geometry.translation, 0);
    ck_assert_uint_eq(drives[1].geometry.translation, 2);
    ck_assert(settings.machine.rtc_runs_on);
}
END_TEST

START_TEST(drives_on_the_scsi_bus) {
    expect_good("-device lsi,id=scsi0,bus=pci.0,addr=0x6 -drive if=none,file=a.img,id=a "
                "-device scsi-hd,bus=scsi0.0,scsi-id=4,device_id=drive-a,drive=a,id=scsi0-0-0,"
                "bootindex=1,write-cache=on -device scsi-cd,bus=scsi0.0 "
                "-drive if=scsi,file=b.img,index=2 -drive if=scsi,file=c.img");
    const MachineConfig *machine = &settings.machine;
    const PciDiskConfig *disks = machine->pci_disk;
    ck_assert(machine->has_scsi && machine->scsi_slot == 6);
    ck_assert(disks[0].kind == PCI_DISK_SCSI && disks[0].port == 2 && disks[1].port == 0);
    ck_assert(disks[2].kind == PCI_DISK_SCSI && disks[2].port == 4);
    ck_assert_str_eq(disks[2].drive.scsi_device_id, "drive-a");
    ck_assert(disks[3].drive.is_cd && disks[3].port == 1);
}
END_TEST

START_TEST(usb_is_absent_unless_asked_for) {
    const MachineConfig *machine = &settings.machine;
    expect_good("-machine usb=off");
    ck_assert(!machine->has_usb && machine->usb_device[0].kind == USB_DEVICE_NONE);
    expect_good("-machine pc,usb=on");
    ck_assert(machine->has_usb && machine->usb_device[0].kind == USB_DEVICE_NONE);
    expect_good("-machine usb=off -usb -device usb-tablet,id=input0,bus=usb-bus.0,port=2");
    ck_assert(machine->has_usb && machine->usb_device[0].kind == USB_DEVICE_TABLET &&
              machine->usb_device[0].port == 2);
}
END_TEST

START_TEST(usb_devices_are_plugged_in) {
    const UsbDeviceConfig *device = settings.machine.usb_device;
    expect_good("-usbdevice keyboard -device usb-mouse,id=m,port=1");
    ck_assert(settings.machine.has_usb);
    ck_assert(device[0].kind == USB_DEVICE_KEYBOARD && device[0].port == 0);
    ck_assert(device[1].kind == USB_DEVICE_MOUSE && device[1].port == 1);
    ck_assert_str_eq(device[1].id, "m");
    expect_error("-device usb-kbd -device usb-mouse,port=0", "one USB keyboard already");
}
END_TEST

START_TEST(usb_ports_are_few) {
    expect_error("-device usb-kbd,port=3", "port is 1 to 2");
}
END_TEST

START_TEST(usbdevice_knows_few_words) {
    expect_error("-usbdevice spoon", "not 'spoon'");
}
END_TEST

START_TEST(usb_controller_has_a_place) {
    const MachineConfig *machine = &settings.machine;
    expect_good("-device piix3-usb-uhci,id=usb7,bus=pci.0,addr=0x1.0x2 "
                "-device usb-tablet,bus=usb7.0");
    ck_assert(machine->has_usb && machine->usb_slot == 0 && machine->usb_device[0].port == 0);
}
END_TEST

START_TEST(usb_controller_may_be_elsewhere) {
    expect_good("-device piix3-usb-uhci,addr=9");
    ck_assert(settings.machine.has_usb && settings.machine.usb_slot == 9);
}
END_TEST

START_TEST(bad_lines_are_refused_in_one_line) {
    expect_error(errors[_i].line, errors[_i].part);
}
END_TEST

START_TEST(every_option_is_in_the_table_once) {
    for (const OptionInfo *a = option_table; a->name || a->help; a++) {
        ck_assert(a->name == NULL || a->handle != NULL);
        for (const OptionInfo *b = a + 1; b->name || b->help; b++)
            ck_assert(a->name == NULL || b->name == NULL || strcmp(a->name, b->name) != 0);
    }
}
END_TEST

START_TEST(distances) {
    ck_assert_uint_eq(edit_distance("", "abc"), 3);
    ck_assert_uint_eq(edit_distance("kitten", "sitting"), 3);
    ck_assert_uint_eq(edit_distance("dispaly", "display"), 1);
    ck_assert_uint_eq(edit_distance("same", "same"), 0);
    ck_assert_uint_eq(edit_distance("hda", "hdaa"), 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("command_line");
    TCase *tests = tcase_create("command_line");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, defaults);
    tcase_add_test(tests, nodefaults_leaves_only_what_is_named);
    tcase_add_test(tests, drives);
    tcase_add_test(tests, disks_on_the_pci_bus);
    tcase_add_test(tests, drives_on_the_scsi_bus);
    tcase_add_test(tests, geometry_of_a_disk);
    tcase_add_test(tests, usb_is_absent_unless_asked_for);
    tcase_add_test(tests, usb_controller_has_a_place);
    tcase_add_test(tests, usb_devices_are_plugged_in);
    tcase_add_test(tests, usbdevice_knows_few_words);
    tcase_add_test(tests, usb_ports_are_few);
    tcase_add_test(tests, usb_controller_may_be_elsewhere);
    tcase_add_test(tests, drive_without_index_takes_the_first_free_place);
    tcase_add_test(tests, folders_as_drives);
    tcase_add_test(tests, exports_as_drives);
    tcase_add_test(tests, block_nodes_and_devices);
    tcase_add_test(tests, devices_before_what_they_lead_to);
    tcase_add_test(tests, snapshot_is_for_every_drive);
    tcase_add_test(tests, time_and_boot);
    tcase_add_test(tests, short_boot_order);
    tcase_add_test(tests, what_qemu_scripts_pass);
    tcase_add_test(tests, acpi_and_hpet_can_be_left_out);
    tcase_add_test(tests, a_machine_without_pci);
    tcase_add_test(tests, no_pci_devices_without_pci);
    tcase_add_test(tests, names_of_the_machine);
    tcase_add_loop_test(tests, bad_names_of_the_machine, 0,
                        sizeof(bad_names) / sizeof(bad_names[0]));
    tcase_add_test(tests, backends);
    tcase_add_test(tests, run_modes);
    tcase_add_test(tests, character_devices);
    tcase_add_test(tests, ports_as_devices);
    tcase_add_test(tests, nographic_shares_the_terminal);
    tcase_add_test(tests, debug_exit_is_absent_unless_asked_for);
    tcase_add_test(tests, panic_port_is_absent_unless_asked_for);
    tcase_add_test(tests, test_devices_are_absent_unless_asked_for);
    tcase_add_test(tests, processors_are_counted);
    tcase_add_test(tests, icount_can_be_taken_back);
    tcase_add_test(tests, what_there_is_not_is_warned_of);
    tcase_add_test(tests, settings_of_all_devices_of_a_kind);
    tcase_add_test(tests, devices_may_stand_before_what_they_name);
    tcase_add_test(tests, older_spellings);
    tcase_add_loop_test(tests, bad_lines_are_refused_in_one_line, 0,
                        (int)(sizeof(errors) / sizeof(errors[0])));
    tcase_add_test(tests, every_option_is_in_the_table_once);
    tcase_add_test(tests, distances);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

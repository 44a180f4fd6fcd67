#include "monitor_command.h"

// clang-format off
const MonitorCommand monitor_commands[] = {
    {"change", NULL, "device filename [format [read-only|read-write]]", "put another medium into a removable drive", monitor_change, true},
    {"cont", "c", "", "resume emulation", monitor_continue, false},
    {"eject", NULL, "[-f] device", "take the medium out of a removable drive", monitor_eject, true},
    {"help", "?", "[cmd]", "show the help", monitor_help, false},
    {"i", NULL, "/fmt addr", "read an I/O port", monitor_port_read, true},
    {"info", NULL, "[subcommand]", "show something about the machine; 'help info' lists what", monitor_info, false},
    {"log", NULL, "category[,...]|none", "trace these categories, as -d does", monitor_log, true},
    {"memsave", NULL, "addr size file", "save memory by virtual address to a file", monitor_save_memory, true},
    {"mouse_button", NULL, "state", "press mouse buttons (1 left, 2 middle, 4 right), 0 lets go", monitor_mouse_button, false},
    {"mouse_move", NULL, "dx dy [dz]", "move the mouse", monitor_mouse_move, false},
    {"nmi", NULL, "", "send a non-maskable interrupt", monitor_nmi, true},
    {"o", NULL, "/fmt addr value", "write an I/O port", monitor_port_write, true},
    {"pmemsave", NULL, "addr size file", "save memory by physical address to a file", monitor_save_physical, true},
    {"print", "p", "/fmt expr", "print the value of an expression ($eax is a register)", monitor_evaluate, true},
    {"quit", "q", "", "end the program", monitor_quit, false},
    {"screendump", NULL, "filename [-f png|ppm]", "save the screen as a picture", monitor_screendump, true},
    {"screentext", NULL, "", "show the text screen", monitor_screentext, true},
    {"sendkey", NULL, "keys [hold_ms]", "press keys together (ctrl-alt-f1), for 100 ms", monitor_send_key, false},
    {"stop", "s", "", "stop emulation", monitor_stop, false},
    {"system_powerdown", NULL, "", "press the power button", monitor_power_down, false},
    {"system_reset", NULL, "", "press the reset button", monitor_reset, false},
    {"x", NULL, "/fmt addr", "show memory by virtual address (/8xw: 8 hexadecimal words, /5i: 5 instructions)", monitor_examine, true},
    {"xp", NULL, "/fmt addr", "show memory by physical address", monitor_examine_physical, true},
    {NULL, NULL, NULL, NULL, NULL, false},
};

const MonitorCommand monitor_info_commands[] = {
    {"block", NULL, "", "drives and their media", monitor_info_block, true},
    {"device", NULL, "[id]", "the state of a device, field by field", monitor_info_device, true},
    {"hash", NULL, "", "the hash of the machine's whole state", monitor_info_hash, true},
    {"jit", NULL, "", "the translator's counters", monitor_info_jit, true},
    {"mem", NULL, "", "mapped ranges of virtual memory", monitor_info_mem, true},
    {"mtree", NULL, "", "what answers at which physical address and port", monitor_info_mtree, true},
    {"name", NULL, "", "the machine's name", monitor_info_name, false},
    {"pci", NULL, "", "devices on the PCI bus", monitor_info_pci, true},
    {"pic", NULL, "", "the interrupt controllers", monitor_info_pic, true},
    {"qtree", NULL, "", "the buses and the devices on them", monitor_info_qtree, true},
    {"registers", NULL, "", "the processor's registers", monitor_info_registers, true},
    {"roms", NULL, "", "firmware and where it comes from", monitor_info_roms, true},
    {"status", NULL, "", "whether the machine runs", monitor_info_status, false},
    {"tlb", NULL, "", "virtual pages and where they lie", monitor_info_tlb, true},
    {"version", NULL, "", "the version of the program", monitor_info_version, false},
    {NULL, NULL, NULL, NULL, NULL, false},
};
// clang-format on

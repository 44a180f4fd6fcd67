/* What the files of the board share: each plugs in its chips, in the order of board_create(). */
#ifndef REPRISE_BOARD_PARTS_H
#define REPRISE_BOARD_PARTS_H

#include "board.h"
#include "device_context.h"
#include "irq_lines.h"
#include "kernel_image.h"

/* Sources of the interrupt lines that several chips share. */
enum {
    IRQ_SOURCE_ISA,
    IRQ_SOURCE_PCI,
    IRQ_SOURCE_POWER,
    IRQ_SOURCE_ISA_SHARED,
    IRQ_SOURCE_TEST,
    IRQ_SOURCE_NETWORK,
    IRQ_SOURCE_SOUND
};

DeviceContext board_context(const Board *board);
/* The pin by which ISA devices raise an interrupt request. */
Wire board_isa_irq(Board *board, unsigned irq);

/* board_interrupts.c */
bool board_create_interrupts(Board *board, Error *error);
void board_destroy_interrupts(Board *board);
/* board_firmware.c */
bool board_load_firmware(Board *board, Error *error);
bool board_create_fw_cfg(Board *board, Error *error);
void board_free_firmware(Board *board);
/* board_kernel.c: loading (nothing where no kernel is asked for), and handing over to the ROM. */
#define BOARD_KERNEL_ROM "genroms/kernel_boot.bin"
bool board_load_kernel(Board *board, KernelImage *image, Error *error);
bool board_offer_kernel(Board *board, const KernelImage *image, Error *error);
/* board_test_devices.c: what suites of test kernels ask for. */
bool board_create_test_devices(Board *board, Error *error);
void board_destroy_test_devices(Board *board);
/* board_storage.c; the drive has 'medium' (held) where that is not NULL, else what it is asked for.
 */
bool board_fill_drive(Board *board, BoardDrive *drive, const DriveConfig *config, BlockNode *medium,
                      Error *error);
bool board_open_media(Board *board, Error *error);
bool board_create_storage(Board *board, Error *error);
void board_destroy_storage(Board *board);
/* board_network.c */
bool board_create_network(Board *board, Error *error);
void board_destroy_network(Board *board);
/* What the host has for the network's back ends. */
void board_serve_network(Board *board);
/* The states of libraries behind them. */
void board_save_network(const Board *board, ByteBuffer *buffer);
bool board_skip_network(ByteReader *reader, Error *error);
void board_load_network(Board *board, ByteReader *reader);
/* board_ports.c */
bool board_create_ports(Board *board, Error *error);
void board_destroy_ports(Board *board);
/* board_sound.c: mixers first, since the speaker is heard by one; then the cards. */
void board_create_mixers(Board *board);
struct AudioMixer *board_mixer(const Board *board, SoundKind kind);
/* Before the first device goes: what sounded until now. */
void board_flush_mixers(Board *board);
void board_destroy_mixers(Board *board);
bool board_create_sound(Board *board, Error *error);
void board_destroy_sound(Board *board);
/* board_vmware.c */
bool board_create_vmware(Board *board, Error *error);
void board_destroy_vmware(Board *board);
/* board_usb.c */
bool board_create_usb(Board *board, Error *error);
void board_destroy_usb(Board *board);
/* The way to the port (UsbPath) that the device is to have; 0 and an error: there is none. */
uint32_t board_find_usb_port(const Board *board, const UsbDeviceConfig *config, Error *error);
void board_name_usb_device(Board *board, const UsbDeviceConfig *config, const char *id);
/* Plugs the device of this kind in, or out: port 0. False if that is not possible; a hub stays
 * while it is used. */
bool board_plug_usb(Board *board, const UsbDeviceConfig *config, uint32_t port);
/* Puts in what config.pci_disk says, which is 'medium' (held) where that is not NULL; takes it out.
 */
bool board_fill_usb_disk(Board *board, unsigned disk, BlockNode *medium, Error *error);
void board_empty_usb_disk(Board *board, unsigned disk);
/* How firmware names a disk there: an Open Firmware path. */
void board_print_usb_disk_path(const Board *board, unsigned disk, ByteBuffer *text);
/* board_cmos.c: what the BIOS finds in the battery-backed RAM. */
void board_fill_cmos(Board *board);
/* The order of '-boot once=' was for the first start. */
void board_end_boot_once(Board *board);

#endif

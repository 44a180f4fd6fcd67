#include "device_substitutes.h"

#include <stddef.h>
#include <string.h>

#define NO_DRIVER_NEEDS_IT "the guest runs without"

// clang-format off
static const DeviceSubstitute substitutes[] = {
    /* Other names. */
    {"ac97", "AC97", NULL},
    {"es1370", "ES1370", NULL},
    {"e1000-82540em", "e1000", NULL},
    {"ide-drive", "ide-hd", NULL},
    {"scsi-disk", "scsi-hd", NULL},
    {"virtio-blk-pci-transitional", "virtio-blk-pci", NULL},
    {"virtio-blk-pci-non-transitional", "virtio-blk-pci", NULL},
    {"virtio-net-pci-transitional", "virtio-net-pci", NULL},
    {"virtio-net-pci-non-transitional", "virtio-net-pci", NULL},
    /* What the board has anyway. */
    {"piix3-ide", NULL, NULL},
    {"piix4-ide", NULL, NULL},
    {"isa-fdc", NULL, NULL},
    {"i8042", NULL, NULL},
    {"mc146818rtc", NULL, NULL},
    {"PIIX4_PM", NULL, NULL},
    {"isa-pit", NULL, NULL},
    {"kvm-pit", NULL, NULL},
    {"port92", NULL, NULL},
    /* Others of the same kind, which most systems have drivers for. */
    {"e1000-82544gc", "e1000", "an 82540EM takes its place"},
    {"e1000-82545em", "e1000", "an 82540EM takes its place"},
    {"e1000e", "e1000", "an 82540EM takes its place"},
    {"qxl-vga", "VGA", "the standard adapter takes its place"},
    {"qxl", "VGA", "the standard adapter takes its place"},
    {"virtio-vga", "VGA", "the standard adapter takes its place"},
    {"virtio-vga-gl", "VGA", "the standard adapter takes its place"},
    {"virtio-gpu-pci", "VGA", "the standard adapter takes its place"},
    {"virtio-gpu", "VGA", "the standard adapter takes its place"},
    {"vmware-svga", "VGA", "the standard adapter takes its place"},
    {"bochs-display", "VGA", "the standard adapter takes its place"},
    {"virtio-scsi-pci", "lsi53c895a", "an LSI 53C895A takes its place"},
    {"virtio-scsi", "lsi53c895a", "an LSI 53C895A takes its place"},
    {"lsi53c810", "lsi53c895a", "an LSI 53C895A takes its place"},
    {"qemu-xhci", "piix3-usb-uhci", "a UHCI controller takes its place"},
    {"nec-usb-xhci", "piix3-usb-uhci", "a UHCI controller takes its place"},
    {"piix4-usb-uhci", "piix3-usb-uhci", "that of the PIIX3 takes its place"},
    /* What a guest does without. */
    {"virtio-rng-pci", NULL, NO_DRIVER_NEEDS_IT},
    {"virtio-rng", NULL, NO_DRIVER_NEEDS_IT},
    {"virtio-rng-pci-transitional", NULL, NO_DRIVER_NEEDS_IT},
    {"virtio-balloon-pci", NULL, NO_DRIVER_NEEDS_IT},
    {"virtio-balloon", NULL, NO_DRIVER_NEEDS_IT},
    {"virtio-serial-pci", NULL, NO_DRIVER_NEEDS_IT},
    {"virtio-serial", NULL, NO_DRIVER_NEEDS_IT},
    {"virtserialport", NULL, NO_DRIVER_NEEDS_IT},
    {"virtconsole", NULL, NO_DRIVER_NEEDS_IT},
    {"virtio-keyboard-pci", NULL, "the PS/2 keyboard is there"},
    {"virtio-keyboard", NULL, "the PS/2 keyboard is there"},
    {"virtio-mouse-pci", NULL, "the PS/2 mouse is there"},
    {"virtio-mouse", NULL, "the PS/2 mouse is there"},
    {"virtio-tablet-pci", NULL, "the PS/2 mouse is there; usb-tablet points, too"},
    {"virtio-tablet", NULL, "the PS/2 mouse is there; usb-tablet points, too"},
    {"intel-hda", NULL, "there is no such sound; sb16, AC97 and ES1370 are"},
    {"ich9-intel-hda", NULL, "there is no such sound; sb16, AC97 and ES1370 are"},
    {"hda-output", NULL, "there is no such sound; sb16, AC97 and ES1370 are"},
    {"hda-duplex", NULL, "there is no such sound; sb16, AC97 and ES1370 are"},
    {"hda-micro", NULL, "there is no such sound; sb16, AC97 and ES1370 are"},
    {"cs4231a", NULL, "there is no such sound; sb16, AC97 and ES1370 are"},
    {"gus", NULL, "there is no such sound; sb16, AC97 and ES1370 are"},
    {"usb-audio", NULL, "there is no such sound; sb16, AC97 and ES1370 are"},
    {"usb-ccid", NULL, NO_DRIVER_NEEDS_IT},
    {"usb-redir", NULL, NO_DRIVER_NEEDS_IT},
    {"i6300esb", NULL, "there is no watchdog"},
    {"ib700", NULL, "there is no watchdog"},
    {"vmcoreinfo", NULL, NO_DRIVER_NEEDS_IT},
    {"vmgenid", NULL, NO_DRIVER_NEEDS_IT},
    {"tpm-tis", NULL, "there is no TPM"},
    {"tpm-crb", NULL, "there is no TPM"},
    {"intel-iommu", NULL, NO_DRIVER_NEEDS_IT},
    {"isa-applesmc", NULL, NO_DRIVER_NEEDS_IT},
    {"pcie-root-port", NULL, "there is one PCI bus"},
    {"ioh3420", NULL, "there is one PCI bus"},
    {"pci-bridge", NULL, "there is one PCI bus"},
    {"pcie-pci-bridge", NULL, "there is one PCI bus"},
    {"i82801b11-bridge", NULL, "there is one PCI bus"},
};
// clang-format on

const DeviceSubstitute *device_substitute_find(const char *name) {
    for (size_t i = 0; i < sizeof(substitutes) / sizeof(substitutes[0]); i++)
        if (strcmp(substitutes[i].name, name) == 0)
            return &substitutes[i];
    return NULL;
}

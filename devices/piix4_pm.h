/* Power management of the 82371AB (PIIX4): the ACPI registers with their timer, the APM ports, the
 * SMBus host and the general purpose events where SeaBIOS's ACPI tables expect them. (Intel 82371AB
 * data sheet 290562, chapter 7.) */
#ifndef REPRISE_PIIX4_PM_H
#define REPRISE_PIIX4_PM_H

#include "pci.h"

/* The ACPI power management timer. */
#define PIIX4_PM_TIMER_HZ 3579545

typedef struct Piix4Pm Piix4Pm;

typedef struct Piix4PmOptions {
    Wire sci; /* IRQ 9 of the 8259 pair */
    Wire smi; /* of the processor */
    /* The guest switched the machine off. */
    void (*power_off)(void *opaque);
    void *power_off_opaque;
    /* It suspended the machine to RAM: the processor stops after this instruction. */
    void (*suspend)(void *opaque);
    /* Something wakes it: as soon as possible, all chips are to be reset, and piix4_pm_woken() is
     * to be called after that. */
    void (*wake)(void *opaque);
    void *suspend_opaque;
} Piix4PmOptions;

/* Plugs itself into slot 1, function 3. */
Piix4Pm *piix4_pm_create(const DeviceContext *context, PciBus *bus, const Piix4PmOptions *options,
                         Error *error);
void piix4_pm_destroy(Piix4Pm *pm);

/* Suspended to RAM: no instruction may run. */
bool piix4_pm_is_asleep(const Piix4Pm *pm);
/* A key, or whatever else wakes a suspended machine; nothing where it is awake. */
void piix4_pm_wake(Piix4Pm *pm);
/* The interrupt request of the clock chip, which may wake the machine. */
void piix4_pm_clock_alarm(Piix4Pm *pm);
/* Why the machine wakes, to be asked before the reset; and told after it. */
uint16_t piix4_pm_wake_cause(const Piix4Pm *pm);
void piix4_pm_woken(Piix4Pm *pm, uint16_t cause);

/* Somebody pushes the power button: a guest with ACPI is asked to shut down; one that is suspended
 * wakes. */
void piix4_pm_press_power_button(Piix4Pm *pm);
/* The same with the sleep button, by which a guest is asked to suspend. */
void piix4_pm_press_sleep_button(Piix4Pm *pm);

/* Sets bits of the general purpose event status. */
void piix4_pm_raise_event(Piix4Pm *pm, uint16_t events);

#endif

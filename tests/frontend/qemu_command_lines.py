#!/usr/bin/env python3
"""Command lines as people's scripts, makefiles and manuals have them for qemu-system-i386 and -x86_64: each starts with this
program in its place, or says in one line what to do. Images are stand-ins; the machine does not run (-S)."""
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time

from emulator import PATIENCE, need_firmware

PROGRAM = os.path.abspath(sys.argv[1])

# A line, and the parts of the warnings that it gives. "{p}" is a free TCP port, "{d}" one as a VNC display.
TAKEN = [
    # Teaching and hobby systems: kernels, floppies, debuggers.
    ("-kernel kernel.bin -serial stdio -m 16", []),
    ("-d int -kernel kernel.bin -serial stdio -no-reboot", []),
    ("-no-reboot -m 4G -no-shutdown -cdrom cd.iso -s{p} -S -drive id=disk,file=disk.img,format=raw", ["3.5G, which is the most"]),
    ("-vga std -cpu qemu32,+pae -no-reboot -monitor stdio -d int -no-shutdown -cdrom cd.iso -drive id=disk,file=disk.img", []),
    ("-s{p} -S -nographic --serial mon:stdio -hdc disk.img -hdd disk2.img", []),
    ("-m 256 -smp 2 -kernel kernel.bin -drive file=disk.img,index=0,media=disk,format=raw -serial mon:stdio -s{p} -S", []),
    ("-drive if=ide,id=ata0.0,index=0,file=disk.img,format=raw -serial /dev/stdout", []),
    ("-soundhw pcspk -drive format=raw,file=floppy.img,index=0,if=floppy", []),
    ("-fda floppy.img -M smm=off -no-shutdown -no-reboot -d int -monitor stdio -D qemu.log -cpu 486 "
     "-audiodev alsa,driver=alsa,id=audio0 -machine pcspk-audiodev=audio0", []),
    ("-s{p} -cpu pentium -fda floppy.img -m 48 -monitor stdio -usb -usbdevice mouse -d int,in_asm,cpu_reset -D qemu.log", []),
    ("-d int --no-reboot -cpu 486-v1 -m 64M -boot a -drive file=floppy.img,format=raw,index=0,if=floppy "
     "-drive file=disk.img,format=raw,index=0,if=ide", []),
    ("-vga std -rtc base=localtime,clock=host -fda floppy.img -boot a", []),
    ("-drive file=disk.img,index=0,media=disk,format=raw -soundhw ac97,es1370 -cdrom cd.iso", []),
    ("-fda floppy.img -usb -device usb-kbd -device usb-mouse -device intel-hda -device ide-cd -boot a -s{p}", ["no intel-hda"]),
    ("-drive file=disk.img,index=1,media=disk,format=raw -drive file=disk2.img,index=0,media=disk,format=raw -smp 2 -m 512 "
     "-S -gdb tcp::{p}", []),
    ("-serial mon:stdio -smp 2,sockets=2,cores=1,threads=1 -m 512 -display curses -hda disk.img", ["in a window"]),
    ("-enable-kvm -cpu kvm64,+smep -kernel kernel.bin -append 'console=ttyS0 quiet' -initrd floppy.img -nographic -m 2G "
     "-smp cores=2,threads=2,sockets=1 -monitor /dev/null -nographic -gdb tcp::{p} -S", ["without hardware virtualization"]),
    ("-drive file=disk.img,if=none,id=mydisk,format=raw,media=disk,index=0 -device ich9-ahci,id=ahci "
     "-device ide-drive,drive=mydisk,bus=ahci.0 -m 2048 -smp cores=4 -d cpu_reset,int,guest_errors,unimp -D qemu.log", []),
    ("-no-kvm -kernel kernel.bin -append 'root=/dev/ram rdinit=/bin/sh' -smp 1", []),
    ("-serial stdio -device isa-debug-exit,iobase=0xf4,iosize=0x01 -m 512 -kernel kernel.bin", []),
    ("-cpu max -smp 4 -m 256 -vga vmware -chardev stdio,id=char0,signal=off -serial chardev:char0 "
     "-drive file=disk.img,format=raw -cdrom cd.iso -boot d -device isa-debug-exit,iobase=0xf4,iosize=0x04 -gdb tcp::{p}",
     ["no vmware adapter"]),
    ("-drive format=raw,file=disk.img -serial mon:stdio -device isa-debug-exit,iobase=0xf4,iosize=0x04 -display none", []),
    ("-no-reboot -machine q35 -cpu qemu64 -smp 2 -m 64M -serial mon:stdio -display none -net none -D qemu.log "
     "-d int,guest_errors", ["no q35"]),
    ("-cdrom cd.iso -device virtio-gpu-pci -serial file:.debug.log -no-reboot -no-shutdown -d int,cpu_reset -D qemu.log",
     ["no virtio-gpu-pci"]),
    ("-cpu max -smp 4 -monitor stdio -debugcon file:debug.txt -m 4G -no-reboot ./disk.img", ["3.5G"]),
    ("-no-reboot -no-shutdown -chardev stdio,id=char0,mux=on,logfile=log.txt,signal=off -serial chardev:char0 "
     "-drive id=disk,file=disk.img,if=none -device ahci,id=ahci -device ide-hd,drive=disk,bus=ahci.0 -smp 4 "
     "-d int,cpu_reset,guest_errors -D qemu.log", []),
    ("-m 2048 -drive if=pflash,format=raw,readonly=on,file=bios.bin -drive if=pflash,format=raw,file=vars.bin "
     "-drive file=disk.img,format=raw -s{p} -serial mon:stdio -nographic -debugcon file:debug.log "
     "-global isa-debugcon.iobase=0x402", ["'bios.bin' is read-only", "'vars.bin'"]),
    ("-M pc -cpu pentium -smp sockets=1,cores=1,threads=1 -m 128 -vga std -device ac97 -netdev user,id=n0 "
     "-device rtl8139,netdev=n0 -accel tcg,thread=multi,tb-size=2048 -boot d -cdrom cd.iso "
     "-chardev stdio,id=char0,logfile=serial.log,signal=off -serial chardev:char0", []),
    ("-audiodev coreaudio,id=audio0 -machine pcspk-audiodev=audio0 -monitor stdio -hda disk.img -serial file:log.txt "
     "-serial pipe:fifo -serial file:l2.txt -m 4 -rtc base=localtime -d guest_errors,cpu_reset", []),
    ("-m 512 -smp 1 -s{p} -enable-kvm -no-kvm-irqchip -kernel kernel.bin -initrd floppy.img -serial stdio", ["virtualization"]),
    ("-serial stdio -hda disk.img -hdb disk2.img -m 128 -redir tcp:{p}::23 -redir tcp:{q}::22", []),
    ("-hda disk.img -hdb disk2.img -parallel stdio -smp 4 -no-kqemu -name kludgeOS -net user -net nic,model=e1000,"
     "macaddr=52:54:00:12:34:56 -redir tcp:{p}::80 -std-vga", []),
    ("-machine q35 -drive format=raw,file=floppy.img,index=0,if=floppy -gdb tcp::{q} -S -curses "
     "-monitor telnet:127.0.0.1:{p},server,nowait", ["no q35", "in a window"]),
    ("-gdb tcp::{p} -S -m 128M -d cpu_reset,guest_errors -device VGA,vgamem_mb=64 -drive id=disk,file=disk.img,if=none,"
     "format=raw -device ahci,id=ahci -device ide-hd,drive=disk,bus=ahci.0 -kernel kernel.bin", []),
    ("-cpu 486 -m 128M -drive file=floppy.img,if=floppy,format=raw -netdev user,id=net0,net=10.0.0.0/24,host=10.0.0.2,"
     "dhcpstart=10.0.0.16,hostfwd=tcp::{p}-:80,hostfwd=udp::{q}-:81 -device rtl8139,netdev=net0", []),
    ("-m 16M -gdb stdio -S -kernel kernel.bin", []),
    ("-drive file=floppy.img,index=0,if=floppy,format=raw -m 16M -cpu Nehalem -no-reboot "
     "-serial mon:telnet::{p},server,nowait -nographic", ["'Nehalem'"]),
    ("-d trace:serial_* -vga std -M q35 -m 2G -bios bios.bin -chardev socket,id=monitor,path=qemu.socket,server=on,wait=off "
     "-serial chardev:monitor -monitor stdio", ["no q35"]),
    ("-device nec-usb-xhci,id=xhci -device usb-mouse,bus=xhci.0 -device usb-kbd,bus=xhci.0 -trace pci_cfg_read -monitor stdio "
     "-hda disk.img", ["no nec-usb-xhci", "-trace: left out"]),
    ("-cpu Skylake-Client-v1 -m 8192 -bios bios.bin -drive if=none,id=stick,format=raw,file=disk.img "
     "-device nec-usb-xhci,id=xhci -device usb-storage,bus=xhci.0,drive=stick -serial file:qemu.log -usbdevice mouse "
     "-smp cores=4,threads=2,sockets=1", ["'Skylake-Client-v1'", "3.5G", "UHCI"]),
    ("-device floppy,drive=rd0 -drive if=none,id=rd0,file=floppy.img,format=raw -device i8042 -device mc146818rtc "
     "-device sb16 -device pc-testdev -device ne2k_pci", []),
    ("-cpu SandyBridge -smp 2 -m 32M -vga std -cdrom cd.iso -netdev user,id=vmnet0,hostfwd=tcp::{p}-:80 "
     "-device e1000,netdev=vmnet0", ["'SandyBridge'"]),
    ("-cpu pentium3 -smp 4 -serial stdio -vga std -drive file=disk.img,format=raw,media=disk,index=0 -netdev user,id=net0 "
     "-device rtl8139,netdev=net0", []),
    ("-M pc -kernel kernel.bin -drive file=disk.img,if=virtio,format=raw -append 'root=/dev/vda console=ttyS0' "
     "-net nic,model=virtio -net user -nographic", []),
    ("-enable-kvm -cpu host -kernel kernel.bin -drive format=raw,file=disk.img,if=virtio -vga qxl -m 1024M "
     "-device e1000,netdev=net0 -netdev user,id=net0,hostfwd=tcp::{p}-:22", ["virtualization", "'host'", "no qxl"]),
    ("-singlestep -d in_asm,nochain -D qemu.log -fda floppy.img", []),
    # Guests of their time.
    ("-cpu pentium3 -m 256 -drive file=disk.img,format=raw,media=disk,cache=directsync -drive file=cd.iso,media=cdrom -boot c "
     "-soundhw sb16 -device ne2k_pci,netdev=net0 -netdev user,id=net0 -vga std -k en-us "
     "-drive file=floppy.img,index=0,if=floppy,format=raw -monitor stdio", []),
    ("-m 128 -drive file=disk.img,format=raw -device sb16 -M pc,acpi=off,vmport=on -cpu pentium -netdev user,id=mynet0 "
     "-device ne2k_isa,netdev=mynet0,iobase=0x300,irq=10", []),
    ("-cdrom cd.iso -boot order=cd -drive file=disk.img -m 512 -soundhw sb16 -vga cirrus -net nic,model=pcnet -net user "
     "-rtc base=localtime", []),
    ("-drive format=raw,file=disk.img,if=ide,aio=io_uring -display sdl -vga std -cpu core2duo -m 128 -accel kvm -M pc,hpet=off "
     "-netdev user,id=lan -device pcnet,netdev=lan -rtc base=localtime -cdrom cd.iso -nodefaults",
     ["'core2duo'", "virtualization"]),
    ("-m 512 -net user -net nic,model=pcnet -device ES1370 -vga cirrus -hda disk.img -cdrom cd.iso -boot c "
     "-rtc base=localtime -cpu pentium3 -usb", []),
    ("-display sdl -drive format=raw,file=floppy.img -audiodev id=dsound,driver=dsound -device sb16,audiodev=dsound", []),
    ("-M pc-0.11 -cpu pentium,level=1 -smp 1 -no-hpet -no-acpi -no-kvm -m 128 -name NT4 -boot c "
     "-drive file=disk.img,if=ide,index=0,cache=unsafe -cdrom cd.iso -net nic,vlan=0,macaddr=52:54:00:12:34:56,model=ne2k_pci "
     "-net user,vlan=0 -vga std -audiodev none,id=a -vnc 127.0.0.1:{d},audiodev=a -monitor null -usb -usbdevice tablet -win2k-hack -no-reboot", []),
    ("-hda disk.img -m 256 -localtime -cpu pentium2 -win2k-hack -boot d -cdrom cd.iso -soundhw es1370 -net nic,model=rtl8139 "
     "-net user,hostname=win2k -no-acpi", []),
    ("-enable-kvm -cpu host -m 1024 -device virtio-vga,edid=on,xres=1440,yres=900 -net nic,model=rtl8139 -net user "
     "-drive file=disk.img,format=raw -usb -device qemu-xhci,id=xhci -drive if=none,id=stick,format=raw,file=disk2.img "
     "-device usb-storage,bus=xhci.0,drive=stick,removable=on -drive file=cd.iso,media=cdrom",
     ["no virtio-vga", "no qemu-xhci", "'host'"]),
    ("--enable-kvm -hda disk.img -cdrom cd.iso -m 2G -rtc base=localtime,clock=host -smp threads=4 -usbdevice tablet -cpu qemu32 "
     "-vga qxl -display sdl -serial tcp:127.0.0.1:{p},server,nowait -monitor tcp:127.0.0.1:{q},server,nowait "
     "-netdev type=user,id=net0 -device rtl8139,netdev=net0,mac=08:00:27:1d:47:b6", ["no qxl", "virtualization"]),
    ("-cpu host -enable-kvm -m 512 -cdrom cd.iso -hda disk.img -boot d -net nic -net user,hostfwd=tcp::{p}-:17060", ["'host'"]),
    ("--enable-kvm -cpu host -drive file=disk.img -localtime -net user,hostfwd=tcp::{p}-:22 -net nic,model=virtio -m 1024M", []),
    ("-m 2048 -accel hvf -cdrom cd.iso -hda disk.img -netdev user,id=mynet0,hostfwd=tcp:127.0.0.1:{p}-:22 "
     "-device e1000,netdev=mynet0 -boot menu=on", ["virtualization"]),
    ("-fda fat:floppy:folder -hda fat:rw:folder2 -boot a", []),
    ("-hda disk.img -hdachs 306,4,17 -startdate 1999-12-31T23:59:00 -alt-grab -no-quit -no-frame", ["Ctrl-Alt-G"]),
    ("-machine isapc -cpu 486 -m 16 -fda floppy.img -net nic,model=ne2k_isa -net user -device sb16 -vga std", []),
    ("-netdev user,id=mynet0 -device ne2k_isa,netdev=mynet0 -drive file=disk.img,format=raw,index=0,media=disk -soundhw sb16 -m 128 "
     "-cpu pentium -device cirrus-vga,vgamem_mb=16 -soundhw pcspk -cdrom cd.iso", ["4 MB of video memory"]),
    ("-boot order=a -m 64 -cpu pentium -vga cirrus -rtc base=localtime -drive file=disk.img,format=raw "
     "-drive file=floppy.img,format=raw,index=0,if=floppy", []),
    ("-m 512 -cpu pentium2 -smp 1 -hda disk.img -hdb disk2.img -machine pc-i440fx-2.12 -boot order=c,menu=on -vga std "
     "-audiodev none,id=noaudio -device sb16,audiodev=noaudio -vnc 127.0.0.1:{d} -rtc base=localtime -netdev user,id=net0 "
     "-device ne2k_isa,netdev=net0 -usb -device usb-tablet -name 'Windows 98 + Files' -monitor stdio", []),
    ("-M q35,hpet=off -m 512 -vga cirrus -device qemu-xhci -usb -device usb-tablet -device sb16 -nic user,model=ne2k_pci "
     "-monitor stdio -drive file=disk.img,id=hd,format=raw -drive file=cd.iso,id=utils,media=cdrom,format=raw", ["no q35", "UHCI"]),
    ("-m 128M -s{p} -S -serial stdio -drive file=disk.img,index=0,media=disk,format=raw -drive file=disk2.img,index=1,media=disk,"
     "format=raw -d pcall,page,mmu,cpu_reset,guest_errors,page,trace:ps2_keyboard_set_translation -D qemu.log", []),
    ("-netdev user,id=n0,hostfwd=tcp:127.0.0.1:{p}-:6000 -device rtl8139,netdev=n0 -object filter-dump,id=id,netdev=n0,file=netout "
     "-d int -no-reboot -no-shutdown -chardev stdio,id=char0,logfile=serial.log,signal=off -serial chardev:char0 -m 512M -cdrom cd.iso",
     []),
    ("-k de -debugcon stdio -m 512 -fda floppy.img", []),
    # Programs that drive it.
    ("-device VGA,edid=on,xres=1024,yres=768 -only-migratable -chardev ringbuf,id=serial0,logfile=serial0,logappend=on "
     "-serial chardev:serial0 -audiodev none,id=snd0 -device intel-hda -device hda-output,audiodev=snd0 "
     "-global isa-fdc.fdtypeA=none -m 1024 -cpu qemu32 -netdev user,id=qanet0 "
     "-device virtio-net,netdev=qanet0,mac=52:54:00:12:34:56 -object rng-random,filename=/dev/urandom,id=rng0 "
     "-device virtio-rng-pci,rng=rng0 -boot menu=on,splash-time=5000 -device qemu-xhci -device usb-tablet -smp 1 -enable-kvm "
     "-no-shutdown -vnc :{d},share=force-shared -device virtio-serial -chardev pipe,id=virtio_console,path=fifo,logfile=v.log,"
     "logappend=on -device virtconsole,chardev=virtio_console,name=org.openqa.console.virtio_console "
     "-chardev socket,path=qmp_socket,server=on,wait=off,id=qmp_socket,logfile=qmp.log,logappend=on -qmp chardev:qmp_socket -S "
     "-blockdev driver=file,node-name=hd0-file,filename=disk.img,cache.no-flush=on "
     "-blockdev driver=raw,node-name=hd0,file=hd0-file,cache.no-flush=on,discard=unmap "
     "-device virtio-blk,id=hd0-device,drive=hd0,bootindex=0,serial=hd0",
     ["no intel-hda", "no virtio-rng-pci", "no virtio-serial", "no virtconsole", "virtualization"]),
    ("-name packer -machine type=pc,accel=kvm -m 512M -smp 1,sockets=1 -boot once=d -drive file=disk.img,if=virtio,"
     "cache=writeback,discard=ignore,format=raw,detect-zeroes= -drive file=cd.iso,media=cdrom "
     "-netdev user,id=user.0,hostfwd=tcp::{p}-:22 -device virtio-net,netdev=user.0 -vnc 127.0.0.1:{d} -display gtk",
     ["virtualization"]),
    ("-m 512 -drive if=none,file=disk.img,id=drive0,cache=writeback,discard=ignore,format=raw "
     "-device virtio-scsi-pci,id=scsi0 -device scsi-hd,bus=scsi0.0,drive=drive0 -boot once=d -vga std "
     "-netdev user,id=user.0 -device e1000,netdev=user.0", ["no virtio-scsi-pci"]),
    ("-vnc 127.0.0.1:{d} -enable-kvm -m 1G -chardev stdio,mux=on,id=stdio -mon chardev=stdio,mode=readline,default "
     "-device isa-serial,chardev=stdio -device virtio-net-pci -drive file=disk.img,if=virtio,cache=unsafe", ["virtualization"]),
    ("-nographic -enable-kvm -m size=4G -cpu host -smp cpus=4,sockets=1,dies=1,cores=4,threads=1 "
     "-machine type=q35,usb=off,dump-guest-core=off,hpet=off,accel=kvm -device virtio-net,netdev=vmnic -netdev user,id=vmnic "
     "-device virtio-balloon-pci,id=balloon0,bus=pcie.0,addr=0x4 -device virtio-rng-pci,rng=objrng0,id=rng0,bus=pcie.0,addr=0x1c "
     "-object rng-random,id=objrng0,filename=/dev/urandom -append 'console=ttyS0' -kernel kernel.bin "
     "-drive if=virtio,format=raw,aio=io_uring,cache=writeback,discard=on,detect-zeroes=on,file=disk.img",
     ["no virtio-balloon-pci", "no q35"]),
    ("-enable-kvm -cpu max -smp cores=10,threads=1,sockets=1 -m 20480 -boot menu=on -object iothread,id=io1 "
     "-device virtio-blk-pci,drive=disk0,iothread=io1 -drive if=none,id=disk0,cache=none,format=raw,aio=threads,file=disk.img "
     "-device virtio-tablet-pci -show-cursor -name 'Rolling' -cdrom cd.iso -vga virtio -display gtk,gl=on "
     "-net nic,model=virtio,macaddr=DE:AD:BE:EF:E6:FB -net user", ["8 processors", "no virtio-tablet-pci", "no virtio adapter"]),
    ("-kernel kernel.bin -m 2048 -smp 2 -cpu host -usb -device usb-tablet,bus=usb-bus.0 -machine vmport=off -soundhw ac97 "
     "-serial mon:stdio -boot menu=on -drive index=0,if=virtio,id=system,file=disk.img,format=raw,readonly "
     "-netdev user,id=mynet,hostfwd=tcp::{p}-:5555 -device virtio-net-pci,netdev=mynet -display gtk,gl=off", ["'host'"]),
    ("-name guest=c,debug-threads=on -S -object secret,id=masterKey0,format=raw,file=key "
     "-machine pc-q35-4.2,accel=kvm,usb=off,dump-guest-core=off,mem-merge=off -m 8192 -overcommit mem-lock=off "
     "-smp 1,maxcpus=8,sockets=8,cores=1,threads=1 -object iothread,id=iothread1 -uuid 4450a55c-1669-da0e-d0bd-3ab45fef0398 "
     "-display none -no-user-config -nodefaults -chardev socket,id=charmonitor,path=m,server,nowait "
     "-mon chardev=charmonitor,id=monitor,mode=control -rtc base=utc,driftfix=slew "
     "-global kvm-pit.lost_tick_policy=delay -no-hpet -no-shutdown -global ICH9-LPC.disable_s3=1 -boot strict=on "
     "-device pcie-root-port,port=0x8,chassis=1,id=pci.1,bus=pcie.0,multifunction=on,addr=0x1 "
     "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny -msg timestamp=on",
     ["no pc-q35-4.2", "no pcie-root-port", "3.5G"]),
    ("-name win98 -chardev socket,id=qmp,path=qmp,server,nowait -mon chardev=qmp,mode=control "
     "-smbios type=1,uuid=11dbdcdd-4c3b-482b-8903-9bdb8c0a2774 -smp 1,sockets=1,cores=1,maxcpus=1 -nodefaults "
     "-boot menu=on,strict=on,reboot-timeout=1000 -vnc unix:vnc,password=on -cpu kvm32,enforce -m 256 "
     "-device VGA,id=vga,bus=pci.0,addr=0x2 -device piix3-usb-uhci,id=uhci,bus=pci.0,addr=0x1.0x2 "
     "-device usb-tablet,id=tablet,bus=uhci.0,port=1 -drive file=cd.iso,if=none,id=drive-ide2,media=cdrom,aio=io_uring "
     "-device ide-cd,bus=ide.1,unit=0,drive=drive-ide2,id=ide2,bootindex=200 "
     "-drive file=disk.img,if=none,id=drive-ide0,format=raw,cache=none,aio=native,detect-zeroes=on "
     "-device ide-hd,bus=ide.0,unit=0,drive=drive-ide0,id=ide0,bootindex=100 -netdev type=user,id=net0 "
     "-device e1000,mac=BC:24:11:00:00:01,netdev=net0,bus=pci.0,addr=0x12,id=net0,bootindex=300 "
     "-rtc driftfix=slew,base=localtime -machine hpet=off,type=pc-i440fx-8.1", ["'kvm32'"]),
    ("-machine accel=kvm:tcg -drive file=disk.img,if=virtio,boot=on,index=0 -device virtio-net-pci,netdev=n -netdev user,id=n "
     "-usb -usbdevice tablet -sdl -spice port={p},disable-ticketing -balloon none", ["SPICE"]),
    ("-accel whpx -accel tcg -m 64 -fda floppy.img -global VGA.vgamem_mb=32 -global virtio-mmio.force-legacy=false",
     ["virtio-mmio.force-legacy"]),
    ("-watchdog i6300esb -watchdog-action reset -numa node -mem-prealloc -hda disk.img", ["'info hang'", "equally near"]),
]

# A line, and a part of the one line that refuses it.
REFUSED = [
    ("-hda disk.img -net user,smb=folder -net nic", "smb= is not in this version; tftp="),
    ("-hda disk.img -smb folder", "tftp=FOLDER"),
    ("-hda disk.img -virtfs local,path=folder,mount_tag=host0,security_model=none", "fat:rw:FOLDER"),
    ("-hda disk.img -runas nobody", "sudo -u"),
    ("-hda disk.img -chroot folder", "within that folder"),
    ("-nic bridge,br=br0", "known are user, socket and tap"),
    ("-net nic,model=i82559er -net user", "there is no network card 'i82559er'"),
    ("-drive file=disk.img,if=sd", "known are floppy, ide, scsi, virtio and none"),
    ("-usbdevice host:1234:5678", "not 'host:1234:5678'"),
    ("-readconfig machine.cfg", "MACHINE.reprise"),
    ("-fw_cfg name=opt/x,string=y", "-append and images"),
    ("-machine microvm", "known are pc, isapc and none"),
    ("-machine q35,accel=magic", "known are jit (or tcg) and interp"),
    ("-redir tcp:x::22", "tcp:PORT:[ADDRESS]:PORT"),
    ("-hdachs 1,99,1", "CYLINDERS,HEADS,SECTORS"),
    ("-hdachs 306,4,17", "no first hard disk"),
    ("-nic none -tftp folder", "-nic user"),
    ("-serial udp::4555", "did you mean 'tcp:'?"),
    ("-serial braille", "telnet:HOST:PORT"),
    ("-serial /dev/no-such-device", "/dev/no-such-device"),
    ("-serial pipe:no-such-pipe", "mkfifo"),
    ("-vnc 0.0.0.0:{d}", "password=on"),
    ("-option-rom rom.bin", "romfile="),
    ("-nic vmnet-bridged,model=rtl8139,ifname=en0", "known are user, socket and tap"),
    ("-device megasas", "'-device help' lists them"),
    ("-pflash bios.bin -drive if=pflash,unit=0,file=bios.bin", "one flash chip"),
]


def free_port(first=20000, last=32000):
    while True:
        port = random.randrange(first, last)
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def fill(line):
    """The words, with ports that nobody uses."""
    port = free_port()
    return shlex.split(line.replace("-s{p}", f"-gdb tcp::{port}").replace("{p}", str(port)).replace("{q}", str(free_port()))
                       .replace("{d}", str(free_port(6000, 15000) - 5900)))


def start(words, folder):
    """Starts and ends it; returns the exit status and what stderr had. The name is QEMU's, as after a change of the binary."""
    pid_file = os.path.join(folder, "pid")
    # -nographic and what has a window show nothing here.
    options = ["-display", "none"] if "-nographic" not in words else []
    process = subprocess.Popen(["qemu-system-i386"] + words + options + ["-S", "-no-user-config", "-pidfile", pid_file], cwd=folder,
                               executable=PROGRAM, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, errors="replace")
    deadline = time.time() + PATIENCE
    while not os.path.exists(pid_file) and process.poll() is None and time.time() < deadline:
        time.sleep(0.01)
    started = os.path.exists(pid_file)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        errors = process.communicate(timeout=PATIENCE)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        return False, 99, process.communicate()[1]
    if os.path.exists(pid_file):
        os.unlink(pid_file)
    return started, process.returncode, errors


def check_taken(line, warnings, folder):
    started, status, errors = start(fill(line), folder)
    if not started or status != 0:
        return f"status {status}: {errors!r}"
    lines = errors.splitlines()
    for part in warnings:
        if sum(part in each and each.startswith("reprise: warning: ") for each in lines) != 1:
            return f"no warning with {part!r} in {errors!r}"
    if not warnings and "warning" in errors:
        quiet = [each for each in lines if "virtualization" not in each and "'host'" not in each]
        return f"warnings: {quiet!r}" if quiet else ""
    return ""


def check_refused(line, part, folder):
    _, status, errors = start(fill(line), folder)
    if status != 1 or len(errors.splitlines()) != 1 or part not in errors:
        return f"status {status}: {errors!r}"
    return ""


def write(path, size, content=b""):
    with open(path, "wb") as file:
        file.write(content)
        file.truncate(size)


def make_files(folder):
    multiboot = b"".join(value.to_bytes(4, "little") for value in (0x1BADB002, 0x10000, (-0x1BADB002 - 0x10000) % (1 << 32),
                                                                  0x100000, 0x100000, 0, 0, 0x100020)) + b"\xf4\xeb\xfd"
    write(os.path.join(folder, "kernel.bin"), 4096, multiboot)
    write(os.path.join(folder, "floppy.img"), 1474560)
    write(os.path.join(folder, "disk.img"), 8 << 20)
    write(os.path.join(folder, "disk2.img"), 8 << 20)
    write(os.path.join(folder, "cd.iso"), 64 << 10, b"\0" * 32769 + b"CD001")
    write(os.path.join(folder, "bios.bin"), 65536, b"\xf4" * 65536)
    write(os.path.join(folder, "vars.bin"), 65536)
    write(os.path.join(folder, "key"), 32)
    os.mkdir(os.path.join(folder, "folder"))
    os.mkdir(os.path.join(folder, "folder2"))
    write(os.path.join(folder, "folder", "a.txt"), 3, b"abc")
    os.mkfifo(os.path.join(folder, "fifo.in"))
    os.mkfifo(os.path.join(folder, "fifo.out"))


def main():
    need_firmware()
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        make_files(folder)
        for line, expected, check in [(*row, check_taken) for row in TAKEN] + [(*row, check_refused) for row in REFUSED]:
            problem = check(line, expected, folder)
            if problem:
                failures.append((line, problem))
                print(f"FAIL {line}\n     {problem}")
    print(f"{len(TAKEN)} command lines taken, {len(REFUSED)} refused, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

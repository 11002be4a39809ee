# SPDX-License-Identifier: MIT
setenv bootargs {arguments}
fdt addr ${fdt_addr}
fdt resize 8192
{reservation}
load ${devtype} ${devnum}:${distro_bootpart} ${kernel_addr_r} /vmlinuz
load ${devtype} ${devnum}:${distro_bootpart} ${ramdisk_addr_r} /initrd.gz
booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdt_addr}

/* SPDX-License-Identifier: MIT
 * hal.dll holds forwarders to ntoskrnl.exe only, as Windows 10 2004 and later do; the linker wants one object. */
extern int HalForwardersOnly;
int HalForwardersOnly = 1;

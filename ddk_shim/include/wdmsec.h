/* SPDX-License-Identifier: MIT
 * Wrapper of the mingw-w64 <wdmsec.h>: what Windows has in wdmsec.lib. WdmlibIoCreateDeviceSecure is an export of our ntoskrnl.exe
 * (deviation D-204); the strings are each driver's own. [WDK SDDL for Device Objects] */
#pragma GCC system_header
#ifndef NTBOX_WRAP_WDMSEC_H
#define NTBOX_WRAP_WDMSEC_H
#define SDDL_DEVOBJ_KERNEL_ONLY NtboxHidden_SDDL_1
#define SDDL_DEVOBJ_SYS_ALL NtboxHidden_SDDL_2
#define SDDL_DEVOBJ_SYS_ALL_ADM_ALL NtboxHidden_SDDL_3
#define SDDL_DEVOBJ_SYS_ALL_ADM_RX NtboxHidden_SDDL_4
#define SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R NtboxHidden_SDDL_5
#define SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R_RES_R NtboxHidden_SDDL_6
#define SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R NtboxHidden_SDDL_7
#define SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RWX_RES_RWX NtboxHidden_SDDL_8
#include_next <wdmsec.h>
#undef SDDL_DEVOBJ_KERNEL_ONLY
#undef SDDL_DEVOBJ_SYS_ALL
#undef SDDL_DEVOBJ_SYS_ALL_ADM_ALL
#undef SDDL_DEVOBJ_SYS_ALL_ADM_RX
#undef SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R
#undef SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R_RES_R
#undef SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R
#undef SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RWX_RES_RWX
#undef RtlInitUnicodeStringEx /* exports, not the library's */
#undef IoValidateDeviceIoControlAccess

#define NTBOX_SDDL(Name, Text)                                                                               \
    static const UNICODE_STRING Name __attribute__((unused)) = RTL_CONSTANT_STRING(Text)
NTBOX_SDDL(SDDL_DEVOBJ_KERNEL_ONLY, L"D:P");
NTBOX_SDDL(SDDL_DEVOBJ_SYS_ALL, L"D:P(A;;GA;;;SY)");
NTBOX_SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_ALL, L"D:P(A;;GA;;;SY)(A;;GA;;;BA)");
NTBOX_SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RX, L"D:P(A;;GA;;;SY)(A;;GRGX;;;BA)");
NTBOX_SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R, L"D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)");
NTBOX_SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R_RES_R,
           L"D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)(A;;GR;;;RC)");
NTBOX_SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R,
           L"D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGW;;;WD)(A;;GR;;;RC)");
NTBOX_SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RWX_RES_RWX,
           L"D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGWGX;;;WD)(A;;GRGWGX;;;RC)");
#endif

/* SPDX-License-Identifier: MIT
 * What a driver of the MSVC flavour links instead of the kit's BufferOverflowFastFailK.lib: the stack cookie,
 * its check, the entry point that insists on a randomised cookie, and the pointer through which guarded calls
 * go. */
#include <ntddk.h>

#define FAST_FAIL_STACK_COOKIE_CHECK_FAILURE 2
#define FAST_FAIL_GS_COOKIE_INIT 6
#define DEFAULT_SECURITY_COOKIE 0x00002B992DDFA232ULL

DRIVER_INITIALIZE DriverEntry;
DRIVER_INITIALIZE GsDriverEntry;

/* The load configuration names its address; the loader replaces the value before the entry point runs. */
ULONG_PTR __security_cookie = DEFAULT_SECURITY_COOKIE;

static __attribute__((noreturn)) void FastFail(ULONG Code)
{
    __asm__ volatile("int $0x29" : : "c"(Code));
    __builtin_unreachable();
}

/* Called by compiled code before a protected function returns; Cookie is the value found on its stack. The
 * upper 16 bits of a cookie are always zero, so that no string function can write one. [MS /GS] */
void __security_check_cookie(ULONG_PTR Cookie)
{
    if (Cookie != __security_cookie || (Cookie >> 48) != 0)
        FastFail(FAST_FAIL_STACK_COOKIE_CHECK_FAILURE);
}

/* The image's entry point. [MS __security_init_cookie] A loader that does not randomise leaves the default:
 * stop. */
NTSTATUS NTAPI GsDriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    if (__security_cookie == 0 || __security_cookie == DEFAULT_SECURITY_COOKIE)
        FastFail(FAST_FAIL_GS_COOKIE_INIT);
    return DriverEntry(DriverObject, RegistryPath);
}

/* SPDX-License-Identifier: MIT
 * Built for another processor (i386, ARM64): a valid image that an x64 kernel must refuse in one sentence. */
int DriverEntry(void *DriverObject, void *RegistryPath);

int DriverEntry(void *DriverObject, void *RegistryPath)
{
    return DriverObject == RegistryPath;
}

/* SPDX-License-Identifier: MIT
 * Tier 3, pnp: the driver database. It has Windows' places:
 *   DriverDatabase\DeviceIds\<ID>                          <package> = place of the ID in its line of the INF (0: the hardware ID)
 *   DriverDatabase\DriverPackages\<package>                InfName, Provider, Class, ClassGuid, DriverDate, DriverVersion
 *     Descriptors\<ID>                                     Configuration, Description, Manufacturer
 *     Configurations\<configuration>                       Service, InfSection, InfSectionExt
 *       Device, Driver                                     what the INF adds to the device's hardware key and to its software key
 *       Interfaces\{class}\#<reference string>             what the interface's section adds */
#pragma once
#include "pnpp.h"

#define PNP_DATABASE L"\\Registry\\Machine\\System\\DriverDatabase\\"

typedef struct _PNP_MATCH {
    ULONG Score;
    WCHAR Package[64]; /* terminated, as the next */
    WCHAR Id[PNP_MAX_ID];
} PNP_MATCH;

/* The best package for the device whose key it is. STATUS_OBJECT_NAME_NOT_FOUND: none has one of its IDs. */
NTSTATUS PnpFindPackage(HANDLE Device, PNP_MATCH *Match);

/* Registers the interfaces of the configuration, best effort: its driver can do it again. PASSIVE_LEVEL. */
VOID PnpInstallInterfaces(PNP_NODE *Node, HANDLE Configuration);

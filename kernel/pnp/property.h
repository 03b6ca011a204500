/* SPDX-License-Identifier: MIT
 * Properties of devices and interfaces. All at PASSIVE_LEVEL. */
#pragma once
#include "pnpp.h"

/* Where an answer goes, whatever is asked for. */
typedef struct _PNP_ANSWER {
    ULONG Room;
    PVOID Buffer;
    PULONG Length; /* what is needed, also when there is not enough room */
} PNP_ANSWER;

/* STATUS_BUFFER_TOO_SMALL: it does not fit. */
NTSTATUS PnpAnswer(const PNP_ANSWER *Answer, const void *Data, ULONG Length);
NTSTATUS PnpAnswerString(const PNP_ANSWER *Answer, PCUNICODE_STRING Text); /* with its terminator */
/* A value of the device's key. STATUS_OBJECT_NAME_NOT_FOUND: it has none. */
NTSTATUS PnpAnswerFromKey(const PNP_NODE *Node, PCWSTR Value, ULONG Type, const PNP_ANSWER *Answer);

/* [WDK IoGetDeviceProperty] */
NTSTATUS PnpGetProperty(const PNP_NODE *Node, DEVICE_REGISTRY_PROPERTY Property, const PNP_ANSWER *Answer);

/* property_key.c: what the PnP manager itself knows of a device. STATUS_OBJECT_NAME_NOT_FOUND: it does not. */
NTSTATUS PnpGetKnown(const PNP_NODE *Node, const DEVPROPKEY *Key, const PNP_ANSWER *Answer,
                     PDEVPROPTYPE Type);

/* property_data.c: what was set. */
typedef struct _PNP_STORED {
    const DEVPROPKEY *Key;
    LCID Language; /* LOCALE_NEUTRAL: of none */
} PNP_STORED;

/* Root is the key of a device or interface. Data NULL: the property goes; STATUS_SUCCESS too when there was none. */
NTSTATUS PnpSetStored(HANDLE Root, const PNP_STORED *Stored, DEVPROPTYPE Type, ULONG Size, const void *Data);
/* STATUS_OBJECT_NAME_NOT_FOUND: there is none. */
NTSTATUS PnpGetStored(HANDLE Root, const PNP_STORED *Stored, const PNP_ANSWER *Answer, PDEVPROPTYPE Type);

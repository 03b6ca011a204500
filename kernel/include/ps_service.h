/* SPDX-License-Identifier: MIT
 * Tier 2, ps: services for a caller of either mode that ntoskrnl exports for the kernel only. PASSIVE_LEVEL. What user mode passes is captured
 * once. */
#pragma once
#include "nt.h"

/* [WDK ZwCreateTimer, ZwOpenTimer] */
NTSTATUS PsCreateTimer(PHANDLE TimerHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                       TIMER_TYPE TimerType, KPROCESSOR_MODE Mode);
NTSTATUS PsOpenTimer(PHANDLE TimerHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                     KPROCESSOR_MODE Mode);

/* [WDK ZwSetTimer, ZwSetTimerEx] The routine runs as an APC of Mode in the thread that calls this. STATUS_TIMER_RESUME_IGNORED: the timer is set,
 * and will not wake the machine (nothing does). */
typedef struct _PS_TIMER_SETTING {
    LARGE_INTEGER DueTime;
    PTIMER_APC_ROUTINE Routine; /* or NULL */
    PVOID Context;
    ULONG Period;         /* ms, or 0 */
    ULONG TolerableDelay; /* ms */
    BOOLEAN Resume;
    PBOOLEAN PreviousState; /* the caller's, or NULL */
} PS_TIMER_SETTING;
NTSTATUS PsSetTimer(HANDLE TimerHandle, const PS_TIMER_SETTING *Setting, KPROCESSOR_MODE Mode);

/* [WDK ZwCancelTimer] An APC that is queued goes too. */
NTSTATUS PsCancelTimer(HANDLE TimerHandle, PBOOLEAN CurrentState, KPROCESSOR_MODE Mode);

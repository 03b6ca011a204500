/* SPDX-License-Identifier: MIT
 * What a client of the ioctl sample must know: the device and its four control codes, one for each way in
 * which the I/O manager can hand over buffers. [WDK Buffer Descriptions for I/O Control Codes] */
#pragma once

#define IOCTL_SAMPLE_DEVICE L"\\Device\\NtboxIoctl"
#define IOCTL_SAMPLE_LINK L"\\??\\NtboxIoctl"

/* 0x222000: output is the input in reverse order. */
#define IOCTL_SAMPLE_REVERSE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
/* 0x222005: Information is the sum of the bytes of both buffers; nothing is written. */
#define IOCTL_SAMPLE_SUM CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_IN_DIRECT, FILE_ANY_ACCESS)
/* 0x22200A: output byte i is the first input byte (0 without input) plus i. */
#define IOCTL_SAMPLE_FILL CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)
/* 0x22200F: output byte i is input byte i xor 0x5A. */
#define IOCTL_SAMPLE_XOR CTL_CODE(FILE_DEVICE_UNKNOWN, 0x803, METHOD_NEITHER, FILE_ANY_ACCESS)

/* WRITE keeps up to this many bytes from the start; READ gives back what was kept, from its byte offset on.
 */
#define IOCTL_SAMPLE_STORE_SIZE 256

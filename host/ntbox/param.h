/* SPDX-License-Identifier: MIT
 * One value of a service's Parameters key: --param [SERVICE/]NAME=TYPE:VALUE. TYPE is dword, qword, sz,
 * expand_sz, multi_sz (parts separated by "\0", the two characters) or binary (hexadecimal). */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* [WDK Registry Value Types] the numbers that stand in a hive. */
typedef enum RegistryType {
    RegistrySz = 1,
    RegistryExpandSz = 2,
    RegistryBinary = 3,
    RegistryDword = 4,
    RegistryMultiSz = 7,
    RegistryQword = 11,
} RegistryType;

typedef struct ServiceParameter {
    char *Service; /* NULL: every driver of the run */
    char *Name;
    RegistryType Type;
    GByteArray *Data; /* as in the hive: little endian, UTF-16LE with its terminator */
} ServiceParameter;

/* NULL with one sentence in error. Freed with service_parameter_free. */
ServiceParameter *service_parameter_parse(const char *text, GError **error);
void service_parameter_free(ServiceParameter *parameter);

/* Does it apply to this service? Names compare without case. */
bool service_parameter_applies(const ServiceParameter *parameter, const char *service);

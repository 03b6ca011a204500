/* SPDX-License-Identifier: MIT
 * Types for building kernel/rtl as host code (unit tests, fuzzers): the few NT types that the run-time
 * library uses, laid out as in the DDK headers, which do not compile for an LP64 target. The C names that NT
 * exports (memcpy, sprintf ...) get a prefix, so that they live beside the host's own. Build with -DRTL_HOST
 * -fshort-wchar -fms-extensions. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef void VOID, *PVOID;
typedef char CHAR, *PCHAR, *PSTR;
typedef const char *PCSTR, *PCSZ, *PCCH, *PCCHAR;
typedef unsigned char UCHAR, *PUCHAR, BOOLEAN, *PBOOLEAN;
typedef int16_t SHORT, CSHORT;
typedef uint16_t USHORT, *PUSHORT, WCHAR, *PWSTR, *PWCH, *PWCHAR;
typedef const uint16_t *PCWSTR, *PCWCH;
typedef int32_t LONG, *PLONG, NTSTATUS;
typedef uint32_t ULONG, *PULONG;
typedef int64_t LONGLONG, LONG64;
typedef uint64_t ULONGLONG, ULONG64, *PULONG64, *PULONGLONG;
typedef uint64_t ULONG_PTR, SIZE_T, *PSIZE_T;
typedef int64_t LONG_PTR, SSIZE_T;
typedef enum { NonPagedPool = 0, PagedPool = 1, NonPagedPoolNx = 512 } POOL_TYPE;

#define TRUE 1
#define FALSE 0
#define NTAPI
#define NTSYSAPI
#define FASTCALL
#define UNALIGNED
#define DECLSPEC_NORETURN __attribute__((noreturn))
#define DECLSPEC_NOINLINE __attribute__((noinline))
#define CONST const
#define RTL_NUMBER_OF(Array) (sizeof(Array) / sizeof((Array)[0]))
#define MAXUSHORT 0xFFFF
#define MAXULONG 0xFFFFFFFFu
#define UNREFERENCED_PARAMETER(P) ((void)(P))
#define NT_SUCCESS(Status) ((NTSTATUS)(Status) >= 0)

typedef union _LARGE_INTEGER {
    struct {
        ULONG LowPart;
        LONG HighPart;
    };
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef struct _UNICODE_STRING {
    USHORT Length, MaximumLength;
    PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _STRING {
    USHORT Length, MaximumLength;
    PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING;
typedef const STRING *PCANSI_STRING;

typedef struct _GUID {
    ULONG Data1;
    USHORT Data2, Data3;
    UCHAR Data4[8];
} GUID;
typedef const GUID *REFGUID;

typedef struct _RTL_BITMAP {
    ULONG SizeOfBitMap;
    PULONG Buffer;
} RTL_BITMAP, *PRTL_BITMAP;

typedef struct _RTL_BITMAP_RUN {
    ULONG StartingIndex, NumberOfBits;
} RTL_BITMAP_RUN, *PRTL_BITMAP_RUN;

typedef char CCHAR;
typedef struct _REPARSE_DATA_BUFFER *PREPARSE_DATA_BUFFER;
typedef struct _LDR_RESOURCE_INFO {
    ULONG_PTR Type, Name, Language;
} LDR_RESOURCE_INFO, *PLDR_RESOURCE_INFO;
struct _IMAGE_NT_HEADERS64;
struct _IMAGE_RESOURCE_DATA_ENTRY;

typedef struct _TIME_FIELDS {
    CSHORT Year, Month, Day, Hour, Minute, Second, Milliseconds, Weekday;
} TIME_FIELDS, *PTIME_FIELDS;

typedef struct _OSVERSIONINFOW {
    ULONG dwOSVersionInfoSize, dwMajorVersion, dwMinorVersion, dwBuildNumber, dwPlatformId;
    WCHAR szCSDVersion[128];
} RTL_OSVERSIONINFOW, *PRTL_OSVERSIONINFOW;

typedef struct _OSVERSIONINFOEXW {
    ULONG dwOSVersionInfoSize, dwMajorVersion, dwMinorVersion, dwBuildNumber, dwPlatformId;
    WCHAR szCSDVersion[128];
    USHORT wServicePackMajor, wServicePackMinor, wSuiteMask;
    UCHAR wProductType, wReserved;
} RTL_OSVERSIONINFOEXW, *PRTL_OSVERSIONINFOEXW;

#define VER_PLATFORM_WIN32_NT 2
#define VER_NT_WORKSTATION 1
#define VER_EQUAL 1
#define VER_GREATER 2
#define VER_GREATER_EQUAL 3
#define VER_LESS 4
#define VER_LESS_EQUAL 5
#define VER_AND 6
#define VER_OR 7
#define VER_MINORVERSION 0x01
#define VER_MAJORVERSION 0x02
#define VER_BUILDNUMBER 0x04
#define VER_PLATFORMID 0x08
#define VER_SERVICEPACKMINOR 0x10
#define VER_SERVICEPACKMAJOR 0x20
#define VER_SUITENAME 0x40
#define VER_PRODUCT_TYPE 0x80

#define STATUS_SUCCESS ((NTSTATUS)0x00000000)
#define STATUS_SOME_NOT_MAPPED ((NTSTATUS)0x00000107)
#define STATUS_UNWIND_CONSOLIDATE ((NTSTATUS)0x80000029)
#define STATUS_LONGJUMP ((NTSTATUS)0x80000026)
#define STATUS_DATATYPE_MISALIGNMENT ((NTSTATUS)0x80000002)
#define STATUS_BREAKPOINT ((NTSTATUS)0x80000003)
#define STATUS_BUFFER_OVERFLOW ((NTSTATUS)0x80000005)
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001)
#define STATUS_ACCESS_VIOLATION ((NTSTATUS)0xC0000005)
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#define STATUS_NO_MEMORY ((NTSTATUS)0xC0000017)
#define STATUS_BUFFER_TOO_SMALL ((NTSTATUS)0xC0000023)
#define STATUS_NONCONTINUABLE_EXCEPTION ((NTSTATUS)0xC0000025)
#define STATUS_INVALID_DISPOSITION ((NTSTATUS)0xC0000026)
#define STATUS_UNWIND ((NTSTATUS)0xC0000027)
#define STATUS_BAD_STACK ((NTSTATUS)0xC0000028)
#define STATUS_INVALID_UNWIND_TARGET ((NTSTATUS)0xC0000029)
#define STATUS_REVISION_MISMATCH ((NTSTATUS)0xC0000059)
#define STATUS_INTEGER_DIVIDE_BY_ZERO ((NTSTATUS)0xC0000094)
#define STATUS_INVALID_PARAMETER_2 ((NTSTATUS)0xC00000F0)
#define STATUS_INVALID_PARAMETER_4 ((NTSTATUS)0xC00000F2)
#define STATUS_INVALID_PARAMETER_5 ((NTSTATUS)0xC00000F3)
#define STATUS_NAME_TOO_LONG ((NTSTATUS)0xC0000106)
#define STATUS_BAD_FUNCTION_TABLE ((NTSTATUS)0xC00000FF)
#define STATUS_ILLEGAL_INSTRUCTION ((NTSTATUS)0xC000001D)
#define STATUS_INVALID_IMAGE_FORMAT ((NTSTATUS)0xC000007B)
#define STATUS_RESOURCE_DATA_NOT_FOUND ((NTSTATUS)0xC0000089)
#define STATUS_RESOURCE_TYPE_NOT_FOUND ((NTSTATUS)0xC000008A)
#define STATUS_RESOURCE_NAME_NOT_FOUND ((NTSTATUS)0xC000008B)
#define STATUS_INSTRUCTION_MISALIGNMENT ((NTSTATUS)0xC00000AA)
#define STATUS_RESOURCE_LANG_NOT_FOUND ((NTSTATUS)0xC0000204)
#define STATUS_IO_REPARSE_TAG_INVALID ((NTSTATUS)0xC0000276)
#define STATUS_IO_REPARSE_DATA_INVALID ((NTSTATUS)0xC0000278)
#define STATUS_BUFFER_ALL_ZEROS ((NTSTATUS)0x00000117)
#define STATUS_NO_MORE_ENTRIES ((NTSTATUS)0x8000001A)
#define STATUS_BAD_COMPRESSION_BUFFER ((NTSTATUS)0xC0000242)
#define STATUS_UNSUPPORTED_COMPRESSION ((NTSTATUS)0xC000025F)
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)
#define STATUS_NO_MATCH ((NTSTATUS)0xC0000272)
#define STATUS_NO_MORE_MATCHES ((NTSTATUS)0xC0000273)

/* The names that NT exports and the host's C library has too. */
#define memcpy nt_memcpy
#define memmove nt_memmove
#define memset nt_memset
#define memcmp nt_memcmp
#define memchr nt_memchr
#define strlen nt_strlen
#define strnlen nt_strnlen
#define strcpy nt_strcpy
#define strncpy nt_strncpy
#define strcat nt_strcat
#define strncat nt_strncat
#define strcmp nt_strcmp
#define strncmp nt_strncmp
#define strchr nt_strchr
#define strrchr nt_strrchr
#define strstr nt_strstr
#define wcslen nt_wcslen
#define wcsnlen nt_wcsnlen
#define wcscpy nt_wcscpy
#define wcsncpy nt_wcsncpy
#define wcscat nt_wcscat
#define wcsncat nt_wcsncat
#define wcscmp nt_wcscmp
#define wcsncmp nt_wcsncmp
#define wcschr nt_wcschr
#define wcsrchr nt_wcsrchr
#define wcsstr nt_wcsstr
#define tolower nt_tolower
#define toupper nt_toupper
#define towlower nt_towlower
#define towupper nt_towupper
#define isdigit nt_isdigit
#define isspace nt_isspace
#define isxdigit nt_isxdigit
#define islower nt_islower
#define isupper nt_isupper
#define isprint nt_isprint
#define atoi nt_atoi
#define atol nt_atol
#define sprintf nt_sprintf
#define vsprintf nt_vsprintf
#define swprintf nt_swprintf
#define vswprintf nt_vswprintf
#define qsort nt_qsort
#define bsearch nt_bsearch
#define strspn nt_strspn
#define wcsspn nt_wcsspn
#define wcscspn nt_wcscspn
#define wcstoul nt_wcstoul

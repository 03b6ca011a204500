/* SPDX-License-Identifier: MIT */
/* Names of statuses, and the sentences of warnings. */
#include "pe/pe.h"

const char *PeStatusName(PE_STATUS Status)
{
#define NAME(s)                                                                                              \
    case s:                                                                                                  \
        return #s
    switch (Status) {
        NAME(PE_OK);
        NAME(PE_END);
        NAME(PE_NOT_FOUND);
        NAME(PE_TRUNCATED);
        NAME(PE_NOT_PE);
        NAME(PE_NOT_WINDOWS_IMAGE);
        NAME(PE_WRONG_MACHINE);
        NAME(PE_BAD_HEADER);
        NAME(PE_BAD_SECTION);
        NAME(PE_BAD_DIRECTORY);
        NAME(PE_WRITABLE_EXECUTABLE);
        NAME(PE_BAD_RELOCATION);
        NAME(PE_NOT_RELOCATABLE);
        NAME(PE_BAD_IMPORT);
        NAME(PE_IMPORT_MISSING);
        NAME(PE_BAD_EXPORT);
        NAME(PE_FORWARDER_LOOP);
        NAME(PE_FORWARDER_MISSING);
        NAME(PE_BAD_LOAD_CONFIG);
        NAME(PE_BAD_EXCEPTION);
        NAME(PE_BAD_RESOURCE);
        NAME(PE_BAD_DEBUG);
        NAME(PE_BUFFER_TOO_SMALL);
        NAME(PE_WRONG_KIND);
    }
#undef NAME
    return "PE_STATUS?";
}

const char *PeWarningText(uint32_t Warning)
{
    switch (Warning) {
    case PE_WARN_WRITABLE_EXECUTABLE:
        return "a section is writable and executable";
    case PE_WARN_LOW_ALIGNMENT:
        return "sections are aligned to less than a page, so that pages share protections";
    case PE_WARN_ENTRY_NOT_EXECUTABLE:
        return "the entry point does not lie in an executable section";
    case PE_WARN_CERTIFICATE:
        return "the certificate table does not lie inside the file";
    case PE_WARN_DIRECTORY_IGNORED:
        return "a data directory that loaders do not use lies outside the image";
    default:
        return NULL;
    }
}

/* SPDX-License-Identifier: MIT
 * Names and GUIDs of classes: see inf_class.h. */
#include "inf_class.h"

#include <glib.h>
#include <string.h>

#include "inf_text.h"

#define MSFT "-e325-11ce-bfc1-08002be10318}"

static const struct {
    const char *Name, *Guid;
} classes[] = {
    {"CDROM", "{4d36e965" MSFT},
    {"Computer", "{4d36e966" MSFT},
    {"DiskDrive", "{4d36e967" MSFT},
    {"Display", "{4d36e968" MSFT},
    {"FDC", "{4d36e969" MSFT},
    {"HDC", "{4d36e96a" MSFT},
    {"Keyboard", "{4d36e96b" MSFT},
    {"Media", "{4d36e96c" MSFT},
    {"Modem", "{4d36e96d" MSFT},
    {"Monitor", "{4d36e96e" MSFT},
    {"Mouse", "{4d36e96f" MSFT},
    {"MTD", "{4d36e970" MSFT},
    {"MultiFunction", "{4d36e971" MSFT},
    {"Net", "{4d36e972" MSFT},
    {"NetClient", "{4d36e973" MSFT},
    {"NetService", "{4d36e974" MSFT},
    {"NetTrans", "{4d36e975" MSFT},
    {"PCMCIA", "{4d36e977" MSFT},
    {"Ports", "{4d36e978" MSFT},
    {"Printer", "{4d36e979" MSFT},
    {"SCSIAdapter", "{4d36e97b" MSFT},
    {"System", "{4d36e97d" MSFT},
    {"Unknown", "{4d36e97e" MSFT},
    {"FloppyDisk", "{4d36e980" MSFT},
    {"HIDClass", "{745a17a0-74d3-11d0-b6fe-00a0c90f57da}"},
    {"USB", "{36fc9e60-c465-11cf-8056-444553540000}"},
    {"Volume", "{71a27cdd-812a-11d0-bec7-08002be2092f}"},
};

const char *inf_class_name(const char *guid)
{
    for (guint i = 0; i < G_N_ELEMENTS(classes); i++) {
        if (inf_text_equal(classes[i].Guid, guid))
            return classes[i].Name;
    }
    return NULL;
}

const char *inf_class_guid(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(classes); i++) {
        if (inf_text_equal(classes[i].Name, name))
            return classes[i].Guid;
    }
    return NULL;
}

bool inf_class_is_guid(const char *text)
{
    static const char form[] = "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}";
    for (size_t i = 0; i < sizeof form; i++) {
        if (form[i] == 'x' ? !g_ascii_isxdigit(text[i]) : text[i] != form[i])
            return false;
    }
    return true;
}

/* SPDX-License-Identifier: MIT
 * AddService: a driver's service key, laid out as the service control manager does. [WDK "INF AddService Directive"] */
#include <string.h>

#include "inf_dirid.h"
#include "inf_number.h"
#include "inf_read.h"
#include "inf_text.h"

#define SPSVCINST_ASSOCSERVICE 0x00000002u
#define TYPE_USER 0x000000f0u /* SERVICE_WIN32_OWN_PROCESS and kin */
#define MAX_START 4u
#define MAX_ERROR_CONTROL 3u

/* ---- fields of the service-install section ---- */

static bool read_number(const InfLine *from, const InfSection *section, const char *key, guint32 *number,
                        GError **error)
{
    const InfLine *line = inf_section_find(section, key);
    g_autofree char *text = line ? inf_line_field(line, 1) : NULL;
    uint64_t value;
    if (!line)
        return inf_line_error(from, error, "[%s] has no %s", section->Name, key);
    if (!inf_number(text, 32, &value))
        return inf_line_error(line, error, "'%s' is no number", text);
    *number = (guint32)value;
    return true;
}

static bool check_number(const InfSection *section, const char *key, guint32 number, guint32 most,
                         GError **error)
{
    return number <= most ||
           inf_line_error(inf_section_find(section, key), error, "%u is out of range: 0 to %u", number, most);
}

/* A path below the Windows folder, from the forms that stand in INFs; NULL: it is none. */
static char *below_windows(const char *path)
{
    static const char *const prefixes[] = {INF_VOLUME "Windows\\", "%SystemRoot%\\", "\\SystemRoot\\"};
    for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        if (inf_text_begins(path, prefixes[i])) /* as many characters, but maybe not as many bytes */
            return g_strdup(g_utf8_offset_to_pointer(path, (glong)strlen(prefixes[i])));
    }
    return strchr(path, ':') || *path == '\\' ? NULL : g_strdup(path);
}

static bool read_binary(const InfLine *from, const InfSection *section, InfService *service, GError **error)
{
    const InfLine *line = inf_section_find(section, "ServiceBinary");
    if (!line)
        return inf_line_error(from, error, "[%s] has no ServiceBinary", section->Name);
    g_autofree char *text = inf_line_field(line, 1), *path = below_windows(text);
    g_autofree char *target = path ? g_strconcat("Windows/", path, NULL) : NULL;
    if (!target || !inf_read_is_file(g_strdelimit(target, "\\", '/')))
        return inf_line_error(line, error, "'%s' is no file below the Windows folder: %%12%%\\x.sys is usual",
                              text);
    service->ImagePath = g_strconcat("\\SystemRoot\\", path, NULL);
    service->Target = g_steal_pointer(&target);
    service->Where = inf_line_where(line);
    return true;
}

static bool read_fields(const InfLine *from, const InfSection *section, InfService *service, GError **error)
{
    return read_number(from, section, "ServiceType", &service->Type, error) &&
           read_number(from, section, "StartType", &service->Start, error) &&
           read_number(from, section, "ErrorControl", &service->ErrorControl, error) &&
           check_number(section, "StartType", service->Start, MAX_START, error) &&
           check_number(section, "ErrorControl", service->ErrorControl, MAX_ERROR_CONTROL, error) &&
           read_binary(from, section, service, error);
}

/* ---- into the registry ---- */

static void store_text(InfReader *reader, const char *key, const char *name, const InfLine *line,
                       const char *otherwise)
{
    g_autofree char *text = line ? inf_line_field(line, 1) : g_strdup("");
    if (*text || otherwise)
        inf_registry_set_text(reader->Registry, key, name, InfRegSz, *text ? text : otherwise);
}

/* [WDK] "+" stands before a group. */
static void store_dependencies(InfReader *reader, const char *key, const InfLine *line, bool groups)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    for (guint i = 1; line && i <= inf_line_count(line); i++) {
        g_autofree char *name = inf_line_field(line, i);
        if ((*name == '+') == groups && name[groups])
            inf_registry_append_text(data, name + groups);
    }
    if (data->len == 0)
        return;
    inf_registry_append_text(data, "");
    inf_registry_set(reader->Registry, key, groups ? "DependOnGroup" : "DependOnService", InfRegMultiSz,
                     data->data, data->len);
}

static void store(InfReader *reader, const InfSection *section, const InfService *service, const char *key)
{
    const InfLine *depend = inf_section_find(section, "Dependencies");
    inf_registry_set_number(reader->Registry, key, "Type", service->Type);
    inf_registry_set_number(reader->Registry, key, "Start", service->Start);
    inf_registry_set_number(reader->Registry, key, "ErrorControl", service->ErrorControl);
    inf_registry_set_text(reader->Registry, key, "ImagePath", InfRegExpandSz, service->ImagePath);
    store_text(reader, key, "DisplayName", inf_section_find(section, "DisplayName"), service->Name);
    store_text(reader, key, "Description", inf_section_find(section, "Description"), NULL);
    store_text(reader, key, "Group", inf_section_find(section, "LoadOrderGroup"), NULL);
    store_dependencies(reader, key, depend, false);
    store_dependencies(reader, key, depend, true);
}

/* ---- */

static const InfDirective directives[] = {
    {"AddReg", inf_read_add_registry, NULL, InfOrderLate},
    {"DelReg", inf_read_del_registry, NULL, InfOrderEarly},
    {"DisplayName", NULL, NULL, InfOrderLate},
    {"Description", NULL, NULL, InfOrderLate},
    {"ServiceType", NULL, NULL, InfOrderLate},
    {"StartType", NULL, NULL, InfOrderLate},
    {"ErrorControl", NULL, NULL, InfOrderLate},
    {"ServiceBinary", NULL, NULL, InfOrderLate},
    {"LoadOrderGroup", NULL, NULL, InfOrderLate},
    {"Dependencies", NULL, NULL, InfOrderLate},
    {"StartName", NULL, NULL, InfOrderLate},
    {"Security", NULL, "services have no security descriptors of their own here", InfOrderLate},
    {"BitReg", NULL, "bits of values are not changed", InfOrderLate},
    {"AddTrigger", NULL, "services have no triggers here", InfOrderLate},
    {NULL, NULL, NULL, InfOrderLate},
};

/* A service of that name that another section has installed is laid out anew. */
static InfService *service_named(InfReader *reader, const char *name)
{
    g_autofree char *folded = inf_text_fold(name);
    InfService *service = g_hash_table_lookup(reader->Services, folded);
    if (service) {
        g_clear_pointer(&service->ImagePath, g_free);
        g_clear_pointer(&service->Target, g_free);
        g_clear_pointer(&service->Where, g_free);
        return service;
    }
    service = g_new0(InfService, 1);
    service->Name = g_strdup(name);
    g_ptr_array_add(reader->Package->Services, service);
    g_hash_table_insert(reader->Services, g_steal_pointer(&folded), service);
    return service;
}

static bool install(InfReader *reader, const InfLine *line, const char *name, const InfSection *section,
                    GError **error)
{
    g_autofree char *key = g_strconcat(INF_CONTROL_SET "Services\\", name, NULL);
    InfService *service = service_named(reader, name);
    InfScope scope = {.Root = key};
    if (!read_fields(line, section, service, error))
        return false;
    store(reader, section, service, key);
    return inf_read_service_file(reader, inf_section_find(section, "ServiceBinary"), service->Target,
                                 error) &&
           inf_read_section(reader, section, directives, &scope, error);
}

static bool is_user_service(const InfSection *section)
{
    const InfLine *line = inf_section_find(section, "ServiceType");
    g_autofree char *text = line ? inf_line_field(line, 1) : g_strdup("");
    uint64_t type;
    return inf_number(text, 32, &type) && (type & TYPE_USER) != 0;
}

bool inf_read_add_service(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error)
{
    g_autofree char *name = inf_line_field(line, 1), *text = inf_line_field(line, 2),
                    *where = inf_line_field(line, 3);
    uint64_t flags = 0;
    if (*text && !inf_number(text, 32, &flags))
        return inf_line_error(line, error, "'%s' is no number: flags of a service are wanted", text);
    if (*name == '\0') /* [WDK] the device works without a function driver */
        return (flags & SPSVCINST_ASSOCSERVICE) || inf_line_error(line, error, "the service has no name");
    if (strchr(name, '\\') || !inf_read_is_file(name))
        return inf_line_error(line, error, "'%s' cannot be a service's name", name);
    const InfSection *section = inf_read_require(reader, line, where, error);
    if (!section)
        return false;
    if (is_user_service(section)) {
        inf_read_note(reader, line, "%s is a service of user mode: it is not installed", name);
        return true;
    }
    if (flags & SPSVCINST_ASSOCSERVICE) {
        g_free(scope->Configuration->Service);
        scope->Configuration->Service = g_strdup(name);
    }
    return install(reader, line, name, section, error);
}

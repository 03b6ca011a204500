/* SPDX-License-Identifier: MIT
 * Parses --service and --group-order and writes them into the hive: see service_setting.h. */
#include "service_setting.h"

#include <string.h>

#include "usage.h"

#define CONTROL "ControlSet001\\Control\\"

typedef struct Choice {
    const char *Name;
    uint32_t Number;
} Choice;

/* [Win32 CreateService] the numbers; [sc.exe create] the words. */
static const Choice types[] = {{"kernel", 1}, {"filesys", 2}, {"rec", 8}, {NULL}};
static const Choice starts[] = {{"boot", ServiceBoot},     {"system", ServiceSystem}, {"auto", ServiceAuto},
                                {"demand", ServiceDemand}, {"disabled", ServiceOff},  {NULL}};
static const Choice errors[] = {{"ignore", 0}, {"normal", 1}, {"severe", 2}, {"critical", 3}, {NULL}};

static const struct {
    const char *Name;
    const char *Value; /* in the service key */
    const Choice *Choices;
} words[] = {
    [ServiceType] = {"type", "Type", types},
    [ServiceStartType] = {"start", "Start", starts},
    [ServiceError] = {"error", "ErrorControl", errors},
    [ServicePath] = {"binPath", "ImagePath"},
    [ServiceDisplayName] = {"DisplayName", "DisplayName"},
    [ServiceGroup] = {"group", "Group"},
    [ServiceTag] = {"tag", "Tag"},
    [ServiceDepend] = {"depend", "DependOnService"},
};

static bool parse_choice(ServiceSetting *setting, const char *value, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);
    for (const Choice *choice = words[setting->Word].Choices; choice->Name; choice++) {
        if (g_ascii_strcasecmp(choice->Name, value) == 0) {
            setting->Number = choice->Number;
            return true;
        }
        g_string_append_printf(known, "%s%s", known->len ? ", " : "", choice->Name);
    }
    return usage_error(error, "--service: %s is one of %s, not '%s'", words[setting->Word].Name, known->str,
                       value);
}

/* [sc.exe create] depend= names services and, behind a +, groups; slashes part them. */
static bool parse_depend(ServiceSetting *setting, const char *value, GError **error)
{
    g_autoptr(GStrvBuilder) services = g_strv_builder_new(), groups = g_strv_builder_new();
    g_auto(GStrv) parts = g_strsplit(value, "/", -1);
    for (char **part = parts; *part; part++) {
        bool group = **part == '+';
        if (!(*part)[group])
            return usage_error(error, "--service: '%s' names nothing between its slashes", value);
        g_strv_builder_add(group ? groups : services, *part + group);
    }
    setting->Services = g_strv_builder_end(services);
    setting->Groups = g_strv_builder_end(groups);
    return *parts || usage_error(error, "--service: depend names no service");
}

static bool parse_value(ServiceSetting *setting, const char *value, GError **error)
{
    uint64_t number;
    if (!g_utf8_validate(value, -1, NULL))
        return usage_error(error, "--service: '%s' is not UTF-8", value);
    if (words[setting->Word].Choices)
        return parse_choice(setting, value, error);
    if (setting->Word == ServiceDepend)
        return parse_depend(setting, value, error);
    if (setting->Word != ServiceTag) {
        setting->Text = g_strdup(value);
        return *value || usage_error(error, "--service: %s is empty", words[setting->Word].Name);
    }
    if (!usage_parse_number(value, "--service: the tag", UINT32_MAX, &number, error))
        return false;
    setting->Number = (uint32_t)number;
    return true;
}

static bool parse_word(ServiceSetting *setting, const char *name, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_ascii_strcasecmp(words[i].Name, name) == 0) {
            setting->Word = (ServiceWord)i;
            return true;
        }
        g_string_append_printf(known, "%s%s", i ? ", " : "", words[i].Name);
    }
    return usage_error(error, "--service: '%s' is none of %s", name, known->str);
}

static bool parse(ServiceSetting *setting, const char *text, GError **error)
{
    const char *equals = strchr(text, '=');
    if (!equals)
        return usage_error(error, "--service wants [SERVICE/]NAME=VALUE, not '%s'", text);
    g_autofree char *name = g_strndup(text, (gsize)(equals - text));
    char *slash = strchr(name, '/');
    if (slash) {
        setting->Service = g_strndup(name, (gsize)(slash - name));
        if (slash == name)
            return usage_error(error, "--service: '%s' names no service", text);
    }
    return parse_word(setting, slash ? slash + 1 : name, error) && parse_value(setting, equals + 1, error);
}

ServiceSetting *service_setting_parse(const char *text, GError **error)
{
    ServiceSetting *setting = g_new0(ServiceSetting, 1);
    if (parse(setting, text, error))
        return setting;
    service_setting_free(setting);
    return NULL;
}

void service_setting_free(ServiceSetting *setting)
{
    g_free(setting->Service);
    g_free(setting->Text);
    g_strfreev(setting->Services);
    g_strfreev(setting->Groups);
    g_free(setting);
}

bool service_setting_applies(const ServiceSetting *setting, const char *service)
{
    return !setting->Service || g_ascii_strcasecmp(setting->Service, service) == 0;
}

/* ---- what it means for the run ---- */

static const ServiceSetting *last_setting(const GPtrArray *settings, const char *service, ServiceWord word)
{
    const ServiceSetting *last = NULL;
    for (guint i = 0; i < settings->len; i++) {
        const ServiceSetting *setting = settings->pdata[i];
        if (setting->Word == word && service_setting_applies(setting, service))
            last = setting;
    }
    return last;
}

ServiceStart service_start(const GPtrArray *settings, const char *service)
{
    const ServiceSetting *setting = last_setting(settings, service, ServiceStartType);
    return setting ? (ServiceStart)setting->Number : ServiceDemand;
}

static bool depends_on(const GPtrArray *settings, const char *service, const char *other)
{
    const ServiceSetting *setting = last_setting(settings, service, ServiceDepend);
    for (char **name = setting ? setting->Services : NULL; name && *name; name++) {
        if (g_ascii_strcasecmp(*name, other) == 0)
            return true;
    }
    return false;
}

/* Adds those on demand that one in found depends on; true: there was one. */
static bool add_needed(const GPtrArray *settings, char **services, GHashTable *found)
{
    bool more = false;
    for (char **one = services; *one; one++) {
        for (char **other = services; g_hash_table_contains(found, *one) && *other; other++) {
            if (service_start(settings, *other) == ServiceDemand && depends_on(settings, *one, *other))
                more = g_hash_table_add(found, *other) || more;
        }
    }
    return more;
}

bool service_starts_by_itself(const GPtrArray *settings, char **services, const char *service)
{
    g_autoptr(GHashTable) found = g_hash_table_new(g_str_hash, g_str_equal);
    for (char **one = services; *one; one++) {
        if (service_start(settings, *one) < ServiceDemand)
            g_hash_table_add(found, *one);
    }
    while (add_needed(settings, services, found))
        continue;
    return g_hash_table_contains(found, service);
}

/* ---- into the hive ---- */

static HIVE_STATUS store_names(HIVE_BUILDER *builder, const char *key, const char *name, char **names)
{
    guint count = g_strv_length(names);
    return count ? HiveBuilderSetMultiText(builder, key, name, (const char *const *)names, count) : HiveOk;
}

HIVE_STATUS service_setting_store(const ServiceSetting *setting, HIVE_BUILDER *builder, const char *key)
{
    const char *value = words[setting->Word].Value;
    if (setting->Word == ServiceDepend) {
        HIVE_STATUS status = store_names(builder, key, value, setting->Services);
        return status == HiveOk ? store_names(builder, key, "DependOnGroup", setting->Groups) : status;
    }
    if (setting->Text) {
        uint32_t type = setting->Word == ServicePath ? HiveTypeExpandText : HiveTypeText;
        return HiveBuilderSetText(builder, key, value, type, setting->Text);
    }
    return HiveBuilderSetNumber32(builder, key, value, setting->Number);
}

/* ---- groups ---- */

static void put_number32(GByteArray *bytes, uint32_t number)
{
    number = GUINT32_TO_LE(number);
    g_byte_array_append(bytes, (const guint8 *)&number, sizeof number);
}

/* [WDK Specifying Driver Load Order] how many, then the tags. */
static bool parse_tags(GByteArray *bytes, const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    put_number32(bytes, g_strv_length(parts));
    for (char **part = parts; *part; part++) {
        uint64_t number;
        if (!usage_parse_number(*part, "--group-order: a tag", UINT32_MAX, &number, error))
            return false;
        put_number32(bytes, (uint32_t)number);
    }
    return true;
}

static bool add_group(GroupOrder *order, const char *text, GError **error)
{
    const char *colon = strchr(text, ':');
    GByteArray *tags = g_byte_array_new();
    g_ptr_array_add(order->Tags, tags);
    g_ptr_array_add(order->Names, colon ? g_strndup(text, (gsize)(colon - text)) : g_strdup(text));
    if (!*text || colon == text || !g_utf8_validate(text, -1, NULL))
        return usage_error(error, "--group-order wants GROUP[:TAG,TAG...][/GROUP...], and '%s' is no group",
                           text);
    return !colon || parse_tags(tags, colon + 1, error);
}

GroupOrder *group_order_parse(const char *text, GError **error)
{
    GroupOrder *order = g_new0(GroupOrder, 1);
    g_auto(GStrv) parts = g_strsplit(text, "/", -1);
    order->Names = g_ptr_array_new_with_free_func(g_free);
    order->Tags = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    for (char **part = *parts ? parts : (char *[]){"", NULL}; *part; part++) {
        if (!add_group(order, *part, error)) {
            group_order_free(order);
            return NULL;
        }
    }
    return order;
}

void group_order_free(GroupOrder *order)
{
    g_ptr_array_unref(order->Names);
    g_ptr_array_unref(order->Tags);
    g_free(order);
}

/* [WDK Specifying Driver Load Order] [WDK Load Order Groups and Altitudes for Minifilter Drivers] the groups of drivers, in their order. */
static const char *const usual_groups[] = {"System Reserved",
                                           "EMS",
                                           "WdfLoadGroup",
                                           "Boot Bus Extender",
                                           "System Bus Extender",
                                           "SCSI miniport",
                                           "Port",
                                           "Primary Disk",
                                           "SCSI Class",
                                           "SCSI CDROM Class",
                                           "FSFilter Infrastructure",
                                           "FSFilter System",
                                           "FSFilter Bottom",
                                           "FSFilter Copy Protection",
                                           "FSFilter Security Enhancer",
                                           "FSFilter Open File",
                                           "FSFilter Physical Quota Management",
                                           "FSFilter Virtualization",
                                           "FSFilter Encryption",
                                           "FSFilter Compression",
                                           "FSFilter Imaging",
                                           "FSFilter HSM",
                                           "FSFilter Cluster File System",
                                           "FSFilter System Recovery",
                                           "FSFilter Quota Management",
                                           "FSFilter Content Screener",
                                           "FSFilter Continuous Backup",
                                           "FSFilter Replication",
                                           "FSFilter Anti-Virus",
                                           "FSFilter Undelete",
                                           "FSFilter Activity Monitor",
                                           "FSFilter Top",
                                           "Filter",
                                           "Boot File System",
                                           "Base",
                                           "Pointer Port",
                                           "Keyboard Port",
                                           "Pointer Class",
                                           "Keyboard Class",
                                           "Video Init",
                                           "Video",
                                           "Video Save",
                                           "File System",
                                           "Streams Drivers",
                                           "NDIS Wrapper",
                                           "PNP_TDI",
                                           "NDIS",
                                           "TDI",
                                           "NetBIOSGroup",
                                           "Extended Base"};

HIVE_STATUS group_order_store(const GroupOrder *order, HIVE_BUILDER *builder)
{
    const char *const *names = order ? (const char *const *)order->Names->pdata : usual_groups;
    uint32_t count = order ? order->Names->len : G_N_ELEMENTS(usual_groups);
    HIVE_STATUS status = HiveBuilderSetMultiText(builder, CONTROL "ServiceGroupOrder", "List", names, count);
    for (uint32_t i = 0; order && i < count && status == HiveOk; i++) {
        const GByteArray *tags = order->Tags->pdata[i];
        if (tags->len)
            status = HiveBuilderSetValue(builder, CONTROL "GroupOrderList", names[i], HiveTypeBinary,
                                         tags->data, tags->len);
    }
    return status;
}

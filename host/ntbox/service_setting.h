/* SPDX-License-Identifier: MIT
 * How a driver's service is set up: --service [SERVICE/]NAME=VALUE with the words of `sc.exe create`, and --group-order. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "cm/hive_builder.h"

/* [WDK INF AddService directive, StartType] */
typedef enum ServiceStart {
    ServiceBoot = 0,
    ServiceSystem = 1,
    ServiceAuto = 2,
    ServiceDemand = 3,
    ServiceOff = 4,
} ServiceStart;

typedef enum ServiceWord {
    ServiceType,        /* type=kernel|filesys|rec */
    ServiceStartType,   /* start=boot|system|auto|demand|disabled */
    ServiceError,       /* error=normal|severe|critical|ignore */
    ServicePath,        /* binPath=PATH */
    ServiceDisplayName, /* DisplayName=TEXT */
    ServiceGroup,       /* group=NAME */
    ServiceTag,         /* tag=NUMBER, of the group */
    ServiceDepend,      /* depend=SERVICE/+GROUP/... */
} ServiceWord;

typedef struct ServiceSetting {
    char *Service; /* NULL: every driver of the run */
    ServiceWord Word;
    char *Text;                /* of a path, name or group */
    uint32_t Number;           /* of a type, start type, error control or tag */
    char **Services, **Groups; /* of depend */
} ServiceSetting;

/* NULL with one sentence in error. Freed with service_setting_free. */
ServiceSetting *service_setting_parse(const char *text, GError **error);
void service_setting_free(ServiceSetting *setting);
bool service_setting_applies(const ServiceSetting *setting, const char *service);

/* Writes the setting into the service key at that path. */
HIVE_STATUS service_setting_store(const ServiceSetting *setting, HIVE_BUILDER *builder, const char *key);

/* The start type that an array of ServiceSetting, of which the last one counts, gives a service. */
ServiceStart service_start(const GPtrArray *settings, const char *service);

/* Does the kernel start the service before the first step, by its start type or because one that it starts depends on it? Services is
 * NULL-terminated. */
bool service_starts_by_itself(const GPtrArray *settings, char **services, const char *service);

/* --group-order GROUP[:TAG,TAG...][/GROUP...]: the order of groups, and of tags in them. */
typedef struct GroupOrder {
    GPtrArray *Names; /* of char * */
    GPtrArray *Tags;  /* of GByteArray, one for each name: as in Control\GroupOrderList; empty: no tags */
} GroupOrder;

GroupOrder *group_order_parse(const char *text, GError **error);
void group_order_free(GroupOrder *order);
/* Control\ServiceGroupOrder and GroupOrderList of the control set. With NULL the groups that Windows has for drivers. */
HIVE_STATUS group_order_store(const GroupOrder *order, HIVE_BUILDER *builder);

/* SPDX-License-Identifier: MIT */
#include "wine_ddk.h"

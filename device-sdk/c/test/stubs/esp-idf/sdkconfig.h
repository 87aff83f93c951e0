/* sdkconfig.h stands in for the real header (see README.md): what menuconfig would have written. */
#pragma once
#define CONFIG_TIDEGATE_FRAGMENT_2048 1
#define CONFIG_THERMOMETER_WIFI_SSID "a network"
#define CONFIG_THERMOMETER_WIFI_PASSWORD "a password"

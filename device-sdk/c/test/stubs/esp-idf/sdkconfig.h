/* sdkconfig.h -- stands in for the header of that name, for a compiler that checks our ports: what menuconfig would have written. */
#pragma once
#define CONFIG_TIDEGATE_FRAGMENT_2048 1
#define CONFIG_THERMOMETER_WIFI_SSID "a network"
#define CONFIG_THERMOMETER_WIFI_PASSWORD "a password"

/* wifi.h -- joins the network of menuconfig, and joins it again whenever it is lost. */
#ifndef WIFI_H
#define WIFI_H

/* Starts and returns at once; ends the program with a message when the driver does not start. */
void wifi_start(void);

#endif

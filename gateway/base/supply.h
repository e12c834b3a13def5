/* Supply: whether the power supply of a Raspberry Pi is too weak. Its firmware watches the 5 V
 * line; the kernel shows that as the alarm of a voltage sensor called rpi_volt, looked at by the
 * kernel every two seconds, so that reading it waits for nothing. Any thread. Source: the kernel's
 * Documentation/hwmon/raspberrypi-hwmon.rst. */
#pragma once

#define SUPPLY_HWMON "/sys/class/hwmon"

/* Names another such folder: tests make a weak supply with it. */
#define SUPPLY_VARIABLE "THERMOGATE_HWMON"

/* 1 when the voltage is, or was lately, too low; 0 when it is good; -ENOENT where nobody watches
 * it, as on any machine that is no Pi. `hwmon`: the folder of the kernel's sensors, SUPPLY_HWMON.
 */
int supply_undervoltage(const char *hwmon);

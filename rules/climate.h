/* Climate: what temperature (°C) and relative humidity (%) say together. Pure. NAN where a formula
 * gives nothing. */
#pragma once

/* The temperature at which dew forms, by Magnus' formula over water with the constants of WMO No. 8
 * (17.62 and 243.12 °C). */
double dew_point(double temp_c, double humidity);

/* How warm it feels, by the regression of the US National Weather Service with its adjustments
 * (Rothfusz, SR 90-23); below 27 °C by its simple formula. */
double heat_index(double temp_c, double humidity);

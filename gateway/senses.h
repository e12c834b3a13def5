/* Senses: what the gateway feels of itself, looked at now and then and handed to the rules:
 * gateway.broker, gateway.clock, gateway.disk_free, gateway.undervoltage where the
 * machine watches it, and how busy each bus is. Loop thread only. */
#pragma once

struct app;
struct senses;

/* 0 or -ENOMEM; the first look is at once. `app` is borrowed. */
int senses_start(struct app *app, struct senses **ret_senses);
void senses_stop(struct senses *senses); /* NULL is legal */

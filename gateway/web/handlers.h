/* What stands behind the routes: a handler each, and tables that describe what goes in and comes
 * out. Private to the room. */
#pragma once

#include "gateway/web/routes.h"

/* show.c, rules.c: from the newest values */
void show_status(struct request *request);
void show_health(struct request *request);
void show_buses(struct request *request);
void show_devices(struct request *request);
void show_sensors(struct request *request);
void show_readings(struct request *request);
void show_rules(struct request *request);
void show_rule(struct request *request);
extern const struct field match_query[], status_answer[], health_answer[], buses_answer[],
    devices_answer[], sensors_answer[], readings_answer[], rules_answer[], rule_answer[];

/* The members of one reading and of one instance; also what the stream sends. */
void show_write_reading(struct json *json, const struct live *live, const struct reading *reading);
void show_write_rule(struct json *json, const struct live *live,
                     const struct instance_state *state);
/* A time as Unix milliseconds; null for CLOCK_NEVER. */
void show_write_time(struct json *json, const char *key, int64_t boot_ms);
/* A text of which "" and NULL mean that there is none: null. */
void show_write_word(struct json *json, const char *key, const char *text);

/* past.c, export.c: from the store */
void past_history(struct request *request);
void past_events(struct request *request);
void past_import(struct request *request);
void export_csv(struct request *request);
extern const struct field history_query[], history_answer[], events_query[], events_answer[],
    import_answer[], export_query[];
/* The store; NULL when there is none, which then has been answered. */
struct store *past_store(struct request *request);

/* act.c: commands */
void act_ack(struct request *request);
void act_mute(struct request *request);
void act_unmute(struct request *request);
void act_enable(struct request *request);
void act_disable(struct request *request);
void act_reset(struct request *request);
void act_limit(struct request *request);
void act_write(struct request *request);
void act_standby(struct request *request);
void act_resume(struct request *request);
void act_reload(struct request *request);
void act_rescan(struct request *request);
void act_ask(struct request *request);
extern const struct field ask_body[], ask_answer[];
void act_test_notifier(struct request *request);
extern const struct field plain_body[], for_body[], limit_body[], write_body[], standby_body[],
    resume_body[], command_answer[], tested_answer[];

/* the files of these names */
void feed_open(struct request *request);
void show_metrics(struct request *request);
void describe(struct request *request);
extern const struct field openapi_answer[];

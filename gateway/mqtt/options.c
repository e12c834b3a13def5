#include "gateway/mqtt/options.h"

#include "gateway/base/log.h"
#include "gateway/base/secret.h"
#include "gateway/base/text.h"
#include "gateway/core/command.h"
#include "gateway/mqtt/mqtt.h"
#include "gateway/mqtt/topics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT_TLS      8883
#define CLIENT_ID_MAX 128

/* In the order of the choices of `commands`. */
_Static_assert(COMMAND_RIGHTS_NONE == 0 && COMMAND_RIGHTS_ACK == 1 && COMMAND_RIGHTS_ALL == 2,
               "the choice is the right");

/* In the order of the choices of `discovery`. */
enum discovery { DISCOVERY_DEVICE, DISCOVERY_ENTITY, DISCOVERY_NONE };

static const struct setting tls_settings[] = {
    {.key = "ca_file",
     .forms = SETTING_TEXT,
     .help = "Certificates that the broker's must descend from; without it those of the system."},
    {.key = "cert_file",
     .forms = SETTING_TEXT,
     .help = "Our own certificate, for a broker that asks for one."},
    {.key = "key_file", .forms = SETTING_TEXT, .help = "The key of cert_file."},
    {.key = "insecure",
     .forms = SETTING_BOOL,
     .standard = "false",
     .help = "Takes any certificate: whoever is between us and the broker can read everything."},
    {0},
};

static const struct setting qos_settings[] = {
    {.key = "readings",
     .forms = SETTING_INT,
     .standard = "0",
     .max = 2,
     .help = "Of values while the broker is there; those of an outage come at 1."},
    {.key = "states",
     .forms = SETTING_INT,
     .standard = "1",
     .max = 2,
     .help = "Of availability, rules, discovery and health."},
    {.key = "events",
     .forms = SETTING_INT,
     .standard = "1",
     .min = 1,
     .max = 2,
     .help = "Of what happens; 0 would lose some."},
    {0},
};

const struct setting mqtt_settings[] = {
    {.key = "host",
     .forms = SETTING_TEXT,
     .standard = "localhost",
     .help = "The broker: a name or an address."},
    {.key = "port",
     .forms = SETTING_INT,
     .standard = "1883",
     .min = 1,
     .max = 65535,
     .help = "Its TCP port; 8883 when there is a group tls."},
    {.key = "username", .forms = SETTING_TEXT, .help = "The name to log in with."},
    {.key = "password_file",
     .forms = SETTING_TEXT,
     .help = "A file whose only line is the password, or the name of a credential of systemd."},
    {.key = "client_id",
     .forms = SETTING_TEXT,
     .help = "What the broker knows us by; by default made of the gateway's name and the machine."},
    {.key = "topic",
     .forms = SETTING_TEXT,
     .help = "What all of our topics begin with; by default thermogate/ and the gateway's name."},
    {.key = "version",
     .forms = SETTING_INT | SETTING_CHOICE,
     .standard = "5",
     .min = 5,
     .max = 5,
     .choices = "5 3.1.1",
     .help = "Of the protocol: 5, or \"3.1.1\" for an old broker."},
    {.key = "gather",
     .forms = SETTING_DURATION,
     .standard = "5ms",
     .max = 1000,
     .help =
         "How long readings wait for others before they are published together; alarms never "
         "wait. With \"0s\" the polls of network devices come in smaller groups, too: the least "
         "delay for some more work."},
    {.key = "keep_alive",
     .forms = SETTING_DURATION,
     .standard = "30s",
     .min = 5000,
     .max = 3600000,
     .help = "A broker that has not answered for twice as long is taken for gone."},
    {.key = "expiry",
     .forms = SETTING_DURATION,
     .min = 10000,
     .max = 365 * 86400e3,
     .help = "After what time the broker forgets a value that was not renewed (MQTT 5 only); it "
             "must be longer than each interval and heartbeat. By default never."},
    {.key = "payload",
     .forms = SETTING_CHOICE,
     .standard = "json",
     .choices = "json plain both",
     .help = "One JSON object a device and poll, one bare value a channel, or both."},
    {.key = "qos",
     .forms = SETTING_GROUP,
     .standard = "{}",
     .inside = qos_settings,
     .help = "Of each class of messages."},
    {.key = "commands",
     .forms = SETTING_CHOICE,
     .standard = "ack",
     .choices = "none ack all",
     .help = "Which commands may come from the broker: none, acknowledge and mute, or also writes, "
             "limits, standby, rescan and reload."},
    {.key = "discovery",
     .forms = SETTING_CHOICE,
     .standard = "device",
     .choices = "device entity none",
     .help = "How Home Assistant is told what there is: one message a device, or, to versions "
             "before 2024.11, one an entity."},
    {.key = "discovery_prefix",
     .forms = SETTING_TEXT,
     .standard = "homeassistant",
     .help = "The prefix on which Home Assistant listens for it."},
    {.key = "birth_topic",
     .forms = SETTING_TEXT,
     .standard = "homeassistant/status",
     .help =
         "Where Home Assistant says that it has started, whereupon it is told everything anew."},
    {.key = "birth_payload",
     .forms = SETTING_TEXT,
     .standard = "online",
     .help = "What it says there."},
    {.key = "tls",
     .forms = SETTING_GROUP,
     .inside = tls_settings,
     .help = "Encrypts the connection; the broker's certificate and name are checked."},
    {0},
};

/* -- checks --------------------------------------------------------------------------------- */

static const char not_a_base[] = "1 to 128 bytes without +, #, control characters, a / at either "
                                 "end or a $ in front";

/* Keys whose text must pass `is_right`; without it there is only a length to check. */
static const struct {
    const char *key;
    bool (*is_right)(const char *text);
    const char *hint;
} texts[] = {
    {"topic", topics_is_base, not_a_base},
    {"discovery_prefix", topics_is_base, not_a_base},
    {"birth_topic", topics_is_publishable, "a topic without + and #"},
};

/* Writes what is wrong, and with which key; false when nothing is. */
static bool find_fault(const struct section *section, const char **ret_key, const char **ret_hint)
{
    const struct section *tls = section_child(section, "tls");

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = section_text(section, texts[i].key);

        if (text && !texts[i].is_right(text)) {
            *ret_key = texts[i].key;
            *ret_hint = texts[i].hint;
            return true;
        }
    }
    *ret_hint = "";
    if (section_has(section, "client_id") &&
        (!section_text(section, "client_id")[0] ||
         strlen(section_text(section, "client_id")) > CLIENT_ID_MAX)) {
        *ret_key = "client_id";
        *ret_hint = "1 to 128 bytes";
        return true;
    }
    if (section_has(section, "password_file") && !section_has(section, "username")) {
        *ret_key = "password_file";
        *ret_hint = "give the \"username\" that the password belongs to";
        return true;
    }
    if (section_has(section, "expiry") && section_choice(section, "version") == 1) {
        *ret_key = "expiry";
        *ret_hint = "MQTT 3.1.1 knows none: leave out \"version\"";
        return true;
    }
    if (tls && section_has(tls, "cert_file") != section_has(tls, "key_file")) {
        *ret_key = "tls";
        *ret_hint = "\"cert_file\" and \"key_file\" go together";
        return true;
    }
    return false;
}

size_t options_check(const struct section *section, struct problems *problems)
{
    const char *key, *hint;

    if (!find_fault(section, &key, &hint))
        return 0;
    problem_error(problems, section_place(section, key), hint, "\"%s\" cannot be used like this",
                  key);
    return 1;
}

/* -- reading -------------------------------------------------------------------------------- */

static char *copy_of(const char *text)
{
    return text ? strdup(text) : NULL;
}

static uint64_t hash_more(uint64_t hash, const char *text)
{
    while (*text)
        hash = (hash ^ (uint8_t)*text++) * UINT64_C(1099511628211); /* FNV-1a */
    return hash;
}

/* 23 characters, the most that every broker must take; the same at each start, another on each
 * machine, so that a copied card does not push the first gateway off the broker. */
static char *make_client_id(const char *gateway_name)
{
    uint64_t hash = hash_more(UINT64_C(14695981039346656037), gateway_name);
    char machine[40] = "", text[32];
    int file = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);

    if (file >= 0) {
        ssize_t length = read(file, machine, sizeof(machine) - 1);

        machine[length > 0 ? length : 0] = '\0';
        close(file);
    }
    hash = hash_more(hash_more(hash, ":"), machine);
    snprintf(text, sizeof(text), "thermogate-%012" PRIx64, hash & UINT64_C(0xffffffffffff));
    return strdup(text);
}

static char *make_base(const struct section *section, const char *gateway_name)
{
    char text[TOPICS_BASE_SIZE + 64];

    if (section_has(section, "topic"))
        return strdup(section_text(section, "topic"));
    snprintf(text, sizeof(text), "thermogate/%s", gateway_name);
    return strdup(text);
}

static bool read_texts(struct options *options, const struct section *section,
                       const struct mqtt_gateway *gateway)
{
    const struct section *tls = section_child(section, "tls");

    options->host = copy_of(section_text(section, "host"));
    options->username = copy_of(section_text(section, "username"));
    options->client_id = section_has(section, "client_id")
                             ? copy_of(section_text(section, "client_id"))
                             : make_client_id(gateway->name);
    options->base = make_base(section, gateway->name);
    options->gateway_id = strdup(gateway->id);
    options->birth_topic = copy_of(section_text(section, "birth_topic"));
    options->birth_payload = copy_of(section_text(section, "birth_payload"));
    if (section_choice(section, "discovery") != DISCOVERY_NONE)
        options->prefix = copy_of(section_text(section, "discovery_prefix"));
    options->tls = tls != NULL;
    options->insecure = tls && section_bool(tls, "insecure");
    options->ca_file = tls ? copy_of(section_text(tls, "ca_file")) : NULL;
    options->cert_file = tls ? copy_of(section_text(tls, "cert_file")) : NULL;
    options->key_file = tls ? copy_of(section_text(tls, "key_file")) : NULL;
    return options->host && options->client_id && options->gateway_id && options->base &&
           options->birth_topic && options->birth_payload;
}

static void read_numbers(struct options *options, const struct section *section)
{
    const struct section *qos = section_child(section, "qos");

    options->port = (int)section_int(section, "port");
    if (options->tls && !section_has(section, "port"))
        options->port = PORT_TLS;
    options->v5 = section_choice(section, "version") != 1;
    options->keep_alive_s = (int)(section_duration_ms(section, "keep_alive") / 1000);
    if (section_has(section, "expiry"))
        options->expiry_s = (uint32_t)(section_duration_ms(section, "expiry") / 1000);
    options->json = section_choice(section, "payload") != 1;
    options->plain = section_choice(section, "payload") > 0;
    options->qos_readings = (uint8_t)section_int(qos, "readings");
    options->qos_states = (uint8_t)section_int(qos, "states");
    options->qos_events = (uint8_t)section_int(qos, "events");
    options->commands = (uint8_t)section_choice(section, "commands");
    options->entities = section_choice(section, "discovery") == DISCOVERY_ENTITY;
    options->gather_ms = section_duration_ms(section, "gather");
}

int options_read(const struct section *section, const struct mqtt_gateway *gateway,
                 struct options **ret_options, struct error *reterr)
{
    struct options *options = calloc(1, sizeof(*options));
    const char *key, *hint;
    int r = 0;

    if (!options || !read_texts(options, section, gateway)) {
        options_free(options);
        return error_set(reterr, -ENOMEM, "mqtt: out of memory");
    }
    read_numbers(options, section);
    if (find_fault(section, &key, &hint))
        r = error_set(reterr, -EINVAL, "mqtt: \"%s\" cannot be used like this: %s", key, hint);
    else if (!topics_is_base(options->base))
        r = error_set(reterr, -EINVAL, "mqtt: \"%s\" cannot be a topic; set \"topic\"",
                      options->base);
    else if (section_has(section, "password_file"))
        r = secret_read(section_text(section, "password_file"), &options->password, reterr);
    if (r < 0) {
        options_free(options);
        return r;
    }
    *ret_options = options;
    return 0;
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0;
}

void options_warn(const struct options *options)
{
    if (options->insecure)
        log_warn(
            "mqtt: `insecure`: the broker's certificate is not checked; anybody can pretend to "
            "be %s",
            options->host);
    if (options->password && !options->tls && !is_loopback(options->host))
        log_warn("mqtt: the password goes to %s without encryption: add `tls`", options->host);
}

void options_free(struct options *options)
{
    if (!options)
        return;
    free(options->host);
    free(options->client_id);
    free(options->username);
    secret_free(options->password);
    free(options->gateway_id);
    free(options->base);
    free(options->prefix);
    free(options->birth_topic);
    free(options->birth_payload);
    free(options->ca_file);
    free(options->cert_file);
    free(options->key_file);
    free(options);
}

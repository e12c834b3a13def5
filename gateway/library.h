/* Library: the templates that there are for a gateway. */
#pragma once

struct conf_templates;

/* Those beside the config (`templates/`, where it has its `conf.d`), those of the user in
 * /etc/thermogate/templates, and those that came with the program; of two of one name the first
 * counts. NULL when memory is out. */
struct conf_templates *library_open(const char *config_path);

/* When what was removed has to be announced once more. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/ghosts.h"
#include "gateway/mqtt/inside.h"
#include "tests/unit/mqtt_site.h"

static struct ghost_list *list_of(size_t count, size_t n_moved, size_t n_topics)
{
    struct ghost_list *list =
        calloc(1, sizeof(*list) + (count + n_moved + n_topics + 1) * sizeof(struct ghost));

    list->serial = 1;
    list->count = count;
    list->n_moved = n_moved;
    list->n_topics = n_topics;
    return list;
}

static void what_comes_after_the_announcement_is_announced_by_itself(void **state)
{
    struct inventory *site = site_new(NULL);
    struct publisher p = {.plan = plan_new(site, "t")};
    (void)state;

    assert_true(burial_take(&p, list_of(2, 0, 0)));
    assert_true(burial_take(&p, list_of(0, 1, 0)));
    assert_true(burial_take(&p, list_of(0, 0, 1)));
    burial_release(&p);
    plan_free(p.plan);
    inventory_release(site);
}

static void where_nothing_was_removed_nothing_is_announced(void **state)
{
    struct inventory *site = site_new(NULL);
    struct publisher p = {.plan = plan_new(site, "t")};
    (void)state;

    assert_false(burial_take(&p, list_of(0, 0, 0)));
    burial_release(&p);
    plan_free(p.plan);
    inventory_release(site);
}

static void what_comes_before_the_first_site_goes_with_its_announcement(void **state)
{
    struct publisher p = {0};
    (void)state;

    assert_false(burial_take(&p, list_of(2, 0, 0)));
    burial_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_after_the_announcement_is_announced_by_itself),
        cmocka_unit_test(where_nothing_was_removed_nothing_is_announced),
        cmocka_unit_test(what_comes_before_the_first_site_goes_with_its_announcement),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Maps. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"

/* Each value in memory of its own, so that the sanitizer guards its ends. */
struct entry {
    struct entry *next;
    void *value;
    __u8 key[];
};

struct map {
    const void *definition;
    const char *name;
    __u32 type, max_entries, key_size, value_size;
    struct entry *entries;
};

static struct map maps[MAPS];
static __u32 map_count;

struct map *map_of(const void *definition, const char *name, __u32 type, __u32 max_entries, __u32 key_size,
                   __u32 value_size) {
    for (__u32 i = 0; i < map_count; i++) {
        if (maps[i].definition == definition)
            return &maps[i];
    }
    if (map_count == sizeof(maps) / sizeof(*maps))
        fail("more maps than expected");
    maps[map_count] = (struct map){definition, name, type, max_entries, key_size, value_size, NULL};
    return &maps[map_count++];
}

static int is_array(const struct map *map) {
    return map->type == BPF_MAP_TYPE_ARRAY || map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static int has_index(const struct map *map, const void *key) {
    __u32 index;
    memcpy(&index, key, sizeof(index));
    return index < map->max_entries;
}

void *map_peek(struct map *map, const void *key) {
    for (struct entry *entry = map->entries; entry; entry = entry->next) {
        if (!memcmp(entry->key, key, map->key_size))
            return entry->value;
    }
    return NULL;
}

static void *add(struct map *map, const void *key) {
    struct entry *entry = malloc(sizeof(*entry) + map->key_size);
    entry->next = map->entries;
    entry->value = calloc(1, map->value_size);
    memcpy(entry->key, key, map->key_size);
    map->entries = entry;
    return entry->value;
}

void *map_lookup(struct map *map, const void *key) {
    void *value = map_peek(map, key);
    /* An array has all its values from the beginning; here they come into being when first asked for. */
    return value || !is_array(map) || !has_index(map, key) ? value : add(map, key);
}

long map_update(struct map *map, const void *key, const void *value, __u64 flags) {
    if (flags > BPF_EXIST)
        return -EINVAL;
    void *to = is_array(map) ? map_lookup(map, key) : map_peek(map, key);
    if (is_array(map) && !to)
        return -E2BIG;
    if (to && flags == BPF_NOEXIST)
        return -EEXIST;
    if (!to && flags == BPF_EXIST)
        return -ENOENT;
    if (!to) {
        if (kernel.are_maps_full || falls_short())
            return -E2BIG;
        to = add(map, key);
    }
    memcpy(to, value, map->value_size);
    return 0;
}

long map_delete(struct map *map, const void *key) {
    if (is_array(map))
        return -EINVAL;
    for (struct entry **link = &map->entries; *link; link = &(*link)->next) {
        struct entry *entry = *link;
        if (memcmp(entry->key, key, map->key_size))
            continue;
        *link = entry->next;
        free(entry->value);
        free(entry);
        return 0;
    }
    return -ENOENT;
}

static void free_entries(struct entry **entries) {
    while (*entries) {
        struct entry *entry = *entries;
        *entries = entry->next;
        free(entry->value);
        free(entry);
    }
}

void maps_reset(void) {
    for (__u32 i = 0; i < map_count; i++)
        free_entries(&maps[i].entries);
}

static struct entry *copy_entries(const struct map *map, const struct entry *from) {
    struct entry *first = NULL, **link = &first;
    for (; from; from = from->next) {
        struct entry *entry = malloc(sizeof(*entry) + map->key_size);
        memcpy(entry, from, sizeof(*entry) + map->key_size);
        entry->value = malloc(map->value_size);
        memcpy(entry->value, from->value, map->value_size);
        *link = entry;
        link = &entry->next;
    }
    return first;
}

void maps_save(struct snapshot *snapshot) {
    memset(snapshot, 0, sizeof(*snapshot));
    for (__u32 i = 0; i < map_count; i++)
        snapshot->entries[i] = copy_entries(&maps[i], maps[i].entries);
}

void snapshot_free(struct snapshot *snapshot) {
    for (__u32 i = 0; i < MAPS; i++)
        free_entries(&snapshot->entries[i]);
}

static int is_excepted(const struct map *map, const char *const *excepted) {
    for (; *excepted; excepted++) {
        if (!strcmp(map->name, *excepted))
            return 1;
    }
    return 0;
}

void maps_restore(const struct snapshot *snapshot, const char *const *excepted) {
    for (__u32 i = 0; i < map_count; i++) {
        if (is_excepted(&maps[i], excepted))
            continue;
        free_entries(&maps[i].entries);
        maps[i].entries = copy_entries(&maps[i], snapshot->entries[i]);
    }
}

static int is_zero(const struct entry *entry, __u32 size) {
    const __u8 *octets = entry->value;
    for (__u32 i = 0; i < size; i++) {
        if (octets[i])
            return 0;
    }
    return 1;
}

/* Whether all of `left` is in `right`. A value of an array's that nobody has asked for yet is zero. */
static int contains(const struct map *map, const struct entry *right, const struct entry *left) {
    for (; left; left = left->next) {
        const struct entry *same = right;
        while (same && memcmp(same->key, left->key, map->key_size))
            same = same->next;
        if (same ? memcmp(same->value, left->value, map->value_size)
                 : !is_array(map) || !is_zero(left, map->value_size))
            return 0;
    }
    return 1;
}

const char *maps_differ(const struct snapshot *left, const struct snapshot *right, const char *const *excepted) {
    for (__u32 i = 0; i < map_count; i++) {
        if (!is_excepted(&maps[i], excepted) && (!contains(&maps[i], left->entries[i], right->entries[i]) ||
                                                 !contains(&maps[i], right->entries[i], left->entries[i])))
            return maps[i].name;
    }
    return NULL;
}

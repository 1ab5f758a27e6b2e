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

static struct map maps[64];
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

void maps_reset(void) {
    for (__u32 i = 0; i < map_count; i++) {
        while (maps[i].entries) {
            struct entry *entry = maps[i].entries;
            maps[i].entries = entry->next;
            free(entry->value);
            free(entry);
        }
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * The datapath, natively, under libFuzzer and the sanitizers. Each input sets up a pseudowire and a kernel, makes a
 * packet, and runs a program on it, and on what that sends through the splitter; before a filter on the access
 * interface or the underlay the XDP program that stands there (early.c). Out-of-bounds accesses and undefined behaviour
 * end the process by themselves; what else must hold is checked in the files beside this one.
 */
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size);
int LLVMFuzzerInitialize(int *count, char ***arguments);
const char *__asan_default_options(void);

struct recipe recipe;
struct session session;
__u32 runs;

static const __u8 *current;
static size_t current_size;

static void run_again(void) {
    travel_forget();
    LLVMFuzzerTestOneInput(current, current_size);
}

/* Memory that was freed is looked at for a while after; this much is enough for packets. */
const char *__asan_default_options(void) {
    return "quarantine_size_mb=8";
}

/* An input that is given by name is one that somebody wants to look at. */
int LLVMFuzzerInitialize(int *count, char ***arguments) {
    struct stat status;
    for (int i = 1; i < *count; i++)
        is_tracing |= !stat((*arguments)[i], &status) && S_ISREG(status.st_mode);
    replay = run_again;
    return 0;
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size) {
    static struct octets input;
    current = data;
    current_size = size;
    __u32 head = size < sizeof(recipe) ? (__u32)size : sizeof(recipe);
    memset(&recipe, 0, sizeof(recipe));
    memcpy(&recipe, data, head);
    input.length = (__u32)size - head;
    if (input.length > 0x8000)
        return -1;
    memcpy(input.at, data + head, input.length);
    __u32 stretch = recipe.shape & SHAPE_LONG ? recipe.stretch : recipe.stretch & 0x7ff;
    for (__u32 i = 0; i < stretch; i++)
        input.at[input.length++] = (__u8)(i * 7 + (i >> 8));

    set_up_session();
    set_up_kernel();
    set_up_maps();
    kernel.are_maps_full = !!(recipe.kernel & KERNEL_MAPS_FULL);
    kernel.fallible_calls = 0;
    kernel.fail_at = recipe.fail_at;
    runs = 0;
    int program = recipe.program % 4;
    struct packet *packet = program <= RUN_ENCAP_SPLIT ? from_customer(&input, program == RUN_ENCAP_SPLIT)
                                                       : from_peer(&input, link_octets());
    packet->is_encapsulated = !!(recipe.kernel & KERNEL_ENCAPSULATED);
    packet->view.hash = recipe.hash;
    choose_linear(packet);
    if (program <= RUN_ENCAP_SPLIT)
        travel(program, packet, program == RUN_ENCAP);
    else
        receive(program, packet);
    kernel_reset();
    return 0;
}

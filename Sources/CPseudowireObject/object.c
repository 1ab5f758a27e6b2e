#include "CPseudowireObject.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char object[] __attribute__((aligned(8))) = {
#embed "pseudowire.bpf.o"
};

const unsigned char *pw_object_start(void) {
    return object;
}

size_t pw_object_size(void) {
    return sizeof(object);
}

struct reason {
    const char *identifier;
    const char *direction;
    const char *sentence;
};

static const struct reason reasons[PW_DROP_REASON_COUNT] = {
#define PW_REASON_ROW(identifier, direction, sentence) {#identifier, direction, sentence},
    PW_DROP_REASONS(PW_REASON_ROW)
#undef PW_REASON_ROW
};

const char *pw_drop_reason_identifier(unsigned reason) {
    return reason < PW_DROP_REASON_COUNT ? reasons[reason].identifier : NULL;
}

const char *pw_drop_reason_direction(unsigned reason) {
    return reason < PW_DROP_REASON_COUNT ? reasons[reason].direction : NULL;
}

const char *pw_drop_reason_sentence(unsigned reason) {
    return reason < PW_DROP_REASON_COUNT ? reasons[reason].sentence : NULL;
}

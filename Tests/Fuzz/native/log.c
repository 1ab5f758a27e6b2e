/* SPDX-License-Identifier: MIT */
/* What happened, told when something is wrong. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "packet.h"

int is_tracing;
void (*replay)(void);

static char log_text[1 << 16];
static size_t log_used;

static void append(const char *format, va_list arguments) {
    int length = vsnprintf(log_text + log_used, sizeof(log_text) - log_used, format, arguments);
    if (length > 0)
        log_used = log_used + length < sizeof(log_text) ? log_used + length : sizeof(log_text) - 1;
}

void trace(const char *format, ...) {
    if (!is_tracing)
        return;
    va_list arguments;
    va_start(arguments, format);
    append(format, arguments);
    va_end(arguments);
}

void trace_octets(const char *label, const __u8 *octets, __u32 length) {
    if (!is_tracing)
        return;
    trace("%s (%u octets)", label, length);
    for (__u32 i = 0; i < length && i < 256; i++)
        trace("%s%02x", i % 32 ? i % 2 ? "" : " " : "\n    ", octets[i]);
    trace("\n");
}

void log_show(void) {
    fwrite(log_text, 1, log_used, stderr);
    fputc('\n', stderr);
    log_used = 0;
}

void fail(const char *format, ...) {
    /* Once more, with a log. What fails once fails twice, since nothing here is left to chance. */
    if (!is_tracing && replay) {
        is_tracing = 1;
        record_forget();
        replay();
    }
    va_list arguments;
    va_start(arguments, format);
    fputs("\nFAILED: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    log_show();
    abort();
}

void log_reset(void) {
    log_used = 0;
    log_text[0] = 0;
}

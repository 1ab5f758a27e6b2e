#ifndef CPSEUDOWIRE_ETHTOOL_H
#define CPSEUDOWIRE_ETHTOOL_H

#include <stdint.h>

/* The on-or-off commands of the ethtool ioctl, ETHTOOL_G* and ETHTOOL_S*, for an interface by name in the namespace of
   socket_fd. Return 0 or a negated errno. */
int pseudowire_ethtool_get(int socket_fd, const char *name, uint32_t command, uint32_t *value);
int pseudowire_ethtool_set(int socket_fd, const char *name, uint32_t command, uint32_t value);

#endif

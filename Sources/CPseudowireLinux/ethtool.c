#include "ethtool.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>

static int request(int socket_fd, const char *name, struct ethtool_value *value) {
    struct ifreq ifr = {.ifr_data = (char *)value};

    if (strlen(name) >= sizeof(ifr.ifr_name))
        return -ENODEV;
    strcpy(ifr.ifr_name, name);
    return ioctl(socket_fd, SIOCETHTOOL, &ifr) ? -errno : 0;
}

int pseudowire_ethtool_get(int socket_fd, const char *name, uint32_t command, uint32_t *value) {
    struct ethtool_value argument = {.cmd = command};
    int result = request(socket_fd, name, &argument);

    *value = argument.data;
    return result;
}

int pseudowire_ethtool_set(int socket_fd, const char *name, uint32_t command, uint32_t value) {
    struct ethtool_value argument = {.cmd = command, .data = value};

    return request(socket_fd, name, &argument);
}

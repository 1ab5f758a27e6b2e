#include "driver.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

int pseudowire_driver_name(int socket_fd, const char *interface, char name[PSEUDOWIRE_DRIVER_NAME_SIZE]) {
    struct ethtool_drvinfo information = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq request = {.ifr_data = (void *)&information};
    size_t length = strnlen(interface, sizeof(request.ifr_name));
    if (length == sizeof(request.ifr_name))
        return -ENODEV;
    memcpy(request.ifr_name, interface, length);
    if (ioctl(socket_fd, SIOCETHTOOL, &request) < 0)
        return -errno;
    memcpy(name, information.driver, sizeof(information.driver));
    name[sizeof(information.driver)] = 0;
    return 0;
}

#ifndef CPSEUDOWIRE_DRIVER_H
#define CPSEUDOWIRE_DRIVER_H

enum { PSEUDOWIRE_DRIVER_NAME_SIZE = 33 };

/* What an interface's driver is called (ETHTOOL_GDRVINFO), as `virtio_net`, with a zero behind it. Any socket of the
   interface's namespace will do. Returns 0, or a negated errno. */
int pseudowire_driver_name(int socket_fd, const char *interface, char name[PSEUDOWIRE_DRIVER_NAME_SIZE]);

#endif

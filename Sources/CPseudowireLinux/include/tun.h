#ifndef CPSEUDOWIRE_TUN_H
#define CPSEUDOWIRE_TUN_H

/* Makes a tun device, whose packets begin with the IP header, in the calling thread's namespace. It is gone when its
   descriptor is closed, which does not block. Returns the descriptor, or a negated errno: EBUSY when the name is taken.
 */
int pseudowire_tun_open(const char *name);

#endif

/* SPDX-License-Identifier: MIT */
/* Stands in for libbpf's header of this name. Packets are big-endian, every machine that fuzzes is not. */
#ifndef NATIVE_BPF_ENDIAN_H
#define NATIVE_BPF_ENDIAN_H

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bpfel is what is built, and so is its model");

#define bpf_htons(x) ((__be16)__builtin_bswap16(x))
#define bpf_ntohs(x) ((__u16)__builtin_bswap16(x))
#define bpf_htonl(x) ((__be32)__builtin_bswap32(x))
#define bpf_ntohl(x) ((__u32)__builtin_bswap32(x))
#define bpf_cpu_to_be64(x) ((__be64)__builtin_bswap64(x))
#define bpf_be64_to_cpu(x) ((__u64)__builtin_bswap64(x))

#endif

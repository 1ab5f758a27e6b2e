#!/bin/bash
# SPDX-License-Identifier: MIT
# Does the fuzzer bite? Each line below breaks a copy of the datapath in one place; the fuzzer has to find it.
#   prove.sh CLANG BPF BUILD    PROVE_ONLY: only those whose line this extended regular expression matches
set -euo pipefail
cd "$(dirname "$0")"
clang=$1 bpf=$2 build=$3
runs=${PROVE_RUNS:-1000000}

# name | file | sed expression
mutants() {
    cat <<'END'
bounds of the inner IPv4 header|parse.h|s/if ((void \*)(ip + 1) > end || ip->version != 4/if (ip->version != 4/
bounds of the inner IPv6 header|parse.h|s/if ((void \*)(ip + 1) > end || ip->version != 6/if (ip->version != 6/
bounds of the inner TCP header|parse.h|s/if ((void \*)(tcp + 1) > end || tcp->doff < 5)/if (tcp->doff < 5)/
bounds of the customer's Ethernet header|encap.h|s/if ((void \*)(eth + 1) > end)/if (0)/
bounds of the outer IPv6 header|decap.h|s/if ((void \*)(ip + 1) > end || ip->version != 6)/if (ip->version != 6)/
bounds of the session id|decap.h|s/if ((void \*)(session + 1) > end)/if (0)/
too little made linear|parse.h|s/#define LINEAR_WANTED [0-9]*/#define LINEAR_WANTED 60/
sum of the outer IPv4 header|headers.h|s/ip->check = ~sum_fold/ip->check = sum_fold/
traffic class left out of that sum|headers.h|s/ + bpf_htons(out->traffic_class))/)/
UDP length once in its checksum|headers.h|s/udp_sum + udp->len + udp->len/udp_sum + udp->len/
UDP checksum of zero sent as it is|headers.h|s/udp->check = check ? check : 0xffff/udp->check = check/
protocol left out of the inner sum|parse.h|s/addresses + bpf_htons(protocol) +/addresses +/
last odd octet of a sum|checksum.h|s/^    if (length & 3 && whole/    if (0 \&\& whole/
padding taken for the packet's|encap.h|s/^        inner.is_sum_known = 0;/        ;/
unfinished checksum before padding|encap.h|s/ || (inner.is_partial \&\& !inner.is_sum_known))/)/
cookie not looked at|decap.h|s/if (!cookie_matches(decap, session + 1, end))/if (0)/
second half of the cookie|decap.h|s/second = cookie\[1\]/second = decap->cookie_be[0][1]/
source address not looked at|decap.h|s/if (!same_address(decap->peer_be, source, is_v6))/if (0)/
lengths not looked at|decap.h|s/if (!is_length_right)/if (0)/
outer padding delivered|decap.h|s/if (!gso_size && here.end != skb->len)/if (0)/
short frame one octet too short|decap.h|s/bpf_skb_change_tail(skb, frame_length, 0)/bpf_skb_change_tail(skb, frame_length - 1, 0)/
inner tag forgotten|encap.h|s/out.frame_length = length + tag_octets/out.frame_length = length/
tags in the wrong order|vlan.h|s/tags->tag\[1\].tpid, bpf_ntohs(tags->tag\[1\].tci)/tags->tag[0].tpid, bpf_ntohs(tags->tag[0].tci)/
protocol not refreshed|decap.h|s/skb->protocol != frame_eth.h_proto && protocol_refresh(skb)/0 \&\& protocol_refresh(skb)/
fragments not of whole eights|fragment.h|s/ & ~7u;/;/
fragments' offset by one|fragment.h|s/field + common->begin \/ 8/field + common->begin \/ 8 + 1/
more fragments not said|fragment.h|s/field |= IP_MORE_FRAGMENTS/field |= 0/
tunnelled packet shortened at the wrong end|fragment.h|s/move.distance = skb->len - wanted/move.distance = 0/
datagrams sent to be joined|join.h|s/!inner->l4_offset || //
piece of another place|fragment.h|s/skb->tc_index = cutting->begin \/ 8/skb->tc_index = 0/
next hop's address not written|route.h|s/__builtin_memcpy(data, way->header, sizeof(way->header));//
addressed where the kernel must do it|encap.h|s/send(skb, \&way, is_marked)/send(skb, \&way, 1)/
short frame where the outer checksum is unfinished|decap.h|s/refusal != -KERNEL_ENOTSUPP || is_sum_unfinished/refusal != -KERNEL_ENOTSUPP/
short frame out of IPv6 moved|decap.h|s/is_v6 \&\& !has_decap_l3 \&\& frame_length < shortest/0/
piece not shortened|encap.h|s/is_piece \&\& trim_to_piece(skb)/0/
MTU not kept|encap.h|s/longest + overhead > limit)/longest + overhead > limit + 1)/
MSS at an odd place|mss.h|s/(search.found - tcp) & 1/0/
MSS beyond the options|mss.h|s/search->offset + 4 > search->end || //
ECN without the header's sum|ecn.h|s/if (!is_v6 && bpf_l3_csum_replace/if (0 \&\& bpf_l3_csum_replace/
reply's checksum|icmp.h|s/sum_words(&message, sizeof(message)) + quoted/quoted/
reply to the wrong host|icmp.h|s/ip.daddr = cause.saddr/ip.daddr = cause.daddr/
path MTU of somebody else's packet|icmp.h|s/} else if (local\[0\] != encap->header\[3\]) {/} else if (0) {/
path MTU without a cookie|icmp.h|s/if (!is_cookie_quoted(skb, .*))/if (0)/
path MTU by half a cookie|icmp.h|s/if (octet != rest\[i\])/if (0)/
path MTU by a later piece|icmp.h|s/fragment.offset & bpf_htons(FRAGMENT_OFFSET)/0/
path MTU by a later piece of IPv4|icmp.h|s/ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET))/0)/
first piece not known|icmp.h|s/if (key.protocol == NEXT_HEADER_FRAGMENT)/if (0)/
sequence number sent twice|sequence.h|s/__sync_fetch_and_add(&sequence->send, 1)/sequence->send/
drop counted twice|stats.h|s/counter->rx_dropped += 1/counter->rx_dropped += 2/
drop not counted|stats.h|s/^    count_reason(reason);$/    (void)0;/
drop where it should be left|decap.h|s/if (skb->vlan_present || skb->pkt_type)/if (skb->vlan_present)/
pointer kept across bpf_skb_change_tail()|decap.h|/change_tail(skb, here.end, 0)/,/session = /s/ data = (void \*)(long)skb->data;/;/
pointer kept across bpf_skb_adjust_room()|decap.h|/-(__s32)front, BPF_ADJ/,/eth = frame_eth/s/ data = (void \*)(long)skb->data;/;/
XDP: tag lost|encap_xdp.h|s/tags.count = 2;/tags.count = 1;/
XDP: the other kind of tag|encap_xdp.h|s/vlan |= PW_VLAN_SERVICE;/;/
XDP: tags counted as frame|encap_xdp.h|s/frame_octets(data, end) - (l3_offset - sizeof(struct ethhdr))/frame_octets(data, end)/
XDP: room for tags that were there|encap_xdp.h|s/ + tag_octets - tags.count \* 4;/ + tag_octets;/
XDP: pointer kept across bpf_xdp_adjust_head()|encap_xdp.h|/= write_headers_xdp/,/memcpy(data/s/ data = (void \*)(long)context->data;/;/
XDP: unfinished checksum sent|encap_xdp.h|s/if (inner.is_partial || /if (/
XDP: what may be unfinished sent|encap_xdp.h|s/ inner.may_be_partial || / /
XDP: outer checksum over what is not known|encap_xdp.h|s/ && inner.length + sizeof(struct ethhdr) == length;/;/
XDP: MTU not kept|encap_xdp.h|s/if (l3_length > configured_limit(encap, overhead))/if (0)/
XDP: numbers out of order|encap_xdp.h|s/ || (encap->flags & PW_FLAG_SEQUENCE_SEND)//
XDP: more room than there is|encap_xdp.h|s/bpf_xdp_adjust_head(context, -room)/bpf_xdp_adjust_head(context, -room - 160)/
XDP: nothing sent|encap_xdp.h|s/^    if (!way)/    if (1)/
XDP: counted twice|encap_xdp.h|s/count_tx(slot, 1,/count_tx(slot, 2,/
XDP: next hop's address not written|encap_xdp.h|s/__builtin_memcpy(data, way->header, sizeof(way->header));//
XDP: way of an earlier tick|recent.h|s/recent->tick == bpf_jiffies64() && //
XDP: port of another place|recent.h|s/ || recent->ifindex != ifindex)/)/
XDP: another station's frames|decap_xdp.h|s/eth->h_dest + 4, underlay->address + 4, 2/eth->h_dest, underlay->address, 2/
XDP: cookie not looked at|decap_xdp.h|s/if (!cookie_matches(decap, session + 1, end))/if (0)/
XDP: source port not looked at|decap_xdp.h|s/source_port != decap->peer_port_be && //
XDP: dropped without a word|decap_xdp.h|s/report_xdp(context, sizeof(struct ethhdr), id, reason);//
XDP: no whole IPv4 header by its length|decap_xdp.h|s/if (l3_total < sizeof(\*ip))/if (0)/
XDP: congestion forgotten|decap_xdp.h|s/if (outer_ecn & 1 || /if (/
XDP: sublayer not looked at|decap_xdp.h|s/(word + 1) > end || \*word)/(word + 1) > end)/
XDP: outer padding delivered|decap_xdp.h|s/here.end < length && /0 \&\& /
XDP: no room for the tag|decap_xdp.h|s/front - (is_pushed ? sizeof(ours) : 0)/front/
XDP: pointer kept across bpf_xdp_adjust_head(), coming in|decap_xdp.h|/if (is_pushed || is_changed)/,/end = /s/ data = (void \*)(long)context->data;/;/
XDP: nothing delivered|decap_xdp.h|s/if (!access || /if (1 || /
XDP: another tag|decap_xdp.h|s/if (!has_tag || vlan != wanted)/if (!has_tag)/
XDP: padding cut from what passes|decap_xdp.h|s/^    int has_tag = .*/&\n    if (here.end < length) {\n        bpf_xdp_adjust_tail(context, (int)(here.end - length));\n        data = (void *)(long)context->data;\n        end = (void *)(long)context->data_end;\n        length = here.end;\n    }/
XDP: padding taken for headers|decap_xdp.h|s/if (l3_front + least > here.end)/if (0)/
XDP: shed by another's address|decap_xdp.h|s/fib.ipv4_dst = tuple.ipv4.daddr = ip->daddr;/tuple.ipv4.daddr = ip->daddr;/
XDP: counted with its headers|decap_xdp.h|s/count_rx(slot, 1, frame_length)/count_rx(slot, 1, payload_total)/
XDP: peer not heard|decap_xdp.h|s/hear_peer(decap);//
XDP: driver that does not send|decap_xdp.h|s/!access || !(access->flags & PW_PORT_TRANSMITS)/!access/
XDP: shed before eight were reported|decap_xdp.h|s/ || limit->count < PW_EVENTS_PER_SECOND)/)/
XDP: shed before the socket's eyes|decap_xdp.h|s/^    if (socket) {/    if (0) {/
END
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
make -s BPF="$bpf" BUILD="$build" CLANG="$clang" "$build/fuzz"
read -ra names < <(make -s harness)
harness=("${names[@]/#/$build/}")
missed=0 found=0
while IFS='|' read -r name file expression; do
    rm -rf "$scratch/bpf"
    cp -r "$bpf" "$scratch/bpf"
    sed -i "$expression" "$scratch/bpf/$file"
    if cmp -s "$bpf/$file" "$scratch/bpf/$file"; then
        echo "NOT THERE   $name ($file has changed; so must this list)"
        missed=$((missed + 1))
        continue
    fi
    if ! "$clang" -std=gnu17 -O1 -g -w -Iinclude -I. -I"$scratch/bpf" -fsanitize=address,undefined,fuzzer-no-link \
        -fno-sanitize=alignment -fno-sanitize-recover=all -c datapath.c -o "$scratch/datapath.o" 2>"$scratch/log"; then
        echo "NO PROGRAM  $name"
        sed -n 1,5p "$scratch/log"
        missed=$((missed + 1))
        continue
    fi
    "$clang" -fuse-ld=lld -fsanitize=fuzzer,address,undefined "$scratch/datapath.o" "${harness[@]}" \
        -o "$scratch/fuzz"
    rm -rf "$scratch/new"
    mkdir "$scratch/new"
    if "$scratch/fuzz" -runs="$runs" -seed=1 -max_len=1024 -artifact_prefix="$scratch/" "$scratch/new" corpus \
        >"$scratch/log" 2>&1; then
        echo "MISSED      $name"
        missed=$((missed + 1))
    else
        found=$((found + 1))
        echo "found       $name: $(grep -m1 -oE 'FAILED: .*|ERROR: AddressSanitizer: [a-z-]+|runtime error: .*' "$scratch/log")"
    fi
done < <(mutants | grep -E "${PROVE_ONLY:-.}")
echo "$found found, $missed not"
[ "$missed" = 0 ]

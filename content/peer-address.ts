import ipaddr from "ipaddr.js";

/** Where a peer may live, among the special-purpose addresses of IANA: a shared machine, home, company or carrier. */
const RANGES: ReadonlySet<string> = new Set(["unicast", "loopback", "private", "uniqueLocal", "carrierGradeNat"]);

/**
 * Where clouds keep services of a machine in those ranges, metadata among them: Alibaba, Azure, Amazon (all of its
 * local services), Google, Oracle, Scaleway. Others are link-local or reserved.
 */
const CLOUD_SERVICES = [
  ...["100.100.100.200/32", "168.63.129.16/32"],
  ...["fd00:ec2::/32", "fd20:ce::254/128", "fd00:c1::/32", "fd00:42::42/128"],
].map((text) => ipaddr.parseCIDR(text));

/** IPv6 addresses that end in a link-local one of IPv4, as clouds write their services' in that protocol. */
const LINK_LOCAL_ENDING = [0xa9, 0xfe];

/** An old way to write IPv4 addresses (RFC 4291, section 2.5.5.1) that the library takes for unicast. */
const IPV4_COMPATIBLE = ipaddr.parseCIDR("::/96");

/**
 * False for addresses where no peer lives: link-local (cloud metadata), unspecified, multicast, reserved, and IPv6
 * forms of IPv4 that a translator or tunnel turns into any of them. Names pass.
 * @param hostname of a URL, as the URL parser writes it
 */
export function mayHoldPeer(hostname: string): boolean {
  const text = hostname.replace(/^\[|\]$/g, "");
  if (!ipaddr.isValid(text)) return true;
  const address = ipaddr.process(text); // IPv4 in place of IPv4-mapped IPv6
  const range = address.range();
  if (!RANGES.has(range) || isOfCloud(address)) return false;
  return range !== "unicast" || address.kind() === "ipv4" || !address.match(IPV4_COMPATIBLE);
}

function isOfCloud(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (CLOUD_SERVICES.some((network) => address.kind() === network[0].kind() && address.match(network))) return true;
  const ending = address.toByteArray().slice(12, 14);
  return address.kind() === "ipv6" && LINK_LOCAL_ENDING.every((byte, place) => byte === ending[place]);
}

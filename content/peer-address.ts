import ipaddr from "ipaddr.js";

/** Where a peer may live, among the special-purpose addresses of IANA: a shared machine, home, company or carrier. */
const RANGES: ReadonlySet<string> = new Set(["unicast", "loopback", "private", "uniqueLocal", "carrierGradeNat"]);

/** Clouds' metadata services in those ranges: Alibaba, Azure, Amazon, Google. Others are link-local or reserved. */
const METADATA_SERVICES: ReadonlySet<string> = new Set(
  ["100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254"].map((text) => ipaddr.parse(text).toString()),
);

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
  if (!RANGES.has(range) || METADATA_SERVICES.has(address.toString())) return false;
  return range !== "unicast" || address.kind() === "ipv4" || !address.match(IPV4_COMPATIBLE);
}

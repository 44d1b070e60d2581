//! The IPv4 addresses of the running machine with their interfaces, asked of the kernel (`rtnetlink(7)`, `RTM_GETADDR`), since no file
//! tells both. The kernel answers at once, from memory.

use std::net::Ipv4Addr;

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

use super::addresses::ADDRESSES_MAX;

/// What the kernel puts at most in one datagram of a listing (`NLMSG_GOODSIZE` and above, as the reader offers), in bytes.
const DATAGRAM_BYTES_MAX: usize = 32 * 1024;
/// Datagrams read at most: one holds about a hundred addresses.
const DATAGRAMS_MAX: usize = 64;
/// `struct nlmsghdr`.
const HEADER_BYTES: usize = 16;
/// `struct ifaddrmsg`.
const BODY_BYTES: usize = 8;
/// Header and body of the request.
const REQUEST_BYTES: u32 = 24;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const LIST: u16 = 0x301;
const IFA_LOCAL: u16 = 2;
const AF_INET: u8 = 2;

/// An address, the length of its prefix, and the number of its interface (`/sys/class/net/*/ifindex`).
pub(crate) type Owned4 = (Ipv4Addr, u32, u32);

/// Asks the kernel. Nothing where it does not answer, as in a sandbox that forbids such sockets.
pub(crate) fn ipv4() -> Option<Vec<Owned4>> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None).ok()?;
    send(&socket, &request(), SendFlags::empty()).ok()?;
    let mut found = Vec::new();
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    for _ in 0..DATAGRAMS_MAX {
        let (length, _) = match recv(&socket, buffer.as_mut_slice(), RecvFlags::DONTWAIT) {
            Err(Errno::INTR) => continue,
            answer => answer.ok()?,
        };
        if !read_datagram(buffer.get(..length)?, &mut found) {
            break;
        }
    }
    // There is always loopback: none at all means that the question was refused.
    if found.is_empty() { None } else { Some(found) }
}

/// The request for all IPv4 addresses: a header (length, type, flags, sequence, port) and a body that only names the family.
fn request() -> [u8; HEADER_BYTES + BODY_BYTES] {
    let mut request = [0; HEADER_BYTES + BODY_BYTES];
    let fields = REQUEST_BYTES.to_ne_bytes().into_iter().chain(RTM_GETADDR.to_ne_bytes()).chain(LIST.to_ne_bytes());
    request.iter_mut().zip(fields).for_each(|(byte, field)| *byte = field);
    request[HEADER_BYTES] = AF_INET;
    request
}

/// Adds the addresses in one datagram; whether another one follows.
pub(crate) fn read_datagram(datagram: &[u8], found: &mut Vec<Owned4>) -> bool {
    let mut rest = datagram;
    while !rest.is_empty() {
        let Some((kind, body, after)) = split_message(rest) else { return false };
        if kind != RTM_NEWADDR || found.len() == ADDRESSES_MAX {
            return false; // The end of the list, or an error.
        }
        found.extend(address_of(body));
        rest = after;
    }
    !datagram.is_empty()
}

/// The first message: its type, what follows its header, and the messages after it, which begin at a multiple of four bytes.
fn split_message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = usize::try_from(u32::from_ne_bytes(*bytes.first_chunk()?)).ok()?;
    let kind = u16::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
    let after = length.checked_next_multiple_of(4)?.min(bytes.len());
    Some((kind, bytes.get(HEADER_BYTES..length)?, bytes.get(after..)?))
}

/// Out of `struct ifaddrmsg` (family, prefix, flags, scope, interface) and its attributes (length, type, value).
fn address_of(body: &[u8]) -> Option<Owned4> {
    let prefix = u32::from(*body.get(1)?);
    let interface = u32::from_ne_bytes(*body.get(4..)?.first_chunk()?);
    let mut rest = body.get(BODY_BYTES..).filter(|_| body.first() == Some(&AF_INET))?;
    loop {
        let length = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
        let kind = u16::from_ne_bytes(*rest.get(2..)?.first_chunk()?);
        let value = rest.get(4..length)?;
        if kind == IFA_LOCAL {
            return Some((Ipv4Addr::from(*value.first_chunk::<4>()?), prefix, interface));
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}

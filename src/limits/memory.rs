//! What memory is used for beside the pools: the kernel's share (DESIGN D12), async-io's, and that of the program around a server.

/// Bytes of `SO_SNDBUF` of every connection. One transmit buffer; a client that stops to read holds this much. Over loopback 10 MB take as long
/// with it as with four times as much (15 to 30 ms).
pub const SEND_BUFFER_BYTES: usize = 16 * 1024;

/// Bytes of `SO_RCVBUF` of every connection: what a client may have sent that was not read. 1 MB comes in over loopback in 5 ms with it, and in
/// 13 ms with half of it; over a link that answers in 3 ms it lets 5 MB a second through.
pub const RECEIVE_BUFFER_BYTES: usize = 16 * 1024;

/// How many times the size that was asked for the kernel gives to a socket's buffer, to pay for its own structures: socket(7).
pub const KERNEL_DOUBLES: usize = 2;

/// Bytes of the kernel's for a socket beside its buffers: `struct sock` (2.3 kB), its file, inode and directory entry (1.1 kB), epoll's item, and the
/// piece by which a buffer that is full goes over its size (2.3 kB, by `ss -m`).
pub const KERNEL_SOCKET_BYTES: usize = 6 * 1024;

/// Connections that wait to be accepted: as many as a household's clients open at once when the device comes back. Each may have sent a receive
/// buffer full; what is more comes again within a second or three (TCP does that by itself).
pub const LISTEN_BACKLOG: usize = 64;

/// Bytes that an allocator keeps beside a small block, with what it rounds up: glibc's and musl's keep 8 to 16.
pub const BLOCK_BYTES: usize = 16;

/// Bytes that async-io 2 keeps where it waits for something, be it a timer of a tool: a queue of 1,000 timers, a list of 1,024 events, its map of
/// timers, and a few files. (55 kB, by `tests/memory`.)
pub const ASYNC_IO_BYTES: usize = 64 * 1024;

/// Bytes that a server's handles share beside the commands in their queue: its ends, each on a line of the processor's cache, and who waits
/// at them (768 for async-channel 2, on 64 bits).
pub const HANDLE_BYTES: usize = 1024;

/// Bytes of a setting that is a text (a token, a host, an origin, a proxy), beside the text, of which there may be two copies.
pub const SETTING_BYTES: usize = 128;

/// Bytes of the program around a server that are its own, as the examples have them: two stacks, libc's heap, the logger, and the pages of its
/// file that the loader writes to. They are beside the budget, which is the server's. (270 kB in releases for x86-64.)
pub const RUNTIME_BYTES: usize = 512 * 1024;

/// Bytes of a request body that `max_memory` does not advise to go below: messages of common clients have up to 4,000.
pub const BODY_BYTES_ADVISED_MIN: usize = 4 * 1024;

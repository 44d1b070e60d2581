//! Why a request is refused before anyone looks at what it asks for.

use super::status::Status;

/// The peer's fault. Every refusal is answered once and closes the connection (RFC 9112, 6.3 and 9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The first byte is that of a TLS handshake.
    Tls,
    /// More empty lines before the request line than are skipped (RFC 9112, 2.2).
    BlankLines,
    /// A line that ends in LF without CR. RFC 9112, 2.2 allows refusing it, and telling apart where lines end is
    /// what smuggling lives from.
    BareLf,
    /// A CR without LF (RFC 9112, 2.2).
    BareCr,
    /// The method is no token (RFC 9110, 9.1).
    Method,
    /// The method is longer than any that exists (RFC 9112, 3).
    MethodTooLong,
    /// The request line lacks its target or its version (RFC 9112, 3).
    RequestLine,
    /// The target has none of the forms served here, or holds a byte that no target may (RFC 9112, 3.2).
    Target,
    /// A tunnel is asked for, which an origin server has none of (RFC 9110, 9.3.6; RFC 9112, 3.2.3).
    Tunnel,
    /// The target is longer than the limit (RFC 9110, 15.5.15).
    TargetTooLong,
    /// What should be the version is none (RFC 9112, 2.3).
    Version,
    /// A version of HTTP that is not spoken here (RFC 9110, 15.6.6).
    VersionUnsupported,
    /// Nothing of the above or below, and yet no head (RFC 9112, 2.1).
    Head,
    /// The head is longer than the limit (RFC 6585, 5).
    HeadTooLong,
    /// More header lines than the limit (RFC 6585, 5).
    TooManyHeaders,
    /// A header name longer than the limit (RFC 6585, 5).
    HeaderNameTooLong,
    /// A header name that is empty or no token (RFC 9110, 5.1).
    HeaderName,
    /// A header line without a colon (RFC 9112, 5).
    HeaderColon,
    /// White space between a header name and its colon (RFC 9112, 5.1).
    SpaceBeforeColon,
    /// A line of the head that begins with white space: folded, or before the first header (RFC 9112, 2.2 and 5.2).
    LeadingSpace,
    /// NUL or another control character in a header value (RFC 9110, 5.5).
    HeaderValue,
    /// HTTP/1.1 without `Host` (RFC 9112, 3.2).
    HostMissing,
    /// More than one `Host` (RFC 9112, 3.2).
    HostRepeated,
    /// A `Host` with white space or bytes that are not ASCII (RFC 9110, 7.2).
    Host,
    /// `Content-Length` that is not digits alone (RFC 9110, 8.6).
    ContentLength,
    /// `Content-Length` more than once, also with equal values (RFC 9112, 6.3 allows refusing that).
    ContentLengthRepeated,
    /// `Content-Length` together with `Transfer-Encoding` (RFC 9112, 6.1).
    LengthAndCoding,
    /// `Transfer-Encoding` whose last coding is not `chunked`, or that names it twice (RFC 9112, 6.1 and 6.3).
    Coding,
    /// A transfer coding other than `chunked` (RFC 9112, 6.1).
    CodingUnknown,
    /// `Transfer-Encoding` in HTTP/1.0 (RFC 9112, 6.1).
    CodingInHttp10,
    /// An expectation other than `100-continue` (RFC 9110, 10.1.1).
    Expectation,
    /// The body is larger than the limit, or than the buffer behind this head (RFC 9110, 15.5.14).
    BodyTooLarge,
    /// A chunk size that is not hexadecimal digits alone (RFC 9112, 7.1).
    ChunkSize,
    /// A chunk whose data is not followed by CRLF (RFC 9112, 7.1).
    ChunkEnd,
    /// Chunk extensions that hold control characters, or longer than the limit (RFC 9112, 7.1.1).
    ChunkExtension,
    /// A trailer line that is no header line (RFC 9112, 7.1.2).
    Trailer,
    /// Trailers longer than the limit (RFC 6585, 5).
    TrailersTooLong,
    /// The request before was answered without its body having been read: what follows cannot be told apart from it.
    BodyUnread,
}

impl Refusal {
    /// The status of the answer: 400, 413, 414, 417, 431, 501 or 505.
    pub(crate) const fn status(self) -> Status {
        match self {
            Self::BodyTooLarge => Status::CONTENT_TOO_LARGE,
            Self::TargetTooLong => Status::URI_TOO_LONG,
            Self::Expectation => Status::EXPECTATION_FAILED,
            Self::HeadTooLong | Self::TooManyHeaders | Self::HeaderNameTooLong | Self::TrailersTooLong => {
                Status::HEADER_FIELDS_TOO_LARGE
            }
            Self::MethodTooLong | Self::Tunnel | Self::CodingUnknown => Status::NOT_IMPLEMENTED,
            Self::VersionUnsupported => Status::VERSION_NOT_SUPPORTED,
            _ => Status::BAD_REQUEST,
        }
    }

    /// A sentence for the client: what is wrong, and what would be right. No byte of it needs an escape in JSON.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Tls => "This port speaks plain HTTP, not TLS: use http:// or put a TLS proxy in front.",
            Self::BlankLines => "Too many empty lines before the request line.",
            Self::BareLf => "A line ends in LF alone: lines end in CRLF.",
            Self::BareCr => "A CR without LF: lines end in CRLF.",
            Self::Method => "The method must be a token such as GET or POST.",
            Self::MethodTooLong => "The method is longer than any known one.",
            Self::RequestLine => "The request line must be: method, target, HTTP/1.1, with one space between them.",
            Self::Target => {
                "The target must be a path that begins with /, or an http URL, or * for OPTIONS; \
                 other bytes must be percent-encoded."
            }
            Self::Tunnel => "This server is no proxy: it opens no tunnels.",
            Self::TargetTooLong => "The target is longer than this server accepts.",
            Self::Version => "The request line must end in HTTP/1.1, after one space.",
            Self::VersionUnsupported => "This server speaks HTTP/1.1 and HTTP/1.0 only.",
            Self::Head => "The request line or a header line is malformed.",
            Self::HeadTooLong => "The headers are larger than this server accepts: send fewer or shorter ones.",
            Self::TooManyHeaders => "There are more header lines than this server accepts.",
            Self::HeaderNameTooLong => "A header name is longer than this server accepts.",
            Self::HeaderName => "A header name must be a token: letters, digits and hyphens.",
            Self::HeaderColon => "A header line must be a name, a colon and a value.",
            Self::SpaceBeforeColon => "White space between a header name and its colon is not allowed.",
            Self::LeadingSpace => "A header line must not begin with white space; folded headers are not accepted.",
            Self::HeaderValue => "A header value must not hold NUL or other control characters.",
            Self::HostMissing => "HTTP/1.1 needs a Host header.",
            Self::HostRepeated => "There must be one Host header, not several.",
            Self::Host => "The Host header must be a host name or address, and a port if needed.",
            Self::ContentLength => "Content-Length must be one decimal number, digits only.",
            Self::ContentLengthRepeated => "There must be one Content-Length header, not several.",
            Self::LengthAndCoding => "Content-Length and Transfer-Encoding must not both be there: send one of them.",
            Self::Coding => "Transfer-Encoding must be chunked, named once.",
            Self::CodingUnknown => "This server knows no transfer coding but chunked.",
            Self::CodingInHttp10 => "HTTP/1.0 has no Transfer-Encoding: use Content-Length.",
            Self::Expectation => "This server meets no expectation but 100-continue.",
            Self::BodyTooLarge => "The body is larger than this server accepts.",
            Self::ChunkSize => "A chunk size must be at most 16 hexadecimal digits, followed by CRLF.",
            Self::ChunkEnd => "The data of a chunk must be followed by CRLF.",
            Self::ChunkExtension => "The chunk extensions are malformed, or longer than this server accepts.",
            Self::Trailer => "A trailer line must be a name, a colon and a value.",
            Self::TrailersTooLong => "The trailers are longer than this server accepts.",
            Self::BodyUnread => "The body of the request before was not read: send this one on a new connection.",
        }
    }
}

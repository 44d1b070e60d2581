//! What a result can hold beside text: pictures, sounds, links, and resources that are put in.

use super::{Block, Call};
use crate::app::annotate::{ANNOTATED, META, Said, is_meta};
use crate::app::{ContentAnnotations, Icon};
use crate::json::Writer;
use crate::session::Revision;

/// The bytes of a block: as they are, or as base64 already.
#[derive(Clone, Copy, Debug)]
pub enum Data<'d> {
    /// Bytes, which are sent as base64.
    Bytes(&'d [u8]),
    /// Base64 (RFC 4648, section 4, with its padding). It is sent as it is, unchecked.
    Base64(&'d str),
}

impl<'d> From<&'d [u8]> for Data<'d> {
    fn from(bytes: &'d [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'d, const N: usize> From<&'d [u8; N]> for Data<'d> {
    fn from(bytes: &'d [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'d> From<&'d Vec<u8>> for Data<'d> {
    fn from(bytes: &'d Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// A resource that the client may read for itself (MCP, `ResourceLink`).
///
/// ```
/// use smol_mcp::ResourceLink;
/// const LOG: ResourceLink<'_> = ResourceLink::new("file:///var/log/messages", "log").mime("text/plain");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ResourceLink<'r> {
    uri: &'r str,
    name: &'r str,
    title: Option<&'r str>,
    description: Option<&'r str>,
    mime: Option<&'r str>,
    bytes: Option<u64>,
    icons: &'r [Icon],
}

impl<'r> ResourceLink<'r> {
    /// A link to the resource of this URI; the name is for programs.
    pub const fn new(uri: &'r str, name: &'r str) -> Self {
        Self { uri, name, title: None, description: None, mime: None, bytes: None, icons: &[] }
    }

    /// What people see instead of the name.
    #[must_use]
    pub const fn title(mut self, title: &'r str) -> Self {
        self.title = Some(title);
        self
    }

    /// What the model reads about it.
    #[must_use]
    pub const fn description(mut self, description: &'r str) -> Self {
        self.description = Some(description);
        self
    }

    /// Its media type.
    #[must_use]
    pub const fn mime(mut self, mime: &'r str) -> Self {
        self.mime = Some(mime);
        self
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn size(mut self, bytes: u64) -> Self {
        self.bytes = Some(bytes);
        self
    }

    /// Its pictures, for people.
    #[must_use]
    pub const fn icons(mut self, icons: &'r [Icon]) -> Self {
        self.icons = icons;
        self
    }
}

/// An open block of bytes: see [`Call::begin_image`]. Whatever the call does next ends it.
pub struct Binary<'c, 'a> {
    call: &'c mut Call<'a>,
}

impl Binary<'_, '_> {
    /// Appends bytes, in pieces of any size.
    pub async fn write(&mut self, bytes: &[u8]) {
        self.call.base64.write(self.call.out, bytes).await;
    }
}

/// Each of these ends the open block, and appends one to the result.
impl<'a> Call<'a> {
    /// Appends a picture: its media type (`image/png`), and its bytes.
    ///
    /// ```
    /// # use smol_mcp::{Call, Data, ToolResult};
    /// # async fn tool(call: &mut Call<'_>, png: &[u8]) -> ToolResult {
    /// call.image("image/png", png).await;
    /// call.image("image/gif", Data::Base64("R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=")).await;
    /// call.text("Before and after.").await
    /// # }
    /// ```
    pub async fn image(&mut self, mime: &str, data: impl Into<Data<'_>>) {
        self.begin_image(mime).await;
        self.data(data.into()).await;
    }

    /// Appends a sound: its media type (`audio/wav`), and its bytes. 2024-11-05 knows no sounds; its clients get an embedded resource.
    pub async fn audio(&mut self, mime: &str, data: impl Into<Data<'_>>) {
        self.begin_audio(mime).await;
        self.data(data.into()).await;
    }

    /// Appends the text of a resource, which the client need not read any more.
    pub async fn embedded_text(&mut self, uri: &str, mime: &str, text: &str) {
        self.begin_embedded_text(uri, mime).await;
        self.write(text).await;
        self.end_block().await;
    }

    /// Appends the bytes of a resource, which the client need not read any more.
    pub async fn embedded_blob(&mut self, uri: &str, mime: &str, data: impl Into<Data<'_>>) {
        self.begin_embedded_blob(uri, mime).await;
        self.data(data.into()).await;
    }

    /// Appends a link to a resource. Revisions before 2025-06-18 know no links; their clients get its name and its URI as text.
    pub async fn resource_link(&mut self, link: ResourceLink<'_>) {
        let ResourceLink { uri, name, title, description, mime, bytes, icons } = link;
        if !self.has_links() {
            self.begin_text().await;
            self.print(format_args!("{}: {uri}", title.unwrap_or(name))).await;
            return self.end_block().await;
        }
        self.begin_block(Block::Closed, "resource_link", |w| {
            w.str(r#","uri":"#).string(uri).str(r#","name":"#).string(name);
            for (member, text) in [("title", title), ("description", description), ("mimeType", mime)] {
                if let Some(text) = text {
                    w.str(",\"").str(member).str("\":").string(text);
                }
            }
            if let Some(bytes) = bytes {
                w.str(r#","size":"#).uint(bytes);
            }
            Icon::write_all(icons, w);
            w.str("}");
        })
        .await;
    }

    /// Says for whom the next block is, and how much it matters:
    ///
    /// ```
    /// # use smol_mcp::{Call, ContentAnnotations, ToolResult};
    /// # async fn tool(call: &mut Call<'_>, png: &[u8]) -> ToolResult {
    /// call.annotate(ContentAnnotations::new().user()).await;
    /// call.image("image/png", png).await;
    /// call.annotate(ContentAnnotations::new().assistant().priority(1.0)).await;
    /// call.text("The picture shows the tank: it is empty.").await
    /// # }
    /// ```
    pub async fn annotate(&mut self, annotations: ContentAnnotations<'_>) {
        if annotations != ContentAnnotations::NONE {
            self.say(ANNOTATED, |w| annotations.write_member(w)).await;
        }
    }

    /// Gives the next block a `_meta`: a JSON object, for particular clients. What is none is left out, and the log says so.
    pub async fn block_meta(&mut self, json: &str) {
        if is_meta(json) {
            self.say(META, |w| {
                w.str(r#""_meta":"#).flat(json.as_bytes());
            })
            .await;
        }
    }

    /// Opens a picture whose bytes come piece by piece:
    ///
    /// ```
    /// # use smol_mcp::{Call, ToolResult};
    /// # async fn tool(call: &mut Call<'_>, mut camera: impl Iterator<Item = Vec<u8>>) -> ToolResult {
    /// let mut image = call.begin_image("image/jpeg").await;
    /// while let Some(piece) = camera.next() {
    ///     image.write(&piece).await;
    /// }
    /// call.done().await
    /// # }
    /// ```
    pub async fn begin_image(&mut self, mime: &str) -> Binary<'_, 'a> {
        self.begin_block(Block::Binary("\"}"), "image", |w| {
            w.str(r#","mimeType":"#).string(mime).str(r#","data":""#);
        })
        .await;
        Binary { call: self }
    }

    /// Opens a sound whose bytes come piece by piece.
    pub async fn begin_audio(&mut self, mime: &str) -> Binary<'_, 'a> {
        if self.revision() < Revision::V2025_03_26 {
            return self.begin_embedded_blob("content://audio", mime).await;
        }
        self.begin_block(Block::Binary("\"}"), "audio", |w| {
            w.str(r#","mimeType":"#).string(mime).str(r#","data":""#);
        })
        .await;
        Binary { call: self }
    }

    /// Opens the text of a resource: [`write`](Self::write) and [`print`](Self::print) append to it.
    pub async fn begin_embedded_text(&mut self, uri: &str, mime: &str) {
        self.begin_embedded(Block::Text("\"}}"), uri, mime, r#","text":""#).await;
    }

    /// Opens the bytes of a resource, which come piece by piece.
    pub async fn begin_embedded_blob(&mut self, uri: &str, mime: &str) -> Binary<'_, 'a> {
        self.begin_embedded(Block::Binary("\"}}"), uri, mime, r#","blob":""#).await;
        Binary { call: self }
    }

    async fn begin_embedded(&mut self, block: Block, uri: &str, mime: &str, member: &str) {
        self.begin_block(block, "resource", |w| {
            w.str(r#","resource":{"uri":"#).string(uri);
            w.str(r#","mimeType":"#).string(mime).str(member);
        })
        .await;
    }

    // Begins a block with what is said of it; says nothing twice.
    async fn say(&mut self, what: Said, member: impl Fn(&mut Writer<'_>)) {
        let (begin, said) = match self.block {
            Block::Head(said) if said & what != 0 => return,
            Block::Head(said) => (",", said),
            _ => (self.separate().await, 0),
        };
        self.out
            .write(|w| {
                w.str(begin);
                member(w);
            })
            .await;
        self.block = Block::Head(said | what);
    }

    // The whole of an open block of bytes, and its end.
    async fn data(&mut self, data: Data<'_>) {
        match data {
            Data::Bytes(bytes) => self.base64.write(self.out, bytes).await,
            // Escaped, so that nothing can break out of the string.
            Data::Base64(text) => self.out.escaped(text).await,
        }
        self.end_block().await;
    }

    fn has_links(&self) -> bool {
        self.revision() >= Revision::V2025_06_18
    }
}

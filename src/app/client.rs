//! A client's own name.

use core::cell::OnceCell;

use crate::json::Text;
use crate::limits::CLIENT_TEXT_BYTES_MAX;
use crate::rpc::{self, Request};

/// A client's own name or version, cut.
pub(crate) type ClientText = heapless::String<CLIENT_TEXT_BYTES_MAX>;

/// A client's name, which is looked for when somebody asks: most handlers do not.
pub(crate) struct Client<'a> {
    /// A request of 2026-07-28, which brings it.
    request: Option<&'a Request<'a>>,
    name: OnceCell<ClientText>,
}

impl<'a> Client<'a> {
    /// The one that sent this request of 2026-07-28.
    pub(crate) const fn of(request: &'a Request<'a>) -> Self {
        Self { request: Some(request), name: OnceCell::new() }
    }

    /// One whose name is known; empty where it told none.
    pub(crate) fn named(name: &str) -> Self {
        Self { request: None, name: OnceCell::from(ClientText::try_from(name).unwrap_or_default()) }
    }

    /// Its name, where it told one.
    pub(crate) fn name(&self) -> Option<&str> {
        let told = || self.request.and_then(|r| rpc::implementation(r.envelope.meta_client_info, r.doc).0);
        Some(self.name.get_or_init(|| client_text(told())).as_str()).filter(|name| !name.is_empty())
    }
}

/// A client's text, decoded and cut.
pub(crate) fn client_text(text: Option<Text<'_>>) -> ClientText {
    let mut cut = ClientText::new();
    if text.and_then(Text::plain).is_some_and(|text| cut.push_str(text).is_ok()) {
        return cut;
    }
    // The first character that does not fit ends it.
    let _ = text.and_then(|text| text.chars().try_for_each(|char| cut.push(char)).ok());
    cut
}

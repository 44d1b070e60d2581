//! What the server says of itself.

use core::cell::{Cell, OnceCell};
use std::borrow::Cow;

use super::Icon;
use crate::json::Writer;
use crate::rpc::META_SERVER_INFO;

/// What the server says of itself (`Implementation`, `instructions`), and which extensions its application serves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) name: Cow<'static, str>,
    pub(crate) version: Cow<'static, str>,
    pub(crate) title: Option<Cow<'static, str>>,
    pub(crate) description: Option<Cow<'static, str>>,
    pub(crate) website_url: Option<Cow<'static, str>>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) instructions: Option<Cow<'static, str>>,
    /// Names, and settings as JSON objects.
    pub(crate) extensions: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// Results are the same for everyone who may ask.
    pub(crate) public: Cell<bool>,
    /// What ends every result of 2026-07-28, once it was written in advance.
    pub(crate) meta: OnceCell<Box<str>>,
}

impl Identity {
    /// Writes the `Implementation` object, as it stands in every result.
    pub(crate) fn write(&self, w: &mut Writer<'_>) {
        self.begin(w);
        w.str("}");
    }

    /// Writes all of the `Implementation` object, for who asks what the server is.
    pub(crate) fn write_whole(&self, w: &mut Writer<'_>) {
        self.begin(w);
        for (member, text) in [("description", &self.description), ("websiteUrl", &self.website_url)] {
            if let Some(text) = text {
                w.str(",\"").str(member).str("\":").string(text);
            }
        }
        Icon::write_all(&self.icons, w);
        w.str("}");
    }

    fn begin(&self, w: &mut Writer<'_>) {
        w.str(r#"{"name":"#).string(&self.name).str(r#","version":"#).string(&self.version);
        if let Some(title) = &self.title {
            w.str(r#","title":"#).string(title);
        }
    }

    /// Writes the members that end every result of 2026-07-28, with the comma in front.
    pub(crate) fn write_meta(&self, w: &mut Writer<'_>) {
        if let Some(meta) = self.meta.get() {
            w.str(meta);
            return;
        }
        w.str(r#","_meta":{"#).string(META_SERVER_INFO).str(":");
        self.write(w);
        w.str("}");
    }

    /// Writes those members in advance: they are not to change any more. `public`: everyone may ask, as the server starts.
    pub(crate) fn settle(&self, public: bool) {
        self.public.set(public);
        let mut count = Writer::new(&mut []);
        self.write_meta(&mut count);
        let mut text = vec![0; count.total()];
        self.write_meta(&mut Writer::new(&mut text));
        // All of it is text; else it is written anew each time.
        let _ = String::from_utf8(text).map(|text| self.meta.set(text.into_boxed_str()));
    }

    /// The same for `server/discover`.
    pub(crate) fn write_whole_meta(&self, w: &mut Writer<'_>) {
        w.str(r#","_meta":{"#).string(META_SERVER_INFO).str(":");
        self.write_whole(w);
        w.str("}");
    }

    /// Writes the members of a result that a 2026-07-28 client may keep, with the comma in front.
    pub(crate) fn write_caching(&self, w: &mut Writer<'_>) {
        w.str(r#","ttlMs":"#).uint(u64::from(crate::limits::LIST_TTL_MS)).str(r#","cacheScope":"#);
        w.string(if self.public.get() { "public" } else { "private" });
    }

    /// The same where the client may not: what it was asked for has gone into the result.
    pub(crate) fn write_no_caching(w: &mut Writer<'_>) {
        w.str(r#","ttlMs":0,"cacheScope":"private""#);
    }
}

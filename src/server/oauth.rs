//! Access tokens, as far as the world is concerned: files of keys that change, and streams that end with the token that opened them.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::rc::Rc;

use super::Config;
use super::core::Core;
use super::notices::Notice;
use super::secret_file::{Named, SecretFile, Stamp};
use crate::guard::PublicBase;
use crate::http::ProtectedResource;
use crate::limits::{JWKS_FILE_BYTES_MAX, JWKS_LOOK_MS, SETTING_BYTES};
use crate::oauth::{Issuer, Jwks, Key, OAuth, Place, Protected, Verifier};

impl Config {
    /// Lets in who brings an access token of an authorization server, and tells clients which that is: see [`OAuth`]. Beside tokens of the
    /// configuration, and before the application's own check, where there are such. With a [`public_base`](Self::public_base) that has a path, the metadata
    /// is named below that; without, it is where RFC 9728 has it, which a proxy must then pass on.
    #[must_use]
    pub fn oauth(mut self, oauth: OAuth) -> Self {
        let file = if has_file(&oauth) { JWKS_FILE_BYTES_MAX } else { 0 };
        let bytes = oauth.bytes() + Protected::bytes(&oauth) + Verifier::BYTES + file + SETTING_BYTES;
        self.oauth = Some(Setup { bytes, begin, settings: oauth });
        self
    }
}

/// Settings, and what makes something of them: a program that has no such settings has none of that, either.
#[derive(Clone)]
pub(super) struct Setup {
    settings: OAuth,
    begin: fn(&OAuth, Option<&PublicBase>, &str) -> io::Result<Begun>,
    bytes: usize,
}

impl Setup {
    /// Reads the keys, and makes what checks tokens.
    ///
    /// # Errors
    /// `InvalidInput`: a setting or a file is wrong. Others: a file can't be read.
    pub(super) fn begin(&self, base: Option<&PublicBase>, name: &str) -> io::Result<Begun> {
        (self.begin)(&self.settings, base, name)
    }

    /// Bytes that all of it takes, but for those of each stream.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Bytes that each stream takes where access tokens let in.
pub(super) const BYTES_PER_STREAM: usize = size_of::<Cell<u64>>();

/// What a server has that takes access tokens.
pub(super) struct Begun {
    /// What its challenges say.
    pub(super) told: ProtectedResource,
    pub(super) protected: Rc<Protected>,
    pub(super) resource: PublicBase,
    pub(super) keys: Box<dyn KeepKeys>,
}

/// Who looks after the keys.
pub(super) trait KeepKeys {
    /// Looks whether files of keys have changed, if that is due, or in any case (`again`), and reads those that have. What could not be read is told
    /// to `failed`, and looked at again the next time. True if some keys are no longer good.
    fn look(&self, now_ms: u64, again: bool, failed: &dyn Fn(&io::Error)) -> bool;
}

/// What is to be looked at.
pub(super) struct Watch {
    keys: Option<Box<dyn KeepKeys>>,
    /// When the token ends that opened the stream of this place, in seconds of the wall clock; `u64::MAX`: it does not.
    ends_unix_s: Box<[Cell<u64>]>,
}

impl Watch {
    /// For so many streams.
    pub(super) fn new(keys: Option<Box<dyn KeepKeys>>, streams: usize) -> Self {
        let streams = if keys.is_some() { streams } else { 0 };
        Self { keys, ends_unix_s: vec![Cell::new(u64::MAX); streams].into() }
    }

    /// A stream was opened at this place, by somebody whose token ends then.
    pub(super) fn opened(&self, index: usize, ends_unix_s: u64) {
        if let Some(place) = self.ends_unix_s.get(index) {
            place.set(ends_unix_s);
        }
    }
}

impl<A> Core<'_, A> {
    /// Looks whether the keys of access tokens have changed; `again`: whatever the files look like. True where there are such.
    pub(super) fn look_at_keys(&self, again: bool) -> bool {
        let Some(keys) = &self.access.watch.keys else { return false };
        let failed = |error: &io::Error| self.notice(Notice::Keys, format_args!("{error}; its keys stay as they are"));
        if keys.look(self.now_ms.get(), again, &failed) {
            // Nobody knows any more by which of them a stream was opened. Who may come in comes again.
            self.end_streams_until(u64::MAX - 1);
        }
        true
    }

    /// Ends the streams of those whose access tokens have ended. They come again with other ones.
    pub(super) fn end_streams_of_ended(&self) {
        self.end_streams_until(self.unix_s.get());
    }

    #[inline(never)]
    fn end_streams_until(&self, unix_s: u64) {
        for (index, ends_unix_s) in self.access.watch.ends_unix_s.iter().enumerate() {
            if ends_unix_s.get() > unix_s {
                continue;
            }
            ends_unix_s.set(u64::MAX);
            let stream = self.streams.borrow().reference(index);
            if let Some(stream) = stream {
                self.close_stream(stream, true);
            }
        }
    }
}

/// The keys of some authorization servers, of which some are in files.
struct Keeper {
    verifier: Rc<Verifier>,
    issuers: Vec<Issuer>,
    /// What the file of each looked like when it was read last; none where it could not be looked at, or there is none.
    stamps: RefCell<Vec<Option<Stamp>>>,
    looked_ms: Cell<u64>,
}

impl KeepKeys for Keeper {
    fn look(&self, now_ms: u64, again: bool, failed: &dyn Fn(&io::Error)) -> bool {
        if !again && now_ms.saturating_sub(self.looked_ms.get()) < JWKS_LOOK_MS {
            return false;
        }
        self.looked_ms.set(now_ms);
        let mut has_lost = false;
        for (place, (issuer, known)) in self.issuers.iter().zip(self.stamps.borrow_mut().iter_mut()).enumerate() {
            let Some(path) = &issuer.file else { continue };
            let now = Stamp::now(path).ok();
            if *known == now && !again {
                continue;
            }
            match keys_of(issuer) {
                Ok((keys, stamp)) => {
                    *known = stamp;
                    if !self.verifier.has_keys(place, &keys) {
                        log::info!("the keys of {} were replaced", issuer.url);
                        has_lost |= self.verifier.replace_keys(place, keys);
                    }
                }
                // It stays so until the file changes, if it did not between the two looks.
                Err(error) if error.kind() == ErrorKind::InvalidInput => {
                    *known = now;
                    log::error!("{error}; its keys stay as they are");
                }
                // What failed may go well at the next look: it, or the whole machine, may be short of something for a moment.
                Err(error) => {
                    *known = None;
                    failed(&error);
                }
            }
        }
        has_lost
    }
}

fn begin(settings: &OAuth, base: Option<&PublicBase>, name: &str) -> io::Result<Begun> {
    let invalid = |text: String| io::Error::new(ErrorKind::InvalidInput, format!("oauth: {text}"));
    settings.check().map_err(invalid)?;
    let url = |setting, url| PublicBase::parse_as(setting, url).map_err(|error| invalid(error.to_string()));
    let resource = url("resource", &settings.resource)?;
    let (mut keys, mut stamps) = (Vec::new(), Vec::new());
    for issuer in &settings.issuers {
        url("issuer", &issuer.url)?;
        let (known, stamp) = keys_of(issuer)?;
        keys.push(known);
        stamps.push(stamp);
    }
    let place = Place {
        origin: resource.origin(),
        path: resource.prefix(),
        base: base.map(|base| (base.origin(), base.prefix())),
    };
    let verifier = Verifier::new(settings, &format!("{}{}", place.origin, place.path), keys);
    let verifier = Rc::new(verifier);
    let protected = Rc::new(Protected::new(settings, place, name, verifier.clone()));
    let issuers = settings.issuers.clone();
    let keys = Box::new(Keeper { verifier, issuers, stamps: RefCell::new(stamps), looked_ms: Cell::new(0) });
    let told = ProtectedResource { metadata: protected.url().to_owned(), scopes: settings.asked_first().join(" ") };
    Ok(Begun { told, protected, resource, keys })
}

fn has_file(settings: &OAuth) -> bool {
    settings.issuers.iter().any(|issuer| issuer.file.is_some())
}

/// All keys of an authorization server, and what its file looked like, if it has one.
///
/// # Errors
/// What is wrong with the file, or with the keys that were given.
fn keys_of(issuer: &Issuer) -> io::Result<(Vec<Key>, Option<Stamp>)> {
    let (of_file, stamp) = match &issuer.file {
        Some(path) => read(path).map(|(keys, stamp)| (keys, Some(stamp)))?,
        None => (Vec::new(), None),
    };
    let keys = issuer.keys(of_file);
    let keys = keys
        .map_err(|why| io::Error::new(ErrorKind::InvalidInput, format!("oauth: the issuer {:?}: {why}", issuer.url)))?;
    Ok((keys, stamp))
}

fn read(path: &Path) -> io::Result<(Vec<Key>, Stamp)> {
    let named = Named("key set", path);
    let file = SecretFile::read(named, JWKS_FILE_BYTES_MAX)?;
    let set = Jwks::parse(file.text(named)?).map_err(|error| named.invalid(&error))?;
    if set.is_secret && file.is_readable_by_others() {
        return Err(
            named.invalid(&"it holds a secret, and everybody on this machine can read it: chmod 600 would be right")
        );
    }
    if let Some((number, why)) = set.left_out {
        log::info!("the key set {}: {number} of its keys can't be used: {why}", path.display());
    }
    Ok((set.keys, file.stamp()))
}

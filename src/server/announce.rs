//! What the application says to all, and who wants to hear it.

use super::core::Core;
use crate::app::{Announce, message_params};
use crate::hub::{Audience, Kind, NoPlace, UriSet, bit};
use crate::json::{Value, Writer};
use crate::limits::MESSAGE_PARAMS_BYTES_MAX;
use crate::session::{LogLevel, Principal, Session, SessionRef};

impl<A> Core<'_, A> {
    /// Subscribes a session to a resource.
    pub(super) fn subscribe(&self, session: SessionRef, uri: &str) -> Result<(), NoPlace> {
        let place = self.hub.borrow_mut().uris().intern(uri, self.subscribed())?;
        self.sessions.borrow_mut().subscribe(session, bit(place));
        self.wishes_changed();
        Ok(())
    }

    /// Ends a session's subscription to a resource, if it has one.
    pub(super) fn unsubscribe(&self, session: SessionRef, uri: &str) {
        let place = self.hub.borrow_mut().uris().find(uri);
        if let Some(place) = place {
            self.sessions.borrow_mut().unsubscribe(session, bit(place));
            self.wishes_changed();
        }
    }

    /// Somebody comes for a session's stream: what that one may not read is no longer subscribed to. The token that subscribed may have had more
    /// scopes than this one, of the same holder.
    pub(super) fn unsubscribe_from_forbidden(&self, session: SessionRef, principal: &Principal) {
        let subscribed = self.sessions.borrow().get(session).map_or(0, Session::subscriptions);
        if subscribed == 0 || principal.has_every_scope() {
            return;
        }
        let resources = self.endpoint.catalog.resources;
        let is_forbidden = |uri: &str| {
            let resource = resources.iter().find(|resource| resource.matches(uri));
            resource.is_some_and(|resource| !principal.has_all(resource.scopes))
        };
        let forbidden = {
            let mut hub = self.hub.borrow_mut();
            hub.uris().places(subscribed).filter(|(_, uri)| is_forbidden(uri)).fold(0, |set, (at, _)| set | bit(at))
        };
        if forbidden != 0 {
            self.sessions.borrow_mut().unsubscribe(session, forbidden);
            self.wishes_changed();
        }
    }

    /// The places of the resources that a `subscriptions/listen` asks for: those that there are,
    /// and that its caller may read.
    pub(super) fn listen_to(&self, wanted: Value<'_>, principal: &Principal) -> Result<UriSet, NoPlace> {
        let (resources, mut set) = (self.endpoint.catalog.resources, 0);
        for uri in wanted.elements().filter_map(|uri| uri.as_text()?.plain()) {
            let resource = resources.iter().find(|resource| resource.matches(uri));
            if resource.is_some_and(|resource| principal.has_all(resource.scopes)) {
                set |= bit(self.hub.borrow_mut().uris().intern(uri, self.subscribed() | set)?);
            }
        }
        Ok(set)
    }

    // What anybody is subscribed to.
    fn subscribed(&self) -> UriSet {
        let sessions = self.sessions.borrow();
        let streams = self.streams.borrow();
        let of_sessions = sessions.iter().fold(0, |set, (_, session)| set | session.subscriptions());
        streams.iter().fold(of_sessions, |set, (_, stream)| set | stream.uris)
    }

    /// Fills `list` with the resources of whose changes somebody with an open stream hears, up to the capacity that its caller gave it.
    pub(super) fn list_watched(&self, list: &mut Vec<String>) {
        let watched = self.streams.borrow().iter().fold(0, |set, (_, stream)| set | stream.uris);
        let hub = self.hub.borrow();
        list.extend(hub.uris_of(watched).take(list.capacity() - list.len()).map(str::to_owned));
    }

    /// A session's level or subscriptions were set: its stream goes by it.
    pub(super) fn wishes_changed(&self) {
        let sessions = self.sessions.borrow();
        let mut streams = self.streams.borrow_mut();
        for (_, session) in sessions.iter() {
            let Some(open) = session.stream().and_then(|stream| streams.at(stream.into())) else { continue };
            open.messages = Some(level(session));
            open.uris = session.subscriptions();
        }
    }
}

/// The level of the messages that a session gets: all, unless it said something else.
pub(super) fn level(session: &Session) -> LogLevel {
    session.log_level().unwrap_or(LogLevel::Debug)
}

impl<A> Announce for Core<'_, A> {
    fn tools_changed(&self) {
        self.append(Kind::ToolsChanged, Audience::All, &[]);
    }

    fn resources_changed(&self) {
        self.append(Kind::ResourcesChanged, Audience::All, &[]);
    }

    fn prompts_changed(&self) {
        self.append(Kind::PromptsChanged, Audience::All, &[]);
    }

    fn resource_updated(&self, uri: &str) {
        let (place, latest, left) = {
            let mut hub = self.hub.borrow_mut();
            let uris = hub.uris();
            let Some(place) = uris.find(uri) else { return };
            (place, uris.latest(place), uris.was_left(place))
        };
        // Nobody hears it; or all who do have an event about it before them still, which says the same.
        let is_told = {
            let streams = self.streams.borrow();
            let mut subscribers = streams.iter().filter(|(_, stream)| stream.uris & bit(place) != 0);
            subscribers.all(|(_, stream)| latest.is_some_and(|latest| stream.is_before(latest)))
        };
        // Once for those who are subscribed and away: they may come back, and ask for what they missed.
        let is_missed = left && {
            let sessions = self.sessions.borrow();
            sessions.iter().any(|(_, session)| session.stream().is_none() && session.subscriptions() & bit(place) != 0)
        };
        if !is_told || is_missed {
            let place = u8::try_from(place).unwrap_or(u8::MAX);
            self.append(Kind::ResourceUpdated(place), Audience::All, uri.as_bytes());
        }
    }

    fn broadcast(&self, level: LogLevel, logger: Option<&str>, text: &str) -> bool {
        let mut params = [0; MESSAGE_PARAMS_BYTES_MAX];
        let mut w = Writer::new(&mut params);
        message_params(&mut w, level, logger, |w| {
            w.string(text);
        });
        let (length, complete) = (w.written(), w.is_complete());
        complete && self.append(Kind::Message(level), Audience::All, params.get(..length).unwrap_or_default())
    }

    fn log_level(&self, session: SessionRef) -> Option<LogLevel> {
        self.sessions.borrow().get(session).map(level)
    }

    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }
}

//! Who may come in, as it changes while the server runs: tokens that are read again, tokens that end, and the application's own check.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::task::Poll;

use super::conns::ConnRef;
use super::core::Core;
use super::notices::Notice;
use super::oauth::Watch;
use super::token_file;
use super::worker::Worker;
use super::{Config, Server};
use crate::app::{
    Application, AsyncCheck, Check, Denied, Headers, PromptsOf, ResourcesOf, SyncCheck, Tools, Visit, caught, unwound,
};
use crate::endpoint::{Answer, Cause, Moment, Passage, denied};
use crate::guard::{BearerRefusal, FormerTokens, Token};
use crate::http::{self, Challenge, Status};
use crate::limits::AUTHORIZE_TIMEOUT_MS;
use crate::outlet::Outlet;
use crate::rpc::Code;
use crate::session::{Principal, PrincipalId, SessionRef};

impl Config {
    /// Lets in who brings this token, under a name and for some things alone, if the [`Token`] says so. May be repeated; a request must bring
    /// one of them, of those of [`token`](Self::token), or of those of [`token_file`](Self::token_file).
    #[must_use]
    pub fn access(mut self, token: Token) -> Self {
        self.tokens.push(token);
        self
    }

    /// A file of tokens, one a line; [`Handle::reload`](super::Handle::reload) reads it again. What it holds:
    /// ```text
    /// # name   token, or the hash of one        what it may do           until when
    /// kitchen  sha256:9f86d081884c7d659a2f...   scopes=read,lights       expires=2027-01-01T00:00:00Z
    /// admin    0f3d9f...                                                 # everything, for ever
    /// -        b61f02...                        scopes=                  # no name, and only what asks for no scope
    /// ```
    /// A hash is what `printf %s "$TOKEN" | sha256sum` prints. The file must not be writable by others than its owner and group, nor, where a
    /// token stands in it that is no hash, readable.
    #[must_use]
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file = Some(path.into());
        self
    }
}

impl<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>, H: Check<A>> Server<A, R, P, H> {
    /// The application's own check of who comes in: it sees the head of each request, and gives who it is, or a refusal. It must not wait; see
    /// [`authorize_async`](Self::authorize_async).
    ///
    /// It is asked after Host and Origin, and after the tokens of the configuration, where there are any: who brings one of these comes in by
    /// that, and is not asked again. It is not asked about preflights, `/healthz`, the metadata of [`oauth`](Config::oauth) and what is not
    /// there.
    /// ```
    /// use smol_mcp::{Denied, Principal, Server};
    /// # use smol_mcp::{Call, ToolResult, tools};
    /// # struct Board { secret: String }
    /// # tools! { impl Board {
    /// #     /// Waits.
    /// #     #[read_only]
    /// #     async fn wait(&self, call: &mut Call<'_>) -> ToolResult { call.text("").await }
    /// # } }
    ///
    /// let board = Board { secret: "7".into() };
    /// let server = Server::new("board", "1", board).authorize(|board, visit| match visit.header("x-key") {
    ///     Some(key) if key == board.secret => Ok(Principal::new("the kitchen").with_scopes(["lights"])),
    ///     Some(_) => Err(Denied::forbidden("another key")),
    ///     None => Err(Denied::unauthorized("this board asks for its X-Key")),
    /// });
    /// ```
    #[must_use]
    pub fn authorize<F>(self, check: F) -> Server<A, R, P, SyncCheck<F>>
    where
        F: Fn(&A, &Visit<'_>) -> Result<Principal, Denied> + 'static,
    {
        self.with(|app| app.with_check(SyncCheck(check)))
    }

    /// The same, where the check has to wait for something: `authorize_async(async |board, visit| ...)`. It has [`AUTHORIZE_TIMEOUT_MS`], holds
    /// one of the buffers for calls meanwhile, and runs on the one thread, beside everything else.
    #[must_use]
    pub fn authorize_async<F>(self, check: F) -> Server<A, R, P, AsyncCheck<F>>
    where
        F: AsyncFn(&A, &Visit<'_>) -> Result<Principal, Denied> + 'static,
    {
        self.with(|app| app.with_check(AsyncCheck(check)))
    }
}

/// What is known of those who may come in, beside the guard's tokens.
pub(super) struct Access {
    /// Where the tokens are read from.
    file: RefCell<Option<PathBuf>>,
    /// When the clock last ticked, and when there is to look who may still come in: seconds of the wall clock.
    ticked_unix_s: Cell<u64>,
    look_unix_s: Cell<u64>,
    /// What there is of access tokens.
    pub(super) watch: Watch,
}

impl Access {
    /// Nobody has come in yet.
    pub(super) const fn new(file: Option<PathBuf>, watch: Watch) -> Self {
        Self { file: RefCell::new(file), ticked_unix_s: Cell::new(0), look_unix_s: Cell::new(0), watch }
    }
}

impl<A: Application> Core<'_, A> {
    /// Reads the file of tokens again, and those of keys. Should one be wrong, what was read from it stays as it is.
    pub(super) fn reload(&self) {
        let has_keys = self.look_at_keys(true);
        let file = self.access.file.borrow();
        let Some(path) = &*file else {
            if !has_keys {
                log::warn!("there is no file of tokens to be read again");
            }
            return;
        };
        match token_file::read(path) {
            Ok(tokens) => {
                if tokens.is_empty() {
                    log::warn!("the token file {} holds no token: it lets nobody in", path.display());
                }
                self.take_tokens(None, Some(&tokens));
            }
            Err(error) => log::error!("{error}; the tokens stay as they are"),
        }
    }

    /// Takes other tokens: those of the program, those of the file, or both.
    pub(super) fn take_tokens(&self, program: Option<&[Token]>, file: Option<&[Token]>) {
        let unix_s = self.unix_s.get();
        match self.endpoint.guard.replace_tokens(program, file) {
            Ok(former) => {
                self.identity.public.set(false);
                log::info!("the tokens were replaced");
                let before_unix_s = self.access.ticked_unix_s.get();
                self.look_who_is_in(unix_s, |id| self.has_lost_by(id, &former, before_unix_s));
            }
            Err(error) => log::error!("the tokens can't be replaced: {error}; they stay as they are"),
        }
    }

    fn has_lost_by(&self, id: PrincipalId, former: &FormerTokens, before_unix_s: u64) -> bool {
        self.endpoint.guard.has_lost_by(id, former, before_unix_s, self.unix_s.get())
    }

    /// A token ends: who came in by it loses what is open.
    pub(super) fn keep_access(&self) {
        self.look_at_keys(false);
        self.end_streams_of_ended();
        let unix_s = self.unix_s.get();
        let before_unix_s = self.access.ticked_unix_s.replace(unix_s);
        // A clock that was set back has more ends before it than were known.
        if unix_s >= self.access.look_unix_s.get() || unix_s < before_unix_s {
            self.look_who_is_in(unix_s, |id| self.endpoint.guard.has_lost(id, before_unix_s, unix_s));
        }
    }

    // Those who lost something lose their sessions and streams, and those who may not come in any more their calls and tasks.
    fn look_who_is_in(&self, unix_s: u64, has_lost: impl Fn(PrincipalId) -> bool) {
        let guard = &self.endpoint.guard;
        // Whoever is in and should not be goes, whatever was known before.
        let has_lost = |id| has_lost(id) || !guard.knows(id, unix_s);
        self.access.look_unix_s.set(guard.next_end(unix_s));
        while let Some(session) = self.session_of(has_lost) {
            let ended = self.sessions.borrow_mut().let_go(session);
            if let Some(ended) = ended {
                self.ended(ended);
            }
        }
        let slots = self.streams.borrow().len();
        for index in 0..slots {
            let listener = {
                let streams = self.streams.borrow();
                let stream = streams.reference(index);
                stream.filter(|_| streams.listener_at(index).is_some_and(&has_lost))
            };
            if let Some(stream) = listener {
                self.close_stream(stream, true);
            }
        }
        for (index, worker) in self.workers.iter().enumerate() {
            if worker.principal.get().is_some_and(|id| !guard.knows(id, unix_s)) {
                worker.cancelled.set(true);
                self.wake_worker(index);
            }
        }
        self.end_tasks_where(|id| !guard.knows(id, unix_s));
    }

    fn session_of(&self, which: impl Fn(PrincipalId) -> bool) -> Option<SessionRef> {
        let sessions = self.sessions.borrow();
        sessions.iter().find(|(_, session)| which(session.id().principal())).map(|(session, _)| session)
    }
}

impl<A: Application> Worker<'_, '_, A> {
    /// From now on it works on behalf of this one, or of anyone, where nobody is known. Gives who that is.
    pub(super) fn work_for<'p>(&self, known: Option<&'p Principal>) -> &'p Principal {
        let principal = Principal::or_anyone(known);
        self.slot.principal.set(Some(principal.id()));
        self.slot.ends_unix_s.set(principal.ends_unix_s());
        self.audit_principal(principal);
        principal
    }

    /// Asks the application who comes. `refusal`: why the tokens let nobody in.
    pub(super) async fn ask_application(
        &self,
        conn: ConnRef,
        request: http::Request<'_>,
        refusal: BearerRefusal,
        moment: &Moment,
    ) -> Result<Principal, Answer<'static>> {
        if !A::HAS_CHECK {
            return Err(denied(&Denied::unauthorized(""), refusal));
        }
        let lines = Lines { request, found: Cell::new(false) };
        let visit = Visit::new(request.method_text(), request.path(), self.peer(conn), &lines);
        self.set_deadline(AUTHORIZE_TIMEOUT_MS, AUTHORIZE_TIMEOUT_MS);
        // It is not the client that takes its time.
        self.slot.pressed_ms.set(0);
        let mut check = pin!(Some(self.core.app.check(&visit)));
        let known = poll_fn(|cx| {
            let Some(running) = check.as_mut().as_pin_mut() else { return Poll::Ready(None) };
            match pin!(unwound(running)).poll(cx) {
                Poll::Ready(known) => Poll::Ready(Some(known)),
                Poll::Pending if self.slot.expired.get() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        // What is dropped before its end may panic in doing so: that is its own affair.
        if caught(|| check.set(None)).is_none() {
            self.core.notice(Notice::Check, format_args!("the check of who comes in panicked when it was dropped"));
        }
        self.wait_for_nothing();
        let failed = |message: &str| {
            self.core.notice(Notice::Check, format_args!("{message}"));
            Err(Answer::refusal(Status::INTERNAL_SERVER_ERROR, Code::INTERNAL_ERROR, message).because(Cause::Token))
        };
        match known {
            Some(Ok(Ok(principal))) => match principal.fault() {
                None => Ok(principal),
                Some(fault) => failed(&format!("who comes in can't be told: {fault}")),
            },
            Some(Ok(Err(why))) => {
                if why.is_known() || lines.found.get() {
                    self.core.endpoint.came_wrong(moment);
                }
                Err(denied(&why, refusal))
            }
            Some(Err(_)) => failed("the check of who comes in panicked"),
            None => Err(Answer::unavailable("the check of who comes in took too long").because(Cause::Token)),
        }
    }

    /// Whether who sent a request may still come in, as is known now that its body is there. What they may do is brought up to date.
    pub(super) fn is_still_in(
        &self,
        conn: ConnRef,
        head: http::Request<'_>,
        principal: &mut Option<Principal>,
    ) -> bool {
        let id = Principal::or_anyone(principal.as_ref()).id();
        if !id.is_of_token() && !self.core.endpoint.guard.knows(id, self.core.unix_s.get()) {
            return false;
        }
        let mut now = None;
        let mut passage = Passage::Known;
        self.core.endpoint.enter(head, &self.core.moment(conn), &mut now, &mut passage);
        match passage {
            Passage::Known => {
                *principal = now;
                Principal::or_anyone(principal.as_ref()).id() == id
            }
            // The application has said who it is.
            Passage::Ask(_) => id.is_of_application(),
            Passage::Answer(_) => false,
        }
    }

    /// The head of what is left to be said for a call that was cut off: by its client, or since its principal may not come in any more.
    pub(super) fn set_cut_off(&self, outlet: &mut Outlet<'_>, principal: &Principal) {
        if self.core.endpoint.guard.knows(principal.id(), self.core.unix_s.get()) {
            return outlet.set_status(Status::ACCEPTED);
        }
        outlet.set_status(Status::UNAUTHORIZED);
        outlet.template().www_authenticate = Some(Challenge { error: Some("invalid_token"), scopes: &[] });
    }

    fn peer(&self, conn: ConnRef) -> Option<IpAddr> {
        self.core.conns.borrow_mut().get(conn)?.socket()?.peer()
    }
}

/// The header lines of a request.
struct Lines<'r> {
    request: http::Request<'r>,
    /// The check asked for one that is there.
    found: Cell<bool>,
}

impl Headers for Lines<'_> {
    fn line(&self, at: usize) -> Option<(&str, &[u8])> {
        self.request.headers().nth(at)
    }

    fn found(&self) {
        self.found.set(true);
    }
}
